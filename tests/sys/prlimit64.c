/* SPDX-License-Identifier: MIT */
/* calls: prlimit64 getrlimit setrlimit */
/* prlimit64.c - resource limits: told, changed, inherited, and in force. */
#include "proc.h"

static void all_can_be_read(void)
{
	for (int i = 0; i < 16; i++) {
		struct rlimit a;
		struct rlimit b;

		CHECK(syscall(SYS_getrlimit, i, &a) == 0);
		CHECK(syscall(SYS_prlimit64, 0, i, NULL, &b) == 0);
		CHECK(a.rlim_cur == b.rlim_cur && a.rlim_max == b.rlim_max);
		CHECK(a.rlim_cur <= a.rlim_max);
	}
}

static void soft_moves_up_to_hard(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {50, 100};
		struct rlimit old;

		CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
		lim.rlim_cur = 100;
		CHECK(prlimit(0, RLIMIT_NOFILE, &lim, &old) == 0);
		CHECK(old.rlim_cur == 50 && old.rlim_max == 100);
		CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0 && old.rlim_cur == 100);
		lim.rlim_cur = 101;
		FAILS(EINVAL, setrlimit(RLIMIT_NOFILE, &lim));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void only_root_raises_hard(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {50, 100};

		CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
		lim.rlim_max = 200;
		if (geteuid() == 0) {
			/* without CAP_SYS_RESOURCE, root cannot either */
			CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0 || errno == EPERM);
			CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
			lim.rlim_max = 300;
		}
		FAILS(EPERM, setrlimit(RLIMIT_NOFILE, &lim));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void another_process_can_be_limited(void)
{
	int p[2];
	char c = 'g';

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		struct rlimit now;

		CHECK(read(p[0], &c, 1) == 1);
		CHECK(getrlimit(RLIMIT_FSIZE, &now) == 0);
		_exit(now.rlim_cur == 4242 && now.rlim_max == 4343 ? 3 : 1);
	}
	struct rlimit lim = {4242, 4343};
	struct rlimit now;
	CHECK(prlimit(pid, RLIMIT_FSIZE, &lim, NULL) == 0);
	CHECK(prlimit(pid, RLIMIT_FSIZE, NULL, &now) == 0 && now.rlim_cur == 4242);
	CHECK(getrlimit(RLIMIT_FSIZE, &now) == 0 && now.rlim_cur != 4242);
	CHECK(write(p[1], &c, 1) == 1);
	WAIT_EXIT(pid, 3);
	close(p[0]);
	close(p[1]);
}

static void others_limits_are_protected(void)
{
	pid_t parent = getpid();

	CHILD(pid)
	{
		struct rlimit now;

		if (geteuid() != 0)
			_exit(0);
		CHECK(syscall(SYS_setresuid, 48210, 48210, 48210) == 0);
		FAILS(EPERM, prlimit(parent, RLIMIT_NOFILE, NULL, &now));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void refusals(void)
{
	struct rlimit lim = {1, 1};

	FAILS(EINVAL, syscall(SYS_getrlimit, 16, &lim));
	FAILS(EINVAL, syscall(SYS_getrlimit, -1, &lim));
	FAILS(EINVAL, syscall(SYS_setrlimit, 16, &lim));
	FAILS(EINVAL, syscall(SYS_prlimit64, 0, 16, NULL, &lim));
	FAILS(ESRCH, syscall(SYS_prlimit64, 0x3ffffffe, RLIMIT_NOFILE, NULL, &lim));
	FAILS(EFAULT, syscall(SYS_getrlimit, RLIMIT_NOFILE, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_setrlimit, RLIMIT_NOFILE, KERNEL_PTR));
	FAILS(EFAULT, syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, BAD_PTR, NULL));
}

static void descriptors_are_limited(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {20, 20};

		CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
		while (dup(1) >= 0)
			;
		CHECK(errno == EMFILE);
		CHECK(fcntl(19, F_GETFD) == 0);
		FAILS(EBADF, dup2(1, 20));
		FAILS(EINVAL, fcntl(1, F_DUPFD, 20));
		FAILS(EMFILE, open("/dev/null", O_RDONLY));
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void file_size_is_limited(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {10, 10};
		char name[64];
		int fd;

		snprintf(name, sizeof(name), "rlimit-%d", getpid());
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		CHECK(fd >= 0 && unlink(name) == 0);
		CHECK(setrlimit(RLIMIT_FSIZE, &lim) == 0);
		handle(SIGXFSZ, count, 0);
		CHECK(write(fd, "0123456789abcdef", 16) == 10);
		CHECK(got == 0);
		errno = 0;
		CHECK(write(fd, "x", 1) == -1 && errno == EFBIG && got == 1);
		CHECK(ftruncate(fd, 11) == -1 && errno == EFBIG && got == 2);
		handle(SIGXFSZ, SIG_DFL, 0);
		CHECK(write(fd, "x", 1) == 0);
		_exit(0);
	}
	WAIT_SIGNAL(pid, SIGXFSZ);
}

static void address_space_is_limited(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {256 << 20, 256 << 20};

		CHECK(setrlimit(RLIMIT_AS, &lim) == 0);
		CHECK(mmap(NULL, 512 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0) == MAP_FAILED);
		CHECK(errno == ENOMEM);
		CHECK(malloc(300 << 20) == NULL);
		_exit(0);
	}
	WAIT_EXIT(pid, 0);
}

static void processor_time_is_limited(void)
{
	CHILD(pid)
	{
		struct rlimit lim = {1, 5};
		volatile unsigned long n = 0;

		CHECK(setrlimit(RLIMIT_CPU, &lim) == 0);
		for (;;)
			n++;
	}
	WAIT_SIGNAL(pid, SIGXCPU);
}

RUN(TEST(all_can_be_read), TEST(soft_moves_up_to_hard), TEST(only_root_raises_hard),
    TEST(another_process_can_be_limited), TEST(others_limits_are_protected),
    TEST(refusals), TEST(descriptors_are_limited), TEST(file_size_is_limited),
    TEST(address_space_is_limited), TEST(processor_time_is_limited))
