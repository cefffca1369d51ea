/* SPDX-License-Identifier: MIT */
/* files */
/* Record locks: those of processes and those of open descriptions. */
/* calls: fcntl */
#include "asleep.h"
#include "fixture.h"

static int fd;

static int lock(int f, int cmd, short type, off_t start, off_t len)
{
	struct flock l = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(f, cmd, &l);
}

/* Who blocks a lock of this type? 0 for nobody, else the holder's id. */
static pid_t blocker(int f, short type, off_t start, off_t len)
{
	struct flock l = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	CHECK(fcntl(f, F_GETLK, &l) == 0);
	return l.l_type == F_UNLCK ? 0 : l.l_pid;
}

static void child_sees(void)
{
	CHECK(blocker(fd, F_RDLCK, 0, 10) == getppid());
	CHECK(blocker(fd, F_RDLCK, 10, 10) == 0 &&
	      blocker(fd, F_WRLCK, 10, 10) == getppid());
	CHECK(blocker(fd, F_WRLCK, 30, 0) == 0);
	FAILS(EAGAIN, lock(fd, F_SETLK, F_RDLCK, 5, 1));
	FAILS(EAGAIN, lock(fd, F_SETLK, F_WRLCK, 15, 1));
	CHECK(lock(fd, F_SETLK, F_RDLCK, 15, 1) == 0);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 40, 0) == 0);
}

static void bind_other_processes(void)
{
	file_put("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
	CHECK(lock(fd, F_SETLK, F_RDLCK, 10, 10) == 0);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 3, 2) == 0 && blocker(fd, F_WRLCK, 0, 0) == 0);
	CHECK(in_child(child_sees) == 0);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
}

static void child_sees_the_middle_free(void)
{
	CHECK(blocker(fd, F_WRLCK, 3, 4) == 0);
	CHECK(blocker(fd, F_WRLCK, 2, 1) == getppid());
	CHECK(blocker(fd, F_WRLCK, 7, 1) == getppid());
}

static void unlocking_the_middle_splits(void)
{
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 3, 4) == 0);
	CHECK(in_child(child_sees_the_middle_free) == 0);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
}

static void child_sees_nothing(void)
{
	CHECK(blocker(fd, F_WRLCK, 0, 0) == 0);
}

static void closing_any_descriptor_drops_them(void)
{
	int other = open("f", O_RDONLY);

	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && close(other) == 0);
	CHECK(in_child(child_sees_nothing) == 0);
}

static void child_locks_and_leaves(void)
{
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
}

static void exit_drops_them(void)
{
	CHECK(in_child(child_locks_and_leaves) == 0);
	CHECK(blocker(fd, F_WRLCK, 0, 0) == 0);
}

static void child_holds_for_a_while(void)
{
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	CHECK(pwrite(fd, "L", 1, 0) == 1);
	sleep_ms(100);
	CHECK(pwrite(fd, "U", 1, 0) == 1);
}

static void waits_until_the_holder_is_gone(void)
{
	pid_t pid;
	char c = 0;

	CHECK(pwrite(fd, "0", 1, 0) == 1);
	pid = child_start(child_holds_for_a_while);
	while (pread(fd, &c, 1, 0) == 1 && c == '0')
		sleep_ms(1);
	CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
	CHECK(pread(fd, &c, 1, 0) == 1 && c == 'U');
	CHECK(child_wait(pid) == 0 && lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
}

static void child_holds(void)
{
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	CHECK(pwrite(fd, "L", 1, 0) == 1);
	for (;;)
		pause();
}

static void waiting_is_interrupted(void)
{
	struct interrupter in;
	char c = '0';
	pid_t pid;

	CHECK(pwrite(fd, "0", 1, 0) == 1);
	pid = child_start(child_holds);
	while (pread(fd, &c, 1, 0) == 1 && c == '0')
		sleep_ms(1);
	interrupt_start(&in, 0, -1);
	FAILS(EINTR, lock(fd, F_SETLKW, F_WRLCK, 0, 1));
	interrupt_stop(&in);
	CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
}

static int ready[2];

static void child_wants_the_first(void)
{
	char c;

	CHECK(lock(fd, F_SETLK, F_WRLCK, 1, 1) == 0 && write(ready[1], "r", 1) == 1);
	CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0 || errno == EDEADLK);
	(void)c;
}

static void deadlock_is_found(void)
{
	pid_t pid;
	char c;
	int r;

	CHECK(pipe(ready) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	pid = child_start(child_wants_the_first);
	CHECK(read(ready[0], &c, 1) == 1);
	await_sleep(pid);
	r = lock(fd, F_SETLKW, F_WRLCK, 1, 1);
	CHECK(r == -1 && errno == EDEADLK);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0 && child_wait(pid) == 0);
}

static void descriptions_lock_against_each_other(void)
{
	int other = open("f", O_RDWR), d = dup(fd);
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
	CHECK(lock(d, F_OFD_SETLK, F_RDLCK, 0, 0) == 0);
	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
	FAILS(EAGAIN, lock(other, F_OFD_SETLK, F_RDLCK, 0, 0));
	CHECK(fcntl(other, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == -1);
	CHECK(close(d) == 0);
	FAILS(EAGAIN, lock(other, F_OFD_SETLK, F_RDLCK, 0, 0));
	CHECK(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(lock(other, F_OFD_SETLK, F_RDLCK, 0, 0) == 0 && close(other) == 0);
}

static void child_uses_the_description(void)
{
	CHECK(lock(fd, F_OFD_SETLK, F_RDLCK, 0, 0) == 0);
	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
}

static void children_share_description_locks(void)
{
	int other = open("f", O_RDWR);

	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
	CHECK(in_child(child_uses_the_description) == 0);
	FAILS(EAGAIN, lock(other, F_OFD_SETLK, F_RDLCK, 0, 0));
	CHECK(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0) == 0 && close(other) == 0);
}

static void documented_errors(void)
{
	int ro = open("f", O_RDONLY), wo = open("f", O_WRONLY);
	struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_pid = 1};

	FAILS(EBADF, lock(ro, F_SETLK, F_WRLCK, 0, 0));
	FAILS(EBADF, lock(wo, F_SETLK, F_RDLCK, 0, 0));
	FAILS(EINVAL, lock(fd, F_SETLK, 77, 0, 0));
	FAILS(EINVAL, lock(fd, F_SETLK, F_RDLCK, -1, 0));
	FAILS(EINVAL, fcntl(fd, F_OFD_SETLK, &l));
	l.l_whence = 9;
	FAILS(EINVAL, fcntl(fd, F_SETLK, &l));
	FAILS(EBADF, lock(-1, F_SETLK, F_RDLCK, 0, 0));
	CHECK(close(ro) == 0 && close(wo) == 0);
}

RUN(TEST(bind_other_processes), TEST(unlocking_the_middle_splits),
    TEST(closing_any_descriptor_drops_them), TEST(exit_drops_them),
    TEST(waits_until_the_holder_is_gone), TEST(waiting_is_interrupted),
    TEST(deadlock_is_found), TEST(descriptions_lock_against_each_other),
    TEST(children_share_description_locks), TEST(documented_errors))
