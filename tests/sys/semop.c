/* SPDX-License-Identifier: MIT */
/* Semaphore operations: all or none, waiting, order, SEM_UNDO. */
#include "sysv.h"

#include <sched.h>

#define KCMP_SYSVSEM 6

static int set;

static void all_are_done_or_none(void)
{
	struct sembuf up_and_fail[] = {{0, 5, 0}, {1, 2, 0}, {2, -1, IPC_NOWAIT}};
	struct sembuf through_zero[] = {
		{0, 3, 0}, {0, -3, 0}, {0, 0, IPC_NOWAIT}, {0, 1, 0}};
	struct sembuf first_blocks[] = {{2, -1, 0}, {0, -1, IPC_NOWAIT}};
	struct sembuf out_of_range[] = {{1, 1, 0}, {0, 32767, 0}};

	set = made_set(3);
	FAILS(EAGAIN, semop(set, up_and_fail, 3));
	CHECK(sem_get(set, 0) == 0 && sem_get(set, 1) == 0 && sem_get(set, 2) == 0);
	CHECK(semctl(set, 0, GETPID) == 0);
	CHECK(semop(set, up_and_fail, 2) == 0 && sem_get(set, 0) == 5 &&
	      sem_get(set, 1) == 2);
	CHECK(semctl(set, 0, GETPID) == getpid() && semctl(set, 2, GETPID) == 0);
	CHECK(sem_do(set, 0, -5, 0) == 0);
	CHECK(semop(set, through_zero, 4) == 0 && sem_get(set, 0) == 1);
	FAILS(ERANGE, semop(set, out_of_range, 2));
	CHECK(sem_get(set, 0) == 1 && sem_get(set, 1) == 2);
	CHECK(sem_set(set, 2, 1) == 0 && sem_set(set, 0, 0) == 0);
	FAILS(EAGAIN, semop(set, first_blocks, 2));
	CHECK(sem_get(set, 2) == 1);
	/* A wait for zero that is over leaves its mark too. */
	CHECK(sem_do(set, 0, 0, 0) == 0 && semctl(set, 0, GETPID) == getpid());
}

static void wrong_calls(void)
{
	struct sembuf ops[501];
	struct sembuf one = {0, 1, 0};
	int id = made_set(2);

	memset(ops, 0, sizeof(ops));
	FAILS(EINVAL, semop(id, &one, 0));
	FAILS(E2BIG, semop(id, ops, 501));
	CHECK(semop(id, ops, 500) == 0);
	FAILS(EFBIG, sem_do(id, 2, 1, 0));
	FAILS(EINVAL, semop(-1, &one, 1));
	FAILS(EINVAL, semop(0x7fffffff, &one, 1));
	FAILS(EAGAIN, sem_do(id, 0, -1, IPC_NOWAIT));
	CHECK(sem_set(id, 0, 1) == 0);
	FAILS(EAGAIN, sem_do(id, 0, 0, IPC_NOWAIT));
	FAILS(ERANGE, sem_do(id, 0, 32767, 0));
	CHECK(sem_do(id, 0, 32766, 0) == 0 && sem_get(id, 0) == 32767);
	FOR_BAD(p)
	FAILS(EFAULT, semop(id, p, 1));
	FAILS(EFAULT, semop(id, (struct sembuf *)(page_edge() - 3), 1));
	/* More than a few come from other memory. */
	for (int i = 0; i < 200; i++)
		ops[i] = (struct sembuf){1, 1, 0};
	CHECK(semop(id, ops, 200) == 0 && sem_get(id, 1) == 200);
}

static void take_one(void)
{
	CHECK(sem_do(set, 0, -1, 0) == 0);
}

static void wait_for_zero(void)
{
	CHECK(sem_do(set, 0, 0, 0) == 0);
}

static void waiters_are_woken(void)
{
	pid_t a, b, z;

	set = made_set(1);
	a = child_start(take_one);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	b = child_start(take_one);
	CHECK(sem_await(set, 0, GETNCNT, 2) == 0 && semctl(set, 0, GETZCNT) == 0);
	CHECK(sem_do(set, 0, 1, 0) == 0);
	CHECK(child_wait(a) == 0);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0 && sem_get(set, 0) == 0);
	CHECK(sem_do(set, 0, 3, 0) == 0 && child_wait(b) == 0 && sem_get(set, 0) == 2);
	z = child_start(wait_for_zero);
	CHECK(sem_await(set, 0, GETZCNT, 1) == 0 && semctl(set, 0, GETNCNT) == 0);
	CHECK(sem_do(set, 0, -1, 0) == 0 && semctl(set, 0, GETZCNT) == 1);
	CHECK(sem_do(set, 0, -1, 0) == 0 && child_wait(z) == 0);
	CHECK(semctl(set, 0, GETPID) == z);
}

static int amount;

static void take_amount(void)
{
	CHECK(sem_do(set, 0, -amount, 0) == 0);
}

/* The oldest that can go on does, though it wants more than a younger one. */
static void the_oldest_goes_first(void)
{
	pid_t first, second, third;

	set = made_set(1);
	amount = 3;
	first = child_start(take_amount);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	amount = 2;
	second = child_start(take_amount);
	CHECK(sem_await(set, 0, GETNCNT, 2) == 0);
	amount = 1;
	third = child_start(take_amount);
	CHECK(sem_await(set, 0, GETNCNT, 3) == 0);
	CHECK(sem_do(set, 0, 2, 0) == 0 && child_wait(second) == 0);
	CHECK(semctl(set, 0, GETNCNT) == 2 && sem_get(set, 0) == 0);
	CHECK(sem_do(set, 0, 3, 0) == 0 && child_wait(first) == 0);
	CHECK(semctl(set, 0, GETNCNT) == 1);
	CHECK(sem_do(set, 0, 1, 0) == 0 && child_wait(third) == 0);
}

static void take_both(void)
{
	struct sembuf both[] = {{0, -1, 0}, {1, -1, 0}};

	CHECK(semop(set, both, 2) == 0);
}

/* Takes one and gives the other: whoever waits for that goes on in turn. */
static void pass_on(void)
{
	struct sembuf pass[] = {{0, -1, 0}, {1, 1, 0}};

	CHECK(semop(set, pass, 2) == 0);
}

static void take_second(void)
{
	CHECK(sem_do(set, 1, -1, 0) == 0);
}

static void one_wakes_the_next(void)
{
	pid_t last, passer, both;

	set = made_set(2);
	last = child_start(take_second);
	CHECK(sem_await(set, 1, GETNCNT, 1) == 0);
	passer = child_start(pass_on);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(sem_do(set, 0, 1, 0) == 0);
	CHECK(child_wait(passer) == 0 && child_wait(last) == 0);
	CHECK(sem_get(set, 0) == 0 && sem_get(set, 1) == 0);
	/* Counted where it is blocked. */
	both = child_start(take_both);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0 && semctl(set, 1, GETNCNT) == 0);
	CHECK(sem_do(set, 0, 1, 0) == 0 && sem_get(set, 0) == 1);
	CHECK(sem_await(set, 1, GETNCNT, 1) == 0 && semctl(set, 0, GETNCNT) == 0);
	CHECK(sem_do(set, 1, 1, 0) == 0 && child_wait(both) == 0);
	CHECK(sem_get(set, 0) == 0 && sem_get(set, 1) == 0);
}

static void is_removed(void)
{
	FAILS(EIDRM, sem_do(set, 0, -1, 0));
}

static void removal_ends_waits(void)
{
	pid_t a, b;

	set = made_set(1);
	a = child_start(is_removed);
	b = child_start(is_removed);
	CHECK(sem_await(set, 0, GETNCNT, 2) == 0);
	CHECK(semctl(set, 0, IPC_RMID) == 0);
	CHECK(child_wait(a) == 0 && child_wait(b) == 0);
	FAILS(EINVAL, sem_do(set, 0, 1, 0));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void is_interrupted(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	FAILS(EINTR, sem_do(set, 0, -1, 0));
}

static void is_stopped(void)
{
	FAILS(EINTR, sem_do(set, 0, -1, 0));
}

/* Also with SA_RESTART, and by a stop and its end. */
static void signals_end_waits(void)
{
	pid_t child;
	int status;

	set = made_set(1);
	child = child_start(is_interrupted);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(kill(child, SIGUSR1) == 0 && child_wait(child) == 0);
	CHECK(semctl(set, 0, GETNCNT) == 0);
	child = child_start(is_stopped);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(kill(child, SIGSTOP) == 0);
	CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	CHECK(kill(child, SIGCONT) == 0 && child_wait(child) == 0);
	child = child_start(take_one);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(child_wait(child) == SIGKILL && semctl(set, 0, GETNCNT) == 0);
	CHECK(sem_do(set, 0, 1, 0) == 0 && sem_get(set, 0) == 1);
}

/* ---- undo ---- */

static void take_with_undo(void)
{
	CHECK(sem_do(set, 0, -3, SEM_UNDO) == 0);
	CHECK(sem_do(set, 1, 4, SEM_UNDO) == 0);
	CHECK(sem_do(set, 2, 1, 0) == 0);
}

static void take_and_die(void)
{
	take_with_undo();
	raise(SIGKILL);
}

static void the_end_takes_back(void)
{
	pid_t child;

	set = made_set(3);
	CHECK(sem_set(set, 0, 5) == 0);
	child = child_start(take_with_undo);
	CHECK(child_wait(child) == 0);
	CHECK(sem_get(set, 0) == 5 && sem_get(set, 1) == 0 && sem_get(set, 2) == 1);
	CHECK(semctl(set, 0, GETPID) == child);
	CHECK(in_child(take_and_die) == SIGKILL);
	CHECK(sem_get(set, 0) == 5 && sem_get(set, 1) == 0 && sem_get(set, 2) == 2);
}

static void hold(void)
{
	CHECK(sem_do(set, 0, -1, SEM_UNDO) == 0);
	CHECK(sem_do(set, 1, 1, 0) == 0);
	pause();
}

static void the_end_wakes_waiters(void)
{
	pid_t holder, waiter;

	set = made_set(2);
	CHECK(sem_set(set, 0, 1) == 0);
	holder = child_start(hold);
	CHECK(sem_do(set, 1, -1, 0) == 0);
	waiter = child_start(take_one);
	CHECK(sem_await(set, 0, GETNCNT, 1) == 0);
	CHECK(kill(holder, SIGKILL) == 0);
	CHECK(child_wait(holder) == SIGKILL && child_wait(waiter) == 0);
	CHECK(sem_get(set, 0) == 0);
}

static void up_then_wait(void)
{
	CHECK(sem_do(set, 0, 2, SEM_UNDO) == 0);
	CHECK(sem_do(set, 1, -1, 0) == 0);
}

/* What is taken back cannot go below nothing, and is forgotten when the value is set. */
static void undo_is_bounded(void)
{
	unsigned short zeroes[3] = {7, 0, 0};
	pid_t child;

	set = made_set(3);
	child = child_start(up_then_wait);
	CHECK(sem_await(set, 1, GETNCNT, 1) == 0 && sem_get(set, 0) == 2);
	CHECK(sem_do(set, 0, -1, 0) == 0 && sem_do(set, 1, 1, 0) == 0);
	CHECK(child_wait(child) == 0 && sem_get(set, 0) == 0);
	child = child_start(up_then_wait);
	CHECK(sem_await(set, 1, GETNCNT, 1) == 0);
	CHECK(sem_set(set, 0, 9) == 0 && sem_do(set, 1, 1, 0) == 0);
	CHECK(child_wait(child) == 0 && sem_get(set, 0) == 9);
	child = child_start(up_then_wait);
	CHECK(sem_await(set, 1, GETNCNT, 1) == 0);
	CHECK(semctl(set, 0, SETALL, (union semun){.array = zeroes}) == 0);
	CHECK(sem_do(set, 1, 1, 0) == 0);
	CHECK(child_wait(child) == 0 && sem_get(set, 0) == 7);
}

static void undo_range(void)
{
	CHECK(sem_set(set, 0, 0) == 0);
	CHECK(sem_do(set, 0, 32767, SEM_UNDO) == 0 && sem_set(set, 1, 0) == 0);
	CHECK(sem_do(set, 0, -32767, 0) == 0);
	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0);
	FAILS(ERANGE, sem_do(set, 0, 1, SEM_UNDO));
	CHECK(sem_get(set, 0) == 1);
}

static void adjustments_have_limits(void)
{
	set = made_set(2);
	CHECK(in_child(undo_range) == 0 && sem_get(set, 0) == 0);
}

static void *thread_takes(void *arg)
{
	take_one();
	CHECK(sem_do(set, 1, 1, SEM_UNDO) == 0);
	return arg;
}

/* Threads share what is taken back: the last one's end does it. */
static void threads(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, thread_takes, NULL) == 0);
	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(sem_get(set, 1) == 1 && sem_get(set, 0) == 0);
	CHECK(sem_set(set, 0, 5) == 0);
}

static void threads_share_undo(void)
{
	set = made_set(2);
	CHECK(in_child(threads) == 0);
	CHECK(sem_get(set, 1) == 0 && sem_get(set, 0) == 5);
}

static int cloned(void *arg)
{
	(void)arg;
	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0);
	return 0;
}

static void share_by_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t child;

	CHECK(sem_do(set, 1, 1, SEM_UNDO) == 0);
	child = clone(cloned, stack + sizeof(stack), CLONE_SYSVSEM | SIGCHLD, NULL);
	CHECK(child > 0 && child_wait(child) == 0);
	CHECK(sem_get(set, 0) == 1 && sem_get(set, 1) == 1);
	child = clone(cloned, stack + sizeof(stack), SIGCHLD, NULL);
	CHECK(child > 0 && child_wait(child) == 0);
	CHECK(sem_get(set, 0) == 1 && sem_get(set, 1) == 1);
	CHECK(unshare(CLONE_SYSVSEM) == 0);
	CHECK(sem_get(set, 0) == 0 && sem_get(set, 1) == 0);
	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0);
}

static void clone_and_unshare(void)
{
	set = made_set(2);
	CHECK(in_child(share_by_clone) == 0);
	CHECK(sem_get(set, 0) == 0);
}

static long same_undo(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_SYSVSEM, 0, 0);
}

static int waits(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static void kcmp_tells(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t child;

	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0);
	child = clone(waits, stack + sizeof(stack), CLONE_SYSVSEM | SIGCHLD, NULL);
	CHECK(child > 0);
	if (same_undo(getpid(), child) < 0)
		CHECK(errno == ENOSYS || errno == EPERM);
	else
		CHECK(same_undo(getpid(), child) == 0);
	CHECK(kill(child, SIGKILL) == 0 && child_wait(child) == SIGKILL);
	child = clone(waits, stack + sizeof(stack), SIGCHLD, NULL);
	if (same_undo(getpid(), child) >= 0)
		CHECK(same_undo(getpid(), child) > 0);
	CHECK(kill(child, SIGKILL) == 0 && child_wait(child) == SIGKILL);
}

static void kcmp_knows_who_shares(void)
{
	set = made_set(1);
	CHECK(in_child(kcmp_tells) == 0 && sem_get(set, 0) == 0);
}

static void exec_keeps(void)
{
	char name[32], id[32];
	char *argv[] = {name, id, NULL};

	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0);
	snprintf(name, sizeof(name), "semop");
	snprintf(id, sizeof(id), "%d", set);
	execv("/proc/self/exe", argv);
	_exit(1);
}

static void exec_keeps_undo(void)
{
	set = made_set(1);
	CHECK(in_child(exec_keeps) == 0 && sem_get(set, 0) == 0);
}

/* A set that goes takes with it what was to be taken back. */
static void removed_under_undo(void)
{
	int other = made_set(1);

	CHECK(sem_do(set, 0, 1, SEM_UNDO) == 0 && sem_do(other, 0, 1, SEM_UNDO) == 0);
	CHECK(semctl(set, 0, IPC_RMID) == 0);
	FAILS(EINVAL, sem_do(set, 0, 1, SEM_UNDO));
	CHECK(semctl(other, 0, IPC_RMID) == 0);
}

static void removal_forgets_undo(void)
{
	set = made_set(1);
	CHECK(in_child(removed_under_undo) == 0);
}

static void otime_is_kept(void)
{
	struct semid_ds ds;

	set = made_set(1);
	CHECK(sem_do(set, 0, 0, 0) == 0);
	CHECK(semctl(set, 0, IPC_STAT, (union semun){.buf = &ds}) == 0);
	CHECK(ds.sem_otime >= time(NULL) - 5 && ds.sem_otime <= time(NULL));
}

int main(int argc, char **argv)
{
	static const struct test all[] = {
		TEST(all_are_done_or_none),    TEST(wrong_calls),
		TEST(waiters_are_woken),       TEST(the_oldest_goes_first),
		TEST(one_wakes_the_next),      TEST(removal_ends_waits),
		TEST(signals_end_waits),       TEST(the_end_takes_back),
		TEST(the_end_wakes_waiters),   TEST(undo_is_bounded),
		TEST(adjustments_have_limits), TEST(threads_share_undo),
		TEST(clone_and_unshare),       TEST(kcmp_knows_who_shares),
		TEST(exec_keeps_undo),	       TEST(removal_forgets_undo),
		TEST(otime_is_kept),
	};

	if (argc > 1) /* exec_keeps_undo */
		return sem_get(atoi(argv[1]), 0) != 1;
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
