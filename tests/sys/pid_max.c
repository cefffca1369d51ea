/* SPDX-License-Identifier: MIT */
/* calls: fork clone clone3 */
/* native: skip */
/* user: skip */
/* pid_max.c - kernel.pid_max and kernel.threads-max: how many tasks there may be and what
 * ids they get. They are the whole machine's, so that only a sandbox can be asked. */
#include "fixture.h"

#include <linux/sched.h>
#include <sched.h>

#define MOST 0x3fffffff

static void set(const char *name, long value)
{
	char path[100], text[30];

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	snprintf(text, sizeof(text), "%ld", value);
	file_put(path, text);
}

/* The next new id is the first free one from here on. */
static void ids_go_on_at(pid_t id)
{
	set("ns_last_pid", id - 1);
}

static int tasks(void)
{
	int n = 0;

	CHECK(sscanf(file_get("/proc/loadavg"), "%*f %*f %*f %*d/%d", &n) == 1 && n > 0);
	return n;
}

static void sleep_on(void)
{
	for (;;)
		pause();
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	child_wait(pid);
}

static long clone_with_id(pid_t id)
{
	struct clone_args a = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&id, .set_tid_size = 1};
	long pid = syscall(SYS_clone3, &a, sizeof(a));

	if (pid == 0)
		_exit(0);
	return pid;
}

/* ---- kernel.threads-max ---- */

static void *stay(void *arg)
{
	pthread_barrier_wait(arg);
	pthread_barrier_wait(arg);
	return NULL;
}

static void there_may_be_so_many_tasks(void)
{
	pid_t child[8];
	siginfo_t info;

	set("threads-max", tasks() + 8);
	for (int i = 0; i < 8; i++)
		child[i] = child_start(sleep_on);
	FAILS(EAGAIN, fork());
	FAILS(EAGAIN, syscall(SYS_vfork));
	FAILS(EAGAIN, clone_with_id(getpid()));
	/* What never is right is wrong before. */
	FAILS(EINVAL, syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
	/* Somebody who has ended counts until he is waited for. */
	CHECK(kill(child[0], SIGKILL) == 0);
	CHECK(waitid(P_PID, (id_t)child[0], &info, WEXITED | WNOWAIT) == 0);
	FAILS(EAGAIN, fork());
	child_wait(child[0]);
	child[0] = child_start(sleep_on);
	FAILS(EAGAIN, fork());
	for (int i = 0; i < 8; i++)
		end(child[i]);
}

static void threads_count(void)
{
	pthread_barrier_t barrier;
	pthread_t one, two;

	CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
	set("threads-max", tasks() + 1);
	CHECK(pthread_create(&one, NULL, stay, &barrier) == 0);
	pthread_barrier_wait(&barrier);
	CHECK(pthread_create(&two, NULL, stay, &barrier) == EAGAIN);
	FAILS(EAGAIN, fork());
	pthread_barrier_wait(&barrier);
	CHECK(pthread_join(one, NULL) == 0); /* which may count a moment longer */
	set("threads-max", MOST);
}

static void those_that_are_stay(void)
{
	pid_t child = child_start(sleep_on);

	set("threads-max", 1);
	FAILS(EAGAIN, fork());
	CHECK(kill(child, 0) == 0);
	end(child);
	FAILS(EAGAIN, fork());
	set("threads-max", MOST);
	CHECK(file_is("/proc/sys/kernel/threads-max", "1073741823\n"));
	end(child_start(sleep_on));
}

/* ---- kernel.pid_max ---- */

static void ids_are_below_and_wrap(void)
{
	pid_t pid;
	int fd;

	set("pid_max", 400);
	ids_go_on_at(399);
	pid = child_start(sleep_on);
	CHECK(pid == 399);
	for (int i = 0; i < 200; i++) {
		pid_t next = child_start(sleep_on);

		CHECK(next >= 300 && next < 399);
		end(next);
	}
	end(pid);
	errno = 0;
	CHECK(clone_with_id(400) == -1 && errno == EINVAL);
	CHECK(clone_with_id(100) == 100 && child_wait(100) == 0);
	fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
	FAILS(EINVAL, write(fd, "401", 3));
	close(fd);
}

static void none_is_left(void)
{
	pid_t child[100];
	int n = 0;

	set("pid_max", 340);
	ids_go_on_at(339);
	for (; n < 100; n++) {
		fflush(stdout);
		child[n] = fork();
		if (child[n] == 0)
			sleep_on();
		if (child[n] < 0)
			break;
		CHECK(child[n] >= 300 && child[n] < 340);
	}
	CHECK(errno == EAGAIN && n == 40);
	FAILS(EAGAIN, fork());
	end(child[20]);
	CHECK(child_start(sleep_on) == child[20]);
	FAILS(EAGAIN, fork());
	/* Those that are above stay. */
	set("pid_max", 301);
	CHECK(kill(child[0], 0) == 0);
	set("pid_max", 4194304);
	for (int i = 0; i < n; i++)
		end(child[i]);
}

/* A group whose leader has ended: its id goes to nobody. Who is left in it, stored by
 * the leader. */
static volatile pid_t *left;

static void leader_of_group(void)
{
	CHECK(setpgid(0, 0) == 0);
	*left = child_start(sleep_on);
}

/* A session, too, whose own group is empty. */
static void leader_of_session(void)
{
	pid_t child;

	CHECK(setsid() == getpid());
	child = child_start(sleep_on);
	CHECK(setpgid(child, 0) == 0);
	*left = child;
}

static void groups_and_sessions_keep_theirs(void)
{
	void (*const leaders[])(void) = {leader_of_group, leader_of_session};

	left = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	CHECK(left != MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		pid_t pid;

		set("pid_max", 400);
		ids_go_on_at(300);
		pid = child_start(leaders[i]);
		CHECK(pid == 300 && child_wait(pid) == 0);
		ids_go_on_at(pid);
		end(child_start(sleep_on)); /* not that one */
		errno = 0;
		CHECK(clone_with_id(pid) == -1 && errno == EEXIST);
		/* It is the only one: */
		set("pid_max", 301);
		ids_go_on_at(301);
		FAILS(EAGAIN, fork());
		CHECK(kill(*left, SIGKILL) == 0);
		while (kill(*left, 0) == 0) /* its parent is init now */
			sleep_ms(1);
		CHECK(child_start(sleep_on) == pid);
		end(pid);
	}
	set("pid_max", 4194304);
}

RUN(TEST(there_may_be_so_many_tasks), TEST(threads_count), TEST(those_that_are_stay),
    TEST(ids_are_below_and_wrap), TEST(none_is_left),
    TEST(groups_and_sessions_keep_theirs))
