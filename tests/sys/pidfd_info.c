/* SPDX-License-Identifier: MIT */
/* calls: ioctl pidfd_open pidfd_send_signal process_madvise */
/* pidfd_info.c - PIDFD_GET_INFO: who a pidfd names and how that has ended; and the
 * numbers that stand for a pidfd of oneself. */
#include "fixture.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define THREAD O_EXCL
enum { PID = 1, CREDS = 2, CGROUPID = 4, EXIT = 8, COREDUMP = 16, ALWAYS = 7 };
enum { SELF = -10000, SELF_GROUP = -10001 };
enum { TO_THREAD = 1, TO_PROCESS = 2, TO_GROUP = 4 };

struct info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
	uint32_t coredump_mask, more[7];
};

static struct info info;

static int open_pid(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int ask(int fd, size_t size, uint64_t mask)
{
	memset(&info, 0x5a, sizeof(info));
	info.mask = mask;
	return ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, size), &info);
}

static void it_says_who_it_is(void)
{
	int fd = open_pid(getpid(), 0);

	CHECK(fd >= 0 && ask(fd, 64, 0) == 0); /* which needs not be asked for */
	CHECK(info.mask == ALWAYS && info.cgroupid != 0);
	CHECK(info.pid == (uint32_t)getpid() && info.tgid == info.pid);
	CHECK(info.ppid == (uint32_t)getppid() && info.exit_code == 0);
	CHECK(info.ruid == getuid() && info.euid == geteuid() && info.suid == getuid());
	CHECK(info.rgid == getgid() && info.egid == getegid() && info.sgid == getgid());
	CHECK(info.fsuid == geteuid() && info.fsgid == getegid());
	CHECK(info.coredump_mask == 0x5a5a5a5a);
	CHECK(ask(fd, 64, ALWAYS) == 0 && info.mask == ALWAYS);
	CHECK(close(fd) == 0);
}

static void its_group_is_a_directory(void)
{
	int fd = open_pid(getpid(), 0);
	char line[500], path[600];
	FILE *f = fopen("/proc/self/cgroup", "r");
	struct stat st;

	CHECK(f && fgets(line, sizeof(line), f));
	(void)fclose(f);
	line[strcspn(line, "\n")] = 0;
	if (strncmp(line, "0::/", 4) != 0) {
		printf("# not the unified hierarchy\n");
		return;
	}
	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s", line + 3);
	CHECK(ask(fd, 64, CGROUPID) == 0);
	if (stat(path, &st) == 0)
		CHECK(info.cgroupid == st.st_ino);
	CHECK(close(fd) == 0);
}

/* What is not known is left out; what the caller knows beyond is zero. */
static void the_structure_may_grow(void)
{
	int fd = open_pid(getpid(), 0);

	CHECK(ask(fd, sizeof(info), ALWAYS) == 0);
	CHECK(info.mask == ALWAYS && info.more[6] == 0);
	CHECK(ask(fd, sizeof(info), ~0ULL) == 0 &&
	      (info.mask & 0x1f) == (ALWAYS | COREDUMP));
	CHECK(!(info.mask & 0xffffffff00000000));
	FAILS(ENOTTY, ask(fd, 63, ALWAYS));
	FAILS(ENOTTY, ask(fd, 0, ALWAYS));
	FAILS(ENOTTY, ioctl(fd, _IOC(_IOC_READ, 0xff, 11, 64), &info));
	FAILS(ENOTTY, ioctl(fd, _IOC(_IOC_WRITE, 0xff, 11, 64), &info));
	FAILS(ENOTTY, ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xfe, 11, 64), &info));
	FAILS(EINVAL, ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64), NULL));
	FAILS(EFAULT, ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64), (void *)8));
	CHECK(close(fd) == 0);
}

static void whether_there_would_be_a_core(void)
{
	int fd = open_pid(getpid(), 0);

	CHECK(ask(fd, 72, COREDUMP) == 0 && info.coredump_mask == 4);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	CHECK(ask(fd, 72, COREDUMP) == 0 && info.coredump_mask == 2);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	CHECK(close(fd) == 0);
}

static void end_by_signal(void)
{
	pause();
}

static void end_with_three(void)
{
	_exit(3);
}

static void how_it_ended_is_told_once_it_was_waited_for(void)
{
	pid_t pid = child_start(end_by_signal);
	int fd = open_pid(pid, 0);
	siginfo_t si;

	CHECK(ask(fd, 64, EXIT) == 0 && info.mask == ALWAYS);
	CHECK(info.pid == (uint32_t)pid && info.ppid == (uint32_t)getpid());
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) == 0);
	CHECK(ask(fd, 72, EXIT | COREDUMP) == 0 && info.mask == (ALWAYS | COREDUMP));
	CHECK(info.pid == (uint32_t)pid && info.coredump_mask == 0);
	CHECK(info.exit_code == 0 && info.ruid == getuid());
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(ask(fd, 64, EXIT) == 0 && info.mask == (EXIT | CGROUPID));
	CHECK(info.exit_code == SIGKILL && info.pid == 0 && info.cgroupid != 0);
	FAILS(ESRCH, ask(fd, 64, ALWAYS));
	FAILS(ESRCH, ask(fd, 72, COREDUMP));
	CHECK(close(fd) == 0);
	pid = child_start(end_with_three);
	fd = open_pid(pid, 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(ask(fd, 64, EXIT | PID) == 0 && info.exit_code == 3 << 8);
	CHECK(close(fd) == 0);
}

static volatile pid_t tid;
static volatile bool end;

static void *wait_for_end(void *arg)
{
	(void)arg;
	tid = (pid_t)syscall(SYS_gettid);
	while (!end)
		usleep(1000);
	syscall(SYS_exit, 7);
	return NULL;
}

static void threads_have_their_own(void)
{
	pthread_t thread;
	int fd;

	tid = 0;
	end = false;
	CHECK(pthread_create(&thread, NULL, wait_for_end, NULL) == 0);
	while (!tid)
		usleep(1000);
	fd = open_pid(tid, THREAD);
	CHECK(fd >= 0 && ask(fd, 64, EXIT) == 0 && info.mask == ALWAYS);
	CHECK(info.pid == (uint32_t)tid && info.tgid == (uint32_t)getpid());
	CHECK(info.ppid == (uint32_t)getppid());
	end = true;
	CHECK(pthread_join(thread, NULL) == 0);
	for (int i = 0; i < 20000 && ask(fd, 64, PID) == 0; i++)
		usleep(1000);
	FAILS(ESRCH, ask(fd, 64, PID));
	CHECK(ask(fd, 64, EXIT) == 0 && info.exit_code == 7 << 8);
	CHECK(close(fd) == 0);
}

/* ---- oneself ---- */

static volatile pid_t got_by;
static volatile int got_code;

static void on_signal(int sig, siginfo_t *si, void *context)
{
	(void)sig, (void)context;
	got_code = si->si_code;
	got_by = (pid_t)syscall(SYS_gettid);
}

static long tell(int fd, siginfo_t *si, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, SIGUSR1, si, flags);
}

static void *tell_oneself(void *arg)
{
	pid_t self = (pid_t)syscall(SYS_gettid);
	siginfo_t si = {.si_signo = SIGUSR1};

	(void)arg;
	CHECK(tell(SELF, NULL, 0) == 0 && got_by == self && got_code == SI_TKILL);
	got_by = 0;
	CHECK(tell(SELF, NULL, TO_THREAD) == 0 && got_by == self);
	got_by = 0;
	CHECK(tell(SELF, NULL, TO_PROCESS) == 0);
	while (!got_by) /* the first thread may have it */
		usleep(1000);
	CHECK(got_code == SI_USER);
	got_by = 0;
	CHECK(tell(SELF_GROUP, NULL, 0) == 0);
	while (!got_by)
		usleep(1000);
	got_by = 0;
	CHECK(tell(SELF_GROUP, NULL, TO_THREAD) == 0);
	while (!got_by)
		usleep(1000);
	CHECK(got_by == getpid());
	si.si_code = SI_TKILL;
	CHECK(tell(SELF, &si, 0) == 0);
	FAILS(EPERM, tell(SELF_GROUP, &si, 0));
	FAILS(ESRCH, tell(SELF, NULL, TO_GROUP));
	FAILS(EINVAL, tell(SELF, NULL, 3));
	FAILS(EINVAL, tell(SELF, NULL, 8));
	return NULL;
}

static void signals_to_oneself_need_no_descriptor(void)
{
	struct sigaction sa = {.sa_sigaction = on_signal,
			       .sa_flags = SA_SIGINFO | SA_RESTART};
	pthread_t thread;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, tell_oneself, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	got_by = 0;
	CHECK(tell(SELF, NULL, 0) == 0 && got_by == getpid());
	got_by = 0;
	CHECK(tell(SELF_GROUP, NULL, 0) == 0 && got_by == getpid());
	FAILS(EBADF, tell(-10002, NULL, 0));
}

static void advice_to_oneself_needs_no_descriptor(void)
{
	struct iovec v = {mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			  PAGE};

	CHECK(v.iov_base != MAP_FAILED);
	*(char *)v.iov_base = 1;
	CHECK(syscall(SYS_process_madvise, SELF, &v, 1, MADV_DONTNEED, 0) == PAGE);
	CHECK(*(char *)v.iov_base == 0);
	CHECK(syscall(SYS_process_madvise, SELF_GROUP, &v, 1, MADV_COLD, 0) == PAGE);
	FAILS(EBADF, syscall(SYS_process_madvise, -10002, &v, 1, MADV_COLD, 0));
	FAILS(EINVAL, syscall(SYS_process_mrelease, SELF, 0));
	FAILS(EBADF, syscall(SYS_pidfd_getfd, SELF, 0, 0));
	FAILS(EBADF, syscall(SYS_setns, SELF, CLONE_NEWUTS));
}

RUN(TEST(it_says_who_it_is), TEST(its_group_is_a_directory), TEST(the_structure_may_grow),
    TEST(whether_there_would_be_a_core),
    TEST(how_it_ended_is_told_once_it_was_waited_for), TEST(threads_have_their_own),
    TEST(signals_to_oneself_need_no_descriptor),
    TEST(advice_to_oneself_needs_no_descriptor))
