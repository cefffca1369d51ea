/* SPDX-License-Identifier: MIT */
/* user_namespaces(7): who is root in one sees and names ids by its maps, has power over
 * what belongs to it, and none over anything else. */
/* calls: stat chown chmod kill waitid rt_sigqueueinfo sendmsg getsockopt shmctl setxattr
 * getxattr execve prlimit64 process_vm_readv seccomp getgroups */
#include "user_ns.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/fsuid.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define FIRST	100000U /* what 0 inside is */
#define MAP	"0 100000 100"
#define UNKNOWN 200U /* not mapped */
#define NOBODY	65534U

static char *self;  /* this program */
static pid_t other; /* a process of the first namespace */
static int sockets[2];
static int shm_of_root;

static bool is_of(const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	CHECK(lstat(name, &st) == 0);
	return st.st_uid == uid && st.st_gid == gid;
}

static void become_inside(void)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
}

/* before() outside, inside() as root of a new one with 100 ids, after() outside. */
static void with_ids(void (*before)(void), void (*inside)(void), void (*after)(void))
{
	struct inside in;

	if (geteuid() != 0 || !may_unshare_user())
		return;
	CHECK(chmod(".", 0777) == 0);
	if (before)
		before();
	inside_start(&in, inside);
	CHECK(put_err_of(in.pid, "uid_map", MAP) == 0);
	CHECK(put_err_of(in.pid, "gid_map", MAP) == 0);
	CHECK(inside_end(&in) == 0);
	if (after)
		after();
}

/* ---- files ---- */

static void make_of(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	(void)unlink(name);
	file_put(name, "text");
	CHECK(chown(name, uid, gid) == 0);
	CHECK(chmod(name, mode) == 0);
}

static void make_files(void)
{
	make_of("mapped", FIRST + 5, FIRST + 6, 0600);
	make_of("roots", 0, 0, 0600);
	make_of("half", FIRST + 5, 0, 0600);
}

static void use_files(void)
{
	gid_t groups[16];
	int n = getgroups(16, groups);

	for (int i = 0; i < n; i++)
		CHECK(groups[i] == NOBODY);
	become_inside();
	CHECK(is_of("mapped", 5, 6) && is_of("roots", NOBODY, NOBODY));
	CHECK(is_of("half", 5, NOBODY));
	CHECK(close(open("mapped", O_RDWR)) == 0);
	FAILS(EACCES, open("roots", O_RDONLY));
	FAILS(EACCES, open("half", O_RDONLY)); /* its group is unknown */
	CHECK(access("mapped", R_OK | W_OK) == 0);
	FAILS(EACCES, access("roots", R_OK));
	CHECK(chown("mapped", 7, 8) == 0 && is_of("mapped", 7, 8));
	CHECK(chown("mapped", -1, -1) == 0);
	FAILS(EINVAL, chown("mapped", UNKNOWN, -1));
	FAILS(EINVAL, chown("mapped", -1, UNKNOWN));
	FAILS(EINVAL, chown("mapped", NOBODY, -1));
	FAILS(ENOENT, chown("nothing", UNKNOWN, -1));
	FAILS(EPERM, chown("roots", 0, 0));
	FAILS(EPERM, chown("half", 6, -1));
	CHECK(chmod("mapped", 06777) == 0);
	CHECK(chmod("half", 0640) == 0); /* its owner is known: that is enough */
	FAILS(EPERM, chmod("roots", 0666));
	FAILS(EPERM,
	      utimensat(AT_FDCWD, "roots", (struct timespec[2]){{1, 1}, {1, 1}}, 0));
	CHECK(utimensat(AT_FDCWD, "half", (struct timespec[2]){{1, 1}, {1, 1}}, 0) == 0);
	file_put("own", "text");
	CHECK(is_of("own", 0, 0));
	CHECK(chown("own", 3, 3) == 0);
	CHECK(chmod("own", 0600) == 0);
	CHECK(setfsuid(4) == 0 && setfsuid(UNKNOWN) == 4);
	FAILS(EACCES, open("own", O_RDWR));
}

static void look_at_files(void)
{
	CHECK(is_of("mapped", FIRST + 7, FIRST + 8));
	CHECK(is_of("own", FIRST + 3, FIRST + 3));
	CHECK(unlink("mapped") == 0 && unlink("own") == 0);
	CHECK(unlink("half") == 0 && unlink("roots") == 0);
}

static void files_are_of_ids_that_are_known(void)
{
	with_ids(make_files, use_files, look_at_files);
}

static void make_sticky(void)
{
	CHECK(mkdir("sticky", 0777) == 0 && chmod("sticky", 01777) == 0);
	make_of("sticky/roots", 0, 0, 0666);
	make_of("sticky/mapped", FIRST + 5, FIRST + 5, 0600);
	CHECK(mkdir("group", 0777) == 0 && chown("group", 0, 0) == 0);
	CHECK(chmod("group", 02777) == 0);
}

static void use_sticky(void)
{
	struct stat st;

	become_inside();
	FAILS(EPERM, unlink("sticky/roots"));
	CHECK(unlink("sticky/mapped") == 0);
	CHECK(close(open("group/file", O_CREAT | O_RDWR, 02770)) == 0);
	/* No power over the group that it inherits. */
	CHECK(stat("group/file", &st) == 0 && st.st_gid == NOBODY);
	CHECK(!(st.st_mode & S_ISGID));
}

static void look_at_sticky(void)
{
	CHECK(is_of("group/file", FIRST, 0));
	CHECK(unlink("group/file") == 0 && rmdir("group") == 0);
	CHECK(unlink("sticky/roots") == 0 && rmdir("sticky") == 0);
}

static void directories_keep_their_rules(void)
{
	with_ids(make_sticky, use_sticky, look_at_sticky);
}

/* ---- one in another ---- */

static void deeper(void)
{
	become_inside();
	CHECK(is_of("roots", NOBODY, NOBODY) && is_of("mapped", 5, 6));
	FAILS(EACCES, open("roots", O_RDONLY));
	CHECK(close(open("mapped", O_RDWR)) == 0);
	FAILS(EINVAL, chown("mapped", 50, -1));
	CHECK(chown("mapped", 3, 3) == 0);
	FAILS(EINVAL, setuid(50));
}

/* With so many lines that they are sorted. */
static void maps_in_a_map(void)
{
	static const char map[] = "5 5 5\n0 0 1\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n";
	static const char shown[] = "         0          0          1\n"
				    "         1          1          1\n"
				    "         2          2          1\n";
	struct inside in;
	char path[64];

	become_inside();
	inside_start(&in, deeper);
	CHECK(put_err_of(in.pid, "uid_map", "0 0 101") == EPERM);
	CHECK(put_err_of(in.pid, "uid_map", "0 0 1\n1 99 2") == EPERM);
	CHECK(put_err_of(in.pid, "uid_map", map) == 0);
	CHECK(put_err_of(in.pid, "gid_map", map) == 0);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", in.pid);
	CHECK(strncmp(file_get(path), shown, strlen(shown)) == 0);
	CHECK(inside_end(&in) == 0);
}

static void look_deeper(void)
{
	CHECK(is_of("mapped", FIRST + 3, FIRST + 3));
	CHECK(unlink("mapped") == 0 && unlink("half") == 0 && unlink("roots") == 0);
}

static void maps_in_maps_lead_to_the_right_ids(void)
{
	with_ids(make_files, maps_in_a_map, look_deeper);
}

/* ---- what is the machine's ---- */

static void nothing_of_the_machine(void)
{
	const struct sched_param param = {.sched_priority = 1};
	struct rlimit l;

	become_inside();
	FAILS(EPERM, mknod("device", S_IFCHR | 0600, makedev(1, 3)));
	FAILS(EPERM, mount("none", ".", "tmpfs", 0, NULL));
	FAILS(EPERM, umount2(".", MNT_DETACH));
	FAILS(EPERM, sethostname("other", 5));
	FAILS(EPERM, setdomainname("other", 5));
	FAILS(EACCES, setpriority(PRIO_PROCESS, 0, -5));
	FAILS(EPERM, sched_setscheduler(0, SCHED_FIFO, &param));
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
	l.rlim_cur = l.rlim_max = 100;
	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	l.rlim_max = 101;
	FAILS(EPERM, setrlimit(RLIMIT_NOFILE, &l));
	FAILS(EPERM, acct(NULL));
	FAILS(EACCES, open("/proc/sys/kernel/hostname", O_WRONLY));
	FAILS(EPERM, setxattr(".", "trusted.x", "y", 1, 0));
	FAILS(EPERM, setxattr(".", "security.x", "y", 1, 0));
}

static void root_inside_has_no_power_outside(void)
{
	with_ids(NULL, nothing_of_the_machine, NULL);
}

static void own_powers(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {1, &allow};

	become_inside();
	CHECK(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT) == 0);
	CHECK(prctl(PR_SET_SECUREBITS, 1 << 2) == 0); /* SECBIT_NO_SETUID_FIXUP */
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	CHECK(mkdir("jail", 0755) == 0 && chroot("jail") == 0);
}

static void remove_jail(void)
{
	CHECK(rmdir("jail") == 0);
}

static void root_inside_has_power_over_itself(void)
{
	with_ids(NULL, own_powers, remove_jail);
}

/* ---- processes ---- */

static void sleeps_as(uid_t uid)
{
	int ready[2];
	char c;

	CHECK(pipe(ready) == 0);
	fflush(stdout);
	other = fork();
	CHECK(other >= 0);
	if (other == 0) {
		CHECK(setgroups(0, NULL) == 0);
		CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
		CHECK(write(ready[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &c, 1) == 1);
	CHECK(close(ready[0]) == 0 && close(ready[1]) == 0);
}

static void start_other(void)
{
	sleeps_as(FIRST + 3);
}

static void start_same(void)
{
	sleeps_as(FIRST);
}

static void end_other(void)
{
	CHECK(kill(other, SIGKILL) == 0);
	CHECK(child_wait(other) == SIGKILL);
}

/* Whether the memory and the like of a process can be had: 0 or an errno. */
static int look_into(pid_t pid)
{
	char path[64];
	long word;
	struct iovec own = {&word, sizeof(word)};
	struct iovec its = {&other, sizeof(word)};
	int err = process_vm_readv(pid, &own, 1, &its, 1, 0) < 0 ? errno : 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY);
	CHECK((fd < 0) == (err != 0));
	if (fd >= 0)
		CHECK(close(fd) == 0);
	return err;
}

static void over_processes(void)
{
	struct rlimit l;
	pid_t child;

	become_inside();
	FAILS(EPERM, kill(other, 0));
	FAILS(EPERM, kill(getppid(), 0));
	FAILS(EPERM, prlimit(other, RLIMIT_NOFILE, NULL, &l));
	FAILS(EPERM, setpriority(PRIO_PROCESS, other, 5));
	FAILS(EPERM, sched_setaffinity(other, sizeof(cpu_set_t), &(cpu_set_t){{1}}));
	CHECK(look_into(other) == EPERM && look_into(getppid()) == EPERM);
	/* One of the namespace's own, of another user. */
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(setresgid(5, 5, 5) == 0 && setresuid(5, 5, 5) == 0);
		CHECK(raise(SIGSTOP) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
		CHECK(raise(SIGSTOP) == 0);
		_exit(0);
	}
	CHECK(waitpid(child, NULL, WUNTRACED) == child);
	CHECK(prlimit(child, RLIMIT_NOFILE, NULL, &l) == 0);
	CHECK(setpriority(PRIO_PROCESS, child, 5) == 0);
	/* Its program is from outside. */
	CHECK(look_into(child) == EPERM);
	CHECK(kill(child, SIGCONT) == 0);
	CHECK(waitpid(child, NULL, WUNTRACED) == child);
	CHECK(look_into(child) == 0);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(child_wait(child) == SIGKILL);
}

static void power_over_processes_of_the_namespace(void)
{
	with_ids(start_other, over_processes, end_other);
}

static void over_the_same_user(void)
{
	become_inside();
	CHECK(kill(other, 0) == 0); /* by its id */
	CHECK(look_into(other) == EPERM);
}

static void none_over_one_outside_of_the_same_user(void)
{
	with_ids(start_same, over_the_same_user, end_other);
}

/* ---- who it was ---- */

static void gets_a_signal(void)
{
	siginfo_t info;
	sigset_t set;

	become_inside();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(write(sockets[1], "r", 1) == 1);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_uid == NOBODY);
	_exit(7);
}

static void signals_tell_the_user(void)
{
	struct inside in;
	siginfo_t info;
	sigset_t set;
	char c;

	if (geteuid() != 0 || !may_unshare_user())
		return;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	inside_start(&in, gets_a_signal);
	CHECK(put_err_of(in.pid, "uid_map", MAP) == 0);
	CHECK(put_err_of(in.pid, "gid_map", MAP) == 0);
	CHECK(write(in.go[1], "g", 1) == 1 && close(in.go[1]) == 0);
	CHECK(read(sockets[0], &c, 1) == 1);
	CHECK(kill(in.pid, SIGUSR1) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGCHLD);
	CHECK(info.si_pid == in.pid && info.si_uid == FIRST);
	memset(&info, 0, sizeof(info));
	CHECK(waitid(P_PID, (id_t)in.pid, &info, WEXITED) == 0);
	CHECK(info.si_uid == FIRST && info.si_status == 7);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(close(sockets[0]) == 0 && close(sockets[1]) == 0);
}

static int send_as(int fd, uid_t uid, gid_t gid)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = {.room = {0}};
	struct ucred cred = {getpid(), uid, gid};
	struct iovec iov = {(char[]){"x"}, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	return sendmsg(fd, &m, 0) == 1 ? 0 : -1;
}

static struct ucred receive_from(int fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct ucred cred;

	CHECK(recvmsg(fd, &m, 0) == 1);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
	memcpy(&cred, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(cred));
	return cred;
}

static void make_sockets(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(setsockopt(sockets[i], SOL_SOCKET, SO_PASSCRED, &(int){1},
				 sizeof(int)) == 0);
	CHECK(write(sockets[0], "x", 1) == 1);
}

static void talks(void)
{
	struct ucred cred = receive_from(sockets[1]);
	socklen_t len = sizeof(cred);

	CHECK(cred.uid == NOBODY && cred.gid == NOBODY);
	CHECK(getsockopt(sockets[1], SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0);
	CHECK(cred.uid == NOBODY && cred.gid == NOBODY);
	become_inside();
	CHECK(send_as(sockets[1], 0, 0) == 0);
	CHECK(send_as(sockets[1], 5, 6) == 0);
	FAILS(EINVAL, send_as(sockets[1], UNKNOWN, 0));
	FAILS(EINVAL, send_as(sockets[1], 0, UNKNOWN));
	CHECK(setresuid(9, 9, 9) == 0);
	FAILS(EPERM, send_as(sockets[1], 5, 0));
}

static void listens(void)
{
	struct ucred cred = receive_from(sockets[0]);

	CHECK(cred.uid == FIRST && cred.gid == FIRST);
	cred = receive_from(sockets[0]);
	CHECK(cred.uid == FIRST + 5 && cred.gid == FIRST + 6);
	CHECK(close(sockets[0]) == 0 && close(sockets[1]) == 0);
}

static void sockets_tell_the_user(void)
{
	with_ids(make_sockets, talks, listens);
}

/* ---- System V ---- */

static void make_segment(void)
{
	shm_of_root = shmget(IPC_PRIVATE, 4096, 0644);
	CHECK(shm_of_root >= 0);
}

static void use_segments(void)
{
	struct shmid_ds ds;
	int own;

	become_inside();
	CHECK(shmctl(shm_of_root, IPC_STAT, &ds) == 0);
	CHECK(ds.shm_perm.uid == NOBODY && ds.shm_perm.cgid == NOBODY);
	FAILS(EPERM, shmctl(shm_of_root, IPC_RMID, NULL));
	FAILS(EACCES, (long)shmat(shm_of_root, NULL, 0));
	own = shmget(IPC_PRIVATE, 4096, 0600);
	CHECK(own >= 0 && shmctl(own, IPC_STAT, &ds) == 0);
	CHECK(ds.shm_perm.uid == 0 && ds.shm_perm.cgid == 0);
	ds.shm_perm.uid = UNKNOWN;
	FAILS(EINVAL, shmctl(own, IPC_SET, &ds));
	ds.shm_perm.uid = 5;
	CHECK(shmctl(own, IPC_SET, &ds) == 0);
	CHECK(shmctl(own, IPC_STAT, &ds) == 0 && ds.shm_perm.uid == 5);
	CHECK(shmctl(own, IPC_RMID, NULL) == 0);
}

static void remove_segment(void)
{
	CHECK(shmctl(shm_of_root, IPC_RMID, NULL) == 0);
}

static void segments_tell_the_user(void)
{
	with_ids(make_segment, use_segments, remove_segment);
}

/* ---- extended attributes ---- */

#define ACL_NAME "system.posix_acl_access"

struct acl_value {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} e[5];
};

static struct acl_value acl_for(uint32_t uid)
{
	return (struct acl_value){2,
				  {{1, 7, UINT32_MAX},
				   {2, 4, uid},
				   {4, 5, UINT32_MAX},
				   {16, 7, UINT32_MAX},
				   {32, 0, UINT32_MAX}}};
}

static void make_acl(void)
{
	struct acl_value v = acl_for(77);

	make_of("acl", FIRST, FIRST, 0600);
	make_of("acl-of-root", 0, 0, 0644);
	(void)!setxattr("acl-of-root", ACL_NAME, &v, sizeof(v), 0);
}

static void use_acl(void)
{
	struct acl_value v = acl_for(UNKNOWN);

	become_inside();
	if (setxattr("acl", ACL_NAME, &v, sizeof(v), 0) < 0 && errno == EOPNOTSUPP)
		return;
	FAILS(EINVAL, setxattr("acl", ACL_NAME, &v, sizeof(v), 0));
	v = acl_for(5);
	CHECK(setxattr("acl", ACL_NAME, &v, sizeof(v), 0) == 0);
	v = acl_for(0);
	CHECK(getxattr("acl", ACL_NAME, &v, sizeof(v)) == sizeof(v) && v.e[1].id == 5);
	CHECK(getxattr("acl-of-root", ACL_NAME, &v, sizeof(v)) == sizeof(v));
	CHECK(v.e[1].id == UINT32_MAX);
}

static void look_at_acl(void)
{
	struct acl_value v = acl_for(0);

	if (getxattr("acl", ACL_NAME, &v, sizeof(v)) > 0)
		CHECK(v.e[1].id == FIRST + 5);
	CHECK(unlink("acl") == 0 && unlink("acl-of-root") == 0);
}

static void access_lists_name_ids(void)
{
	with_ids(make_acl, use_acl, look_at_acl);
}

/* ---- programs ---- */

/* Runs a copy of this program, as uid, which leaves with its effective user plus 100 if
 * it has a capability. */
static int run_as(const char *program, uid_t uid)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
		execl(program, program, "who", NULL);
		_exit(255);
	}
	status = child_wait(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void copy_self(const char *name, uid_t uid, mode_t mode)
{
	static char buf[65536];
	int from = open(self, O_RDONLY);
	int to;
	ssize_t n;

	(void)unlink(name);
	to = open(name, O_CREAT | O_WRONLY, 0755);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		CHECK(write(to, buf, (size_t)n) == n);
	CHECK(fchown(to, uid, uid) == 0 && fchmod(to, mode) == 0);
	CHECK(close(from) == 0 && close(to) == 0);
}

static void make_programs(void)
{
	copy_self("of-root", 0, 06755);
	copy_self("of-mapped", FIRST + 5, 06755);
	copy_self("caps", FIRST, 0755);
}

static void use_programs(void)
{
	struct {
		uint32_t magic, data[4];
	} v2 = {0x02000001, {1U << CAP_KILL, 0, 0, 0}}, got;

	become_inside();
	if (run_as("of-mapped", 3) != 5) /* nosuid */
		return;
	CHECK(run_as("of-root", 3) == 3);
	CHECK(run_as("caps", 3) == 3);
	CHECK(setxattr("caps", "security.capability", &v2, sizeof(v2), 0) == 0);
	CHECK(run_as("caps", 3) == 103);
	CHECK(getxattr("caps", "security.capability", &got, sizeof(got)) == sizeof(got));
	CHECK(got.magic == v2.magic && got.data[0] == v2.data[0]);
	FAILS(EPERM, setxattr("of-root", "security.capability", &v2, sizeof(v2), 0));
}

static void look_at_programs(void)
{
	struct {
		uint32_t magic, data[4], root;
	} v3 = {0};

	if (getxattr("caps", "security.capability", &v3, sizeof(v3)) == sizeof(v3)) {
		CHECK(v3.magic == 0x03000001 && v3.root == FIRST);
		/* Not its namespace. */
		CHECK(run_as("caps", 3) == 3);
	}
	CHECK(unlink("caps") == 0 && unlink("of-root") == 0 && unlink("of-mapped") == 0);
}

static void programs_give_what_is_known(void)
{
	with_ids(make_programs, use_programs, look_at_programs);
}

/* ---- anybody ---- */

static void as_root_of_nothing_else(void)
{
	enter_own(0, 0);
	file_put("anybodys", "x");
	CHECK(is_of("anybodys", 0, 0));
	FAILS(EINVAL, chown("anybodys", 1, -1));
	CHECK(chown("anybodys", 0, 0) == 0);
	FAILS(EPERM, mount("none", "/", "tmpfs", 0, NULL));
	FAILS(EPERM, mknod("device", S_IFCHR | 0600, makedev(1, 3)));
	FAILS(EPERM, sethostname("other", 5));
	CHECK(unlink("anybodys") == 0);
}

static void anybody_is_root_of_his_own(void)
{
	in_own(as_root_of_nothing_else);
}

static __attribute__((constructor)) void before(int argc, char **argv)
{
	static char path[4096];

	if (argc == 2 && strcmp(argv[1], "who") == 0)
		_exit((int)geteuid() + (has_cap(CAP_KILL) ? 100 : 0));
	CHECK(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	self = path;
}

RUN(TEST(files_are_of_ids_that_are_known), TEST(directories_keep_their_rules),
    TEST(maps_in_maps_lead_to_the_right_ids), TEST(root_inside_has_no_power_outside),
    TEST(root_inside_has_power_over_itself), TEST(power_over_processes_of_the_namespace),
    TEST(none_over_one_outside_of_the_same_user), TEST(signals_tell_the_user),
    TEST(sockets_tell_the_user), TEST(segments_tell_the_user),
    TEST(access_lists_name_ids), TEST(programs_give_what_is_known),
    TEST(anybody_is_root_of_his_own))
