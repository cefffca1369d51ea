/* SPDX-License-Identifier: MIT */
/* user_namespaces(7): how they come about, the maps of ids and who may write them, and
 * how one is entered. All in children, as there is no way back. */
/* calls: unshare clone clone3 setns ioctl */
#include "user_ns.h"

#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>

#define ALL_CAPS ((1ULL << 41) - 1)

/* ---- making one ---- */

static void has_all_caps_and_no_ids(void)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(getuid() == 65534 && geteuid() == 65534);
	CHECK(getgid() == 65534 && getegid() == 65534);
	CHECK(cap_line("CapEff:") == ALL_CAPS && cap_line("CapPrm:") == ALL_CAPS);
	CHECK(cap_line("CapBnd:") == ALL_CAPS);
	CHECK(cap_line("CapInh:") == 0 && cap_line("CapAmb:") == 0);
	CHECK(prctl(PR_GET_SECUREBITS) == 0);
	CHECK(file_is("/proc/self/uid_map", "") && file_is("/proc/self/gid_map", ""));
	CHECK(file_is("/proc/self/projid_map", ""));
	CHECK(file_is("/proc/self/setgroups", "allow\n"));
	/* Still it has an owner's rights. */
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	FAILS(EINVAL, setuid(0));
	FAILS(EINVAL, setuid(65534));
	FAILS(EINVAL, setresuid(0, 0, 0));
	CHECK(setresuid(-1, -1, -1) == 0);
	CHECK(setfsuid(0) == 65534);
	FAILS(EINVAL, setgid(0));
	FAILS(EPERM, setgroups(0, NULL));
}

static void it_begins_with_capabilities(void)
{
	in_own(has_all_caps_and_no_ids);
}

static void exec_like_no_root(void)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	execl("/proc/self/exe", "x", "caps", NULL);
	CHECK(!"exec");
}

static void exec_like_root(void)
{
	enter_own(0, 0);
	execl("/proc/self/exe", "x", "all-caps", NULL);
	CHECK(!"exec");
}

static void exec_counts_the_root_of_it(void)
{
	in_own(exec_like_no_root);
	in_own(exec_like_root);
}

static int thread_tries(void *arg)
{
	(void)arg;
	FAILS(EINVAL, unshare(CLONE_NEWUSER));
	return 0;
}

static void *thread_main(void *arg)
{
	thread_tries(arg);
	return NULL;
}

static void flags(void)
{
	pthread_t thread;
	pid_t pid;

	FAILS(EINVAL, syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
	FAILS(EINVAL,
	      syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
		      0, 0, 0, 0));
	CHECK(pthread_create(&thread, NULL, thread_main, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(cap_line("CapEff:") != ALL_CAPS || getuid() != 65534);
	CHECK(child_wait(pid) == 0);
	CHECK(geteuid() != 65534 || getuid() == geteuid());
}

static void clone_and_threads(void)
{
	in_own(flags);
}

static void by_clone3(void)
{
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(geteuid() == 65534);
		_exit(0);
	}
	CHECK(child_wait(pid) == 0);
	args.flags |= CLONE_FS;
	FAILS(EINVAL, syscall(SYS_clone3, &args, sizeof(args)));
}

static void clone3_does_it_too(void)
{
	in_own(by_clone3);
}

static void deep(void)
{
	int depth = 0;

	while (depth < 100) {
		unsigned int uid = geteuid();
		unsigned int gid = getegid();

		if (unshare(CLONE_NEWUSER) != 0)
			break;
		map_own(uid, gid, uid, gid);
		depth++;
	}
	CHECK(errno == ENOSPC);
	CHECK(depth == 33);
}

static void they_nest_32_deep(void)
{
	in_own(deep);
}

static void limited(void)
{
	pid_t pid;

	enter_own(0, 0);
	CHECK(put_err("/proc/sys/user/max_user_namespaces", "2") == 0);
	CHECK(file_is("/proc/sys/user/max_user_namespaces", "2\n"));
	pid = fork();
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWUSER) == 0);
		map_own(0, 0, 0, 0);
		CHECK(!file_is("/proc/sys/user/max_user_namespaces", "2\n"));
		CHECK(unshare(CLONE_NEWUSER) == 0);
		map_own(0, 0, 0, 0);
		/* That counts for who made those around it. */
		FAILS(ENOSPC, unshare(CLONE_NEWUSER));
		_exit(0);
	}
	CHECK(child_wait(pid) == 0);
	CHECK(put_err("/proc/sys/user/max_user_namespaces", "0") == 0);
	FAILS(ENOSPC, unshare(CLONE_NEWUSER));
}

static void as_many_as_the_limit_says(void)
{
	in_own(limited);
}

static void not_owned(void)
{
	enter_own(1000, 1000);
	FAILS(EACCES, access("/proc/sys/user/max_user_namespaces", W_OK));
	CHECK(put_err("/proc/sys/user/max_user_namespaces", "100") == 0);
	/* No longer with the capability. */
	execl("/proc/self/exe", "x", "limits", NULL);
	CHECK(!"exec");
}

static void limits_are_set_with_a_capability(void)
{
	in_own(not_owned);
}

static void chrooted(void)
{
	enter_own(0, 0);
	CHECK(mkdir("root", 0755) == 0);
	CHECK(chroot("root") == 0);
	FAILS(EPERM, unshare(CLONE_NEWUSER));
	FAILS(EPERM, syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static void not_in_a_chroot(void)
{
	in_own(chrooted);
	(void)rmdir("root");
}

static void is_nobody(void)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	FAILS(EPERM, unshare(CLONE_NEWUSER));
	CHECK(put_err("/proc/self/setgroups", "deny") == 0);
}

static void nobody_makes_none(void)
{
	in_own(is_nobody);
}

/* ---- maps ---- */

static void map_syntax(void)
{
	static const char *const bad[] = {
		"0 0 0",
		"0 0",
		"0",
		"x 0 1",
		"0 0 1 1",
		"0 0 1x",
		"-1 0 1",
		"0 -1 1",
		"4294967295 0 1",
		"0 4294967295 1",
		"4294967290 0 6",
		"0 4294967290 10",
		"0 0 1\n0 5 1",
		"0 0 10\n5 100 1",
		"0 0 1\n1 0 1",
		"\n",
		"0 0 1\n\n1 1 1",
		" ",
		"0 0 4294967296",
		"0,0,1",
		"0 100 10\n50 95 10",
		"0 0 1\n#",
	};
	unsigned int uid = geteuid();
	char text[64];
	int fd;

	CHECK(unshare(CLONE_NEWUSER) == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (put_err("/proc/self/uid_map", bad[i]) != EINVAL) {
			printf("# %s\n", bad[i]);
			CHECK(!"taken");
		}
	fd = open("/proc/self/uid_map", O_RDWR);
	CHECK(fd >= 0);
	FAILS(EFAULT, syscall(SYS_write, fd, bad_address(0), 10));
	FAILS(EINVAL, syscall(SYS_write, fd, bad_address(0), 4096));
	snprintf(text, sizeof(text), " \t7   %u\t1  \n", uid);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(getuid() == 7 && geteuid() == 7);
	snprintf(text, sizeof(text), "%10u %10u %10u\n", 7, uid, 1);
	CHECK(file_is("/proc/self/uid_map", text));
	/* Once. */
	FAILS(EINVAL, write(fd, "0 0 1", 5)); /* not at its beginning */
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FAILS(EPERM, write(fd, "0 0 1", 5));
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FAILS(EPERM, write(fd, "bad", 3));
	CHECK(close(fd) == 0);
}

static void lines_are_read(void)
{
	in_own(map_syntax);
}

static void many_extents(void)
{
	static char text[8192];
	size_t len = 0;

	enter_own(0, 0);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	for (unsigned int i = 0; i < 341; i++)
		len += (size_t)sprintf(text + len, "%u %u 1\n", i, i);
	CHECK(len < 4096);
	CHECK(put_err("/proc/self/projid_map", text) == EINVAL);
	text[0] = 0;
	CHECK(put_err("/proc/self/uid_map", "0 5 1") == EPERM);
	CHECK(put_err("/proc/self/uid_map", "0 0 1") == 0);
}

static void there_are_340_at_most(void)
{
	in_own(many_extents);
}

static void unprivileged_map(void)
{
	unsigned int uid = geteuid();
	unsigned int gid = getegid();
	char text[64];
	int fd;

	CHECK(unshare(CLONE_NEWUSER) == 0);
	snprintf(text, sizeof(text), "0 %u 1\n1 %u 1\n", uid, uid + 1);
	CHECK(put_err("/proc/self/uid_map", text) == EPERM);
	snprintf(text, sizeof(text), "0 %u 2", uid);
	CHECK(put_err("/proc/self/uid_map", text) == EPERM);
	snprintf(text, sizeof(text), "0 %u 1", uid + 1);
	CHECK(put_err("/proc/self/uid_map", text) == EPERM);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	/* Groups only when none can be dropped. */
	CHECK(put_err("/proc/self/gid_map", text) == EPERM);
	CHECK(put_err("/proc/self/setgroups", "deny") == 0);
	CHECK(file_is("/proc/self/setgroups", "deny\n"));
	CHECK(put_err("/proc/self/setgroups", "allow") == EPERM);
	CHECK(put_err("/proc/self/setgroups", "deny") == 0);
	CHECK(put_err("/proc/self/gid_map", text) == 0);
	CHECK(put_err("/proc/self/setgroups", "deny") == EPERM);
	CHECK(getgid() == 0 && getuid() == 65534);
	FAILS(EPERM, setgroups(0, NULL));
	snprintf(text, sizeof(text), "0 %u 1", uid);
	CHECK(put_err("/proc/self/uid_map", text) == 0);
	CHECK(getuid() == 0 && geteuid() == 0);
	CHECK(setuid(0) == 0 && setgid(0) == 0);
	FAILS(EINVAL, setuid(1));
	FAILS(EINVAL, setgid(1));
	/* A project's id is anybody's. */
	fd = open("/proc/self/projid_map", O_WRONLY);
	CHECK(fd >= 0);
	CHECK(write(fd, "5 10 10", 7) == 7);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FAILS(EPERM, write(fd, "5 10 10", 7));
	CHECK(close(fd) == 0);
	CHECK(file_is("/proc/self/projid_map", "         5         10         10\n"));
	CHECK(put_err("/proc/self/setgroups", "maybe") == EINVAL);
	CHECK(put_err("/proc/self/setgroups", "denyx") == EINVAL);
	CHECK(put_err("/proc/self/setgroups", "deny    ") == EINVAL);
}

static void drop_and_map(void)
{
	become_user();
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	unprivileged_map();
}

static void who_has_no_right_maps_himself(void)
{
	in_own(drop_and_map);
}

static void nothing(void)
{
}

static void inherits_deny_inside(void)
{
	enter_own(0, 0);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(file_is("/proc/self/setgroups", "deny\n"));
	CHECK(put_err("/proc/self/setgroups", "allow") == EPERM);
	CHECK(put_err("/proc/self/gid_map", "0 0 1") == 0);
}

static void denied_groups_are_inherited(void)
{
	in_own(inherits_deny_inside);
}

static void is_mapped(void)
{
	gid_t list[3] = {105, 1, 7};

	CHECK(getuid() == 65534);
	FAILS(EINVAL, setresuid(100, 100, 100));
	FAILS(EINVAL, setresuid(-1, 8, -1));
	CHECK(setgroups(3, list) == 0);
	CHECK(getgroups(3, list) == 3);
	CHECK(list[0] == 1 && list[1] == 7 && list[2] == 105);
	list[1] = 50;
	FAILS(EINVAL, setgroups(3, list));
	CHECK(setresgid(107, 107, 107) == 0 && getgid() == 107);
	CHECK(setresuid(7, 7, 7) == 0 && getuid() == 7 && geteuid() == 7);
	CHECK(cap_line("CapEff:") == ALL_CAPS); /* it was no root that it ceased to be */
	CHECK(setuid(0) == 0);
	CHECK(setuid(3) == 0);
	CHECK(cap_line("CapEff:") == 0 && cap_line("CapPrm:") == 0);
	FAILS(EPERM, setuid(0));
	CHECK(setfsuid(0) == 3 && setfsuid(3) == 3);
}

/* With CAP_SETUID and CAP_SETGID in the namespace around it anything is mapped. */
static void privileged_map(void)
{
	struct inside in;
	char want[256];

	inside_start(&in, is_mapped);
	CHECK(put_err_of(in.pid, "uid_map", "0 100000 8\n200 200000 5") == 0);
	CHECK(put_err_of(in.pid, "gid_map", "0 100000 8\n100 200000 100\n") == 0);
	snprintf(want, sizeof(want), "%10u %10u %10u\n%10u %10u %10u\n", 0, 100000, 8,
		 200, 200000, 5);
	{
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/uid_map", in.pid);
		CHECK(file_is(path, want));
	}
	CHECK(put_err_of(in.pid, "uid_map", "0 0 1") == EPERM);
	CHECK(put_err_of(in.pid, "setgroups", "deny") == EPERM);
	CHECK(put_err_of(in.pid, "setgroups", "allow") == 0);
	CHECK(inside_end(&in) == 0);
}

static void has_many(void)
{
	for (unsigned int i = 0; i < 340; i++) {
		CHECK(setresuid(-1, 2 * i, 0) == 0 && geteuid() == 2 * i);
		FAILS(EINVAL, setresuid(-1, 2 * i + 1, -1));
		CHECK(setresuid(-1, 0, 0) == 0);
	}
}

static void many_map(void)
{
	static char text[8192];
	struct inside in;
	char path[64];
	size_t len = 0;

	/* Of the highest first: they are found and shown in order. */
	for (int i = 339; i >= 0; i--)
		len += (size_t)sprintf(text + len, "%d %d 1\n", 2 * i, i * 3 % 340);
	CHECK(len < 4096);
	inside_start(&in, has_many);
	CHECK(put_err_of(in.pid, "uid_map", text) == 0);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", in.pid);
	CHECK(strncmp(file_get(path), "         0          0          1\n         2",
		      43) == 0);
	CHECK(inside_end(&in) == 0);
}

static void root_maps_anything(void)
{
	if (geteuid() != 0 || !has_cap(CAP_SETUID) || !may_unshare_user())
		return;
	CHECK(in_child(privileged_map) == 0);
	CHECK(in_child(many_map) == 0);
}

/* Who opens the file counts as well as who writes. */
static void opener_counts(void)
{
	struct inside in;
	int fd;

	inside_start(&in, nothing);
	fd = open_of(in.pid, "uid_map", O_WRONLY);
	become_user();
	FAILS(EPERM, write(fd, "0 100000 10", 11));
	CHECK(close(fd) == 0);
	CHECK(inside_end(&in) == 0);
}

static void both_openers_and_writers_need_the_right(void)
{
	if (geteuid() == 0 && may_unshare_user())
		CHECK(in_child(opener_counts) == 0);
}

/* ---- the first one ---- */

static void the_first_is_mapped_already(void)
{
	if (strchr(file_get("/proc/self/uid_map"), '\n') == NULL ||
	    !file_is("/proc/self/uid_map", "         0          0 4294967295\n"))
		return; /* not natively in it */
	CHECK(put_err("/proc/self/uid_map", "0 0 1") == EPERM ||
	      put_err("/proc/self/uid_map", "0 0 1") == EACCES);
}

/* ---- files and entering ---- */

static ino_t ino_of(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st.st_ino;
}

static ino_t ino_of_fd(int fd)
{
	struct stat st;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	return st.st_ino;
}

static void relations(void)
{
	ino_t parent = ino_of("/proc/self/ns/user");
	unsigned int uid = geteuid();
	uid_t owner = 1;
	int fd;
	int up;

	enter_own(0, 0);
	CHECK(ino_of("/proc/self/ns/user") != parent);
	fd = open("/proc/self/ns/user", O_RDONLY);
	CHECK(fd >= 0);
	CHECK(ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWUSER);
	FAILS(EPERM, ioctl(fd, NS_GET_PARENT)); /* of the one around nothing is told */
	FAILS(EPERM, ioctl(fd, NS_GET_USERNS));
	CHECK(ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == 0);
	FAILS(EFAULT, ioctl(fd, NS_GET_OWNER_UID, bad_address(0)));
	FAILS(EINVAL, setns(fd, CLONE_NEWUSER)); /* its own */
	FAILS(EINVAL, setns(fd, CLONE_NEWUTS));
	CHECK(close(fd) == 0);
	fd = open("/proc/self/ns/uts", O_RDONLY);
	FAILS(EPERM, ioctl(fd, NS_GET_USERNS));
	FAILS(EINVAL, ioctl(fd, NS_GET_OWNER_UID, &owner));
	FAILS(EPERM, setns(fd, 0));
	CHECK(close(fd) == 0);
	{
		ino_t own = ino_of("/proc/self/ns/user");
		pid_t pid;

		pid = fork();
		if (pid == 0) {
			CHECK(unshare(CLONE_NEWUSER) == 0);
			CHECK(ino_of("/proc/self/ns/user") != own);
			for (;;)
				pause();
		}
		CHECK(pid > 0);
		{
			char path[64];

			snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
			while (ino_of(path) == own)
				sleep_ms(1);
			fd = open(path, O_RDONLY);
		}
		CHECK(fd >= 0);
		up = ioctl(fd, NS_GET_PARENT);
		CHECK(ino_of_fd(up) == own && close(up) == 0);
		up = ioctl(fd, NS_GET_USERNS);
		CHECK(ino_of_fd(up) == own && close(up) == 0);
		CHECK(ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == 0);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(child_wait(pid) == SIGKILL);
		/* The file keeps it, and it can be entered. */
		CHECK(setns(fd, CLONE_NEWUSER) == 0);
		CHECK(ino_of("/proc/self/ns/user") != own);
		CHECK(getuid() == 65534 && cap_line("CapEff:") == ALL_CAPS);
		CHECK(close(fd) == 0);
	}
	(void)uid;
}

static void files_tell_relations(void)
{
	in_own(relations);
}

static void waits(void)
{
	CHECK(getppid() > 0);
}

static void *pauses(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void enters_from_a_thread(void)
{
	struct inside in;
	pthread_t thread;
	int fd;

	inside_start(&in, waits);
	fd = open_of(in.pid, "ns/user", O_RDONLY);
	CHECK(pthread_create(&thread, NULL, pauses, NULL) == 0);
	FAILS(EINVAL, setns(fd, CLONE_NEWUSER));
	CHECK(inside_end(&in) == 0);
}

static void threads_enter_none(void)
{
	in_own(enters_from_a_thread);
}

static void enters(void)
{
	ino_t before = ino_of("/proc/self/ns/user");
	struct inside in;
	int fd;
	int up = open("/proc/self/ns/user", O_RDONLY);

	inside_start(&in, waits);
	fd = open_of(in.pid, "ns/user", O_RDONLY);
	CHECK(inside_end(&in) == 0);
	CHECK(setns(fd, 0) == 0);
	CHECK(ino_of("/proc/self/ns/user") != before);
	CHECK(cap_line("CapEff:") == ALL_CAPS && cap_line("CapBnd:") == ALL_CAPS);
	/* Out again there is no way. */
	FAILS(EPERM, setns(up, CLONE_NEWUSER));
	FAILS(EINVAL, setns(fd, CLONE_NEWUSER));
	CHECK(close(fd) == 0 && close(up) == 0);
}

static void enters_by_pidfd(void)
{
	ino_t before = ino_of("/proc/self/ns/user");
	struct inside in;
	int fd;

	inside_start(&in, waits);
	fd = (int)syscall(SYS_pidfd_open, in.pid, 0);
	CHECK(fd >= 0);
	CHECK(setns(fd, CLONE_NEWUSER) == 0);
	CHECK(ino_of("/proc/self/ns/user") != before);
	CHECK(inside_end(&in) == 0);
	CHECK(close(fd) == 0);
}

static void the_owner_enters(void)
{
	in_own(enters);
	in_own(enters_by_pidfd);
}

static void another_cannot(void)
{
	struct inside in;
	int fd;

	inside_start(&in, waits);
	fd = open_of(in.pid, "ns/user", O_RDONLY);
	become_user();
	FAILS(EPERM, setns(fd, CLONE_NEWUSER));
	CHECK(inside_end(&in) == 0);
}

static void nobody_else_does(void)
{
	if (geteuid() == 0 && may_unshare_user())
		CHECK(in_child(another_cannot) == 0);
}

static void exec_checks(int argc, char **argv)
{
	if (argc != 2)
		return;
	if (strcmp(argv[1], "caps") == 0) {
		CHECK(cap_line("CapEff:") == 0 && cap_line("CapPrm:") == 0);
		CHECK(cap_line("CapBnd:") == ALL_CAPS);
		_exit(0);
	}
	if (strcmp(argv[1], "all-caps") == 0) {
		CHECK(cap_line("CapEff:") == ALL_CAPS && cap_line("CapPrm:") == ALL_CAPS);
		_exit(0);
	}
	if (strcmp(argv[1], "limits") == 0) {
		FAILS(EACCES, open("/proc/sys/user/max_user_namespaces", O_WRONLY));
		_exit(0);
	}
}

static __attribute__((constructor)) void before(int argc, char **argv)
{
	exec_checks(argc, argv);
}

RUN(TEST(it_begins_with_capabilities), TEST(exec_counts_the_root_of_it),
    TEST(clone_and_threads), TEST(clone3_does_it_too), TEST(they_nest_32_deep),
    TEST(as_many_as_the_limit_says), TEST(limits_are_set_with_a_capability),
    TEST(not_in_a_chroot), TEST(nobody_makes_none), TEST(lines_are_read),
    TEST(there_are_340_at_most), TEST(who_has_no_right_maps_himself),
    TEST(denied_groups_are_inherited), TEST(root_maps_anything),
    TEST(both_openers_and_writers_need_the_right), TEST(the_first_is_mapped_already),
    TEST(files_tell_relations), TEST(threads_enter_none), TEST(the_owner_enters),
    TEST(nobody_else_does))
