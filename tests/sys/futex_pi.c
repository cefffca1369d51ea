/* SPDX-License-Identifier: MIT */
/* Locks whose word holds the owner's id (FUTEX_LOCK_PI): what their words are, who is
 * refused, and what other operations say of those who wait for them. */
/* calls: futex futex_wake futex_requeue */
#include "asleep.h"
#include "proc.h"

#include <linux/futex.h>

#ifndef SYS_futex_wake
#define SYS_futex_wake	  454
#define SYS_futex_requeue 456
#endif

enum { PRIVATE2 = 128, SIZE_U32 = 2 };

static struct shared {
	uint32_t word, word2, lock;
	int ready[8], go[8];
	long result[8];
} * s;

static long futex(uint32_t *addr, int op, uint32_t val, long timeout, uint32_t *addr2,
		  uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static long lock_it(uint32_t *word)
{
	return futex(word, FUTEX_LOCK_PI, 0, 0, NULL, 0);
}

/* What it says of one that is held, at once. */
static long lock_now(uint32_t *word)
{
	const struct timespec past = {1, 0};

	return futex(word, FUTEX_LOCK_PI, 0, (long)&past, NULL, 0);
}

static long trylock(uint32_t *word)
{
	return futex(word, FUTEX_TRYLOCK_PI, 0, 0, NULL, 0);
}

static long unlock(uint32_t *word)
{
	return futex(word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0);
}

static uint32_t self(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static void start(void)
{
	if (!s)
		s = share_page();
	memset(s, 0, sizeof(*s));
}

static uint32_t now(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* ---- children ---- */

/* The n-th child is about to sleep for good. */
static void going_to_sleep(int n)
{
	__atomic_store_n(&s->ready[n], 1, __ATOMIC_SEQ_CST);
}

static void await(const int *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST))
		sleep_ms(1);
}

static void wait_asleep(pid_t pid, int n)
{
	char path[64], text[256];
	char state = 0;

	await(&s->ready[n]);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 10000 && state != 'S'; i++) {
		FILE *f = fopen(path, "r");

		CHECK(f && fgets(text, sizeof(text), f));
		state = strrchr(text, ')')[2];
		(void)fclose(f);
		sleep_ms(1);
	}
	CHECK(state == 'S');
}

enum kind { PLAIN, LOCKER, MOVER };

/* The n-th child waits at s->word, whose value is known, and exits with the errno. */
static pid_t waiter(enum kind kind, int n)
{
	uint32_t value = s->word;
	pid_t pid = fork_or_die();
	long ret;

	if (pid) {
		wait_asleep(pid, n);
		return pid;
	}
	going_to_sleep(n);
	if (kind == PLAIN)
		ret = futex(&s->word, FUTEX_WAIT, value, 0, NULL, 0);
	else if (kind == LOCKER)
		ret = lock_it(&s->word);
	else
		ret = futex(&s->word, FUTEX_WAIT_REQUEUE_PI, value, 0, &s->lock, 0);
	_exit(ret ? errno : 0);
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	(void)wait_status(pid);
}

/* What a third process gets: 0 or its errno. */
static int third(long (*fn)(uint32_t *), uint32_t *word)
{
	pid_t pid = fork_or_die();
	int status;

	if (!pid)
		_exit(fn(word) ? errno : 0);
	status = wait_status(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The tid of one that is gone. */
static uint32_t nobody(void)
{
	pid_t pid = fork_or_die();

	if (!pid)
		_exit(0);
	(void)wait_status(pid);
	return (uint32_t)pid;
}

/* ---- each operation, and each kind of waiter ---- */

static long wake(void)
{
	return futex(&s->word, FUTEX_WAKE, 1, 0, NULL, 0);
}

static long wake_none(void)
{
	return futex(&s->word, FUTEX_WAKE, 0, 0, NULL, 0);
}

static long wake_bitset(void)
{
	return futex(&s->word, FUTEX_WAKE_BITSET, 1, 0, NULL, 4);
}

static long wake_op(uint32_t *one, uint32_t *two, int cmp)
{
	return futex(one, FUTEX_WAKE_OP, 1, 1, two, FUTEX_OP(FUTEX_OP_ADD, 0, cmp, -1));
}

static long wake_op_first(void)
{
	return wake_op(&s->word, &s->word2, FUTEX_OP_CMP_EQ);
}

static long wake_op_second(void)
{
	return wake_op(&s->word2, &s->word, FUTEX_OP_CMP_NE);
}

static long wake_op_second_not(void)
{
	return wake_op(&s->word2, &s->word, FUTEX_OP_CMP_EQ);
}

static long requeue(int wake_count, int count, uint32_t *to)
{
	return futex(&s->word, FUTEX_REQUEUE, (uint32_t)wake_count, count, to, 0);
}

static long requeue_wakes(void)
{
	return requeue(1, 0, &s->word2);
}

static long requeue_moves(void)
{
	return requeue(0, 1, &s->word2);
}

static long requeue_nobody(void)
{
	return requeue(0, 0, &s->word2);
}

static long requeue_to_itself(void)
{
	return requeue(0, 5, &s->word);
}

static long cmp_requeue(void)
{
	return futex(&s->word, FUTEX_CMP_REQUEUE, 0, 1, &s->word2, s->word);
}

static long cmp_requeue_not(void)
{
	return futex(&s->word, FUTEX_CMP_REQUEUE, 0, 1, &s->word2, s->word + 1);
}

static long wake2(void)
{
	return syscall(SYS_futex_wake, &s->word, 1, 1, SIZE_U32);
}

static long wake2_none(void)
{
	return syscall(SYS_futex_wake, &s->word, 1, 0, SIZE_U32);
}

static long requeue2(void)
{
	const struct futex_waitv v[2] = {
		{s->word, (uintptr_t)&s->word, SIZE_U32, 0},
		{0, (uintptr_t)&s->word2, SIZE_U32, 0},
	};

	return syscall(SYS_futex_requeue, v, 0, 0, 1);
}

static long lock_again(void)
{
	return lock_it(&s->word);
}

static long trylock_again(void)
{
	return trylock(&s->word);
}

static long give(void)
{
	return unlock(&s->word);
}

static long requeue_pi(uint32_t *to)
{
	return futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 0, to, s->word);
}

static long requeue_pi_there(void)
{
	return requeue_pi(&s->lock);
}

static long requeue_pi_elsewhere(void)
{
	return requeue_pi(&s->word2);
}

static long requeue_pi_from_nobody(void)
{
	return futex(&s->word2, FUTEX_CMP_REQUEUE_PI, 1, 1, &s->word, s->word2);
}

static long as_call(int err)
{
	errno = err;
	return err ? -1 : 0;
}

static long lock_by_third(void)
{
	return as_call(third(lock_now, &s->word));
}

static long trylock_by_third(void)
{
	return as_call(third(trylock, &s->word));
}

static long unlock_by_third(void)
{
	return as_call(third(unlock, &s->word));
}

static const struct row {
	const char *name;
	long (*op)(void);
	long want[3];
} table[] = {
	{"wake", wake, {1, -EINVAL, -EINVAL}},
	{"wake none", wake_none, {1, -EINVAL, -EINVAL}},
	{"wake bitset", wake_bitset, {1, -EINVAL, -EINVAL}},
	{"wake op, first word", wake_op_first, {1, -EINVAL, -EINVAL}},
	{"wake op, second word", wake_op_second, {1, -EINVAL, -EINVAL}},
	{"wake op, only first word", wake_op_second_not, {0, 0, 0}},
	{"requeue, wake", requeue_wakes, {1, -EINVAL, -EINVAL}},
	{"requeue", requeue_moves, {1, -EINVAL, -EINVAL}},
	{"requeue, none", requeue_nobody, {0, 0, 0}},
	{"requeue, same word", requeue_to_itself, {1, -EINVAL, -EINVAL}},
	{"cmp requeue", cmp_requeue, {1, -EINVAL, -EINVAL}},
	{"cmp requeue, other value", cmp_requeue_not, {-EAGAIN, -EAGAIN, -EAGAIN}},
	{"futex_wake", wake2, {1, -EINVAL, -EINVAL}},
	{"futex_wake, none", wake2_none, {0, 0, 0}},
	{"futex_requeue", requeue2, {1, -EINVAL, -EINVAL}},
	{"lock, owner", lock_again, {-EDEADLK, -EDEADLK, -EDEADLK}},
	{"trylock, owner", trylock_again, {-EDEADLK, -EDEADLK, -EDEADLK}},
	{"lock", lock_by_third, {-EINVAL, -ETIMEDOUT, -EINVAL}},
	{"trylock", trylock_by_third, {-EINVAL, -EAGAIN, -EINVAL}},
	{"unlock", unlock_by_third, {-EPERM, -EPERM, -EPERM}},
	{"unlock, owner", give, {-EINVAL, 0, -EINVAL}},
	{"requeue pi", requeue_pi_there, {-EINVAL, -EINVAL, 1}},
	{"requeue pi, elsewhere", requeue_pi_elsewhere, {-EINVAL, -EINVAL, -EINVAL}},
	{"requeue pi, from nobody", requeue_pi_from_nobody, {0, 0, 0}},
};

static void each_operation_and_kind_of_waiter(void)
{
	bool bad = false;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (int kind = 0; kind < 3; kind++) {
			pid_t pid;
			long got;

			start();
			s->word = self();
			pid = waiter((enum kind)kind, 0);
			got = table[i].op();
			got = got == -1 ? -errno : got;
			if (got != table[i].want[kind] && got != -ENOSYS) {
				printf("# %s, waiter %d: %ld, not %ld\n", table[i].name,
				       kind, got, table[i].want[kind]);
				bad = true;
			}
			end(pid);
		}
	}
	CHECK(!bad);
}

/* Who comes before the one that is in the way is woken or moved. */
static void what_is_done_stays_done(void)
{
	pid_t plain, locker;

	start();
	s->word = self();
	plain = waiter(PLAIN, 0);
	locker = waiter(MOVER, 1);
	FAILS(EINVAL, futex(&s->word, FUTEX_WAKE, 2, 0, NULL, 0));
	WAIT_EXIT(plain, 0);
	end(locker);

	start();
	s->word = self();
	plain = waiter(PLAIN, 0);
	locker = waiter(MOVER, 1);
	FAILS(EINVAL, requeue(0, 2, &s->word2));
	CHECK(futex(&s->word2, FUTEX_WAKE, 2, 0, NULL, 0) == 1);
	WAIT_EXIT(plain, 0);
	end(locker);

	start();
	s->word = self();
	plain = waiter(PLAIN, 0);
	locker = waiter(MOVER, 1);
	CHECK(futex(&s->word, FUTEX_WAKE, 1, 0, NULL, 0) == 1);
	CHECK(requeue(0, 0, &s->word2) == 0);
	WAIT_EXIT(plain, 0);
	end(locker);
}

/* ---- words ---- */

static void words_of_free_locks(void)
{
	static const uint32_t bits[] = {0, FUTEX_WAITERS, FUTEX_OWNER_DIED,
					FUTEX_WAITERS | FUTEX_OWNER_DIED};

	start();
	for (size_t i = 0; i < 4; i++) {
		s->word = bits[i];
		CHECK(lock_it(&s->word) == 0);
		CHECK(s->word == (self() | (bits[i] & FUTEX_OWNER_DIED)));
		s->word = bits[i];
		CHECK(trylock(&s->word) == 0);
		CHECK(s->word == (self() | (bits[i] & FUTEX_OWNER_DIED)));
		s->word = self() | bits[i];
		CHECK(unlock(&s->word) == 0 && s->word == 0);
		s->word = self() | bits[i];
		FAILS(EDEADLK, lock_it(&s->word));
		FAILS(EDEADLK, trylock(&s->word));
		CHECK(s->word == (self() | bits[i]));
		s->word = bits[i];
		FAILS(EPERM, unlock(&s->word));
		CHECK(s->word == bits[i]);
	}
}

static void words_of_others(void)
{
	uint32_t gone = nobody();
	uint32_t me = self();

	start();
	for (int died = 0; died < 2; died++) {
		uint32_t bits = died ? FUTEX_OWNER_DIED : 0;

		s->word = gone | bits;
		FAILS(ESRCH, lock_it(&s->word));
		CHECK(s->word == (gone | bits | FUTEX_WAITERS));
		s->word = gone | bits;
		FAILS(ESRCH, trylock(&s->word));
		CHECK(s->word == (gone | bits | FUTEX_WAITERS));
		FAILS(EPERM, unlock(&s->word));
		s->word = me | bits;
		CHECK(third(trylock, &s->word) == EAGAIN);
		CHECK(s->word == (me | bits | FUTEX_WAITERS));
		s->word = me | bits;
		CHECK(third(lock_now, &s->word) == ETIMEDOUT);
		CHECK(s->word == (me | bits | FUTEX_WAITERS));
		CHECK(third(unlock, &s->word) == EPERM);
		CHECK(unlock(&s->word) == 0 && s->word == 0);
	}
	s->word = FUTEX_TID_MASK; /* no such task can be */
	FAILS(ESRCH, lock_it(&s->word));
}

static void a_zombie_holds_nothing(void)
{
	siginfo_t info;

	start();
	CHILD(pid)
	{
		_exit(lock_it(&s->word) != 0);
	}
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(s->word == (uint32_t)pid);
	FAILS(ESRCH, lock_it(&s->word));
	FAILS(ESRCH, trylock(&s->word));
	WAIT_EXIT(pid, 0);
}

static void bad_words(void)
{
	uint32_t *odd = (uint32_t *)((char *)s + 1);

	start();
	FAILS(EINVAL, lock_it(odd));
	FAILS(EINVAL, trylock(odd));
	FAILS(EPERM, unlock(odd));
	memset(s, 0x10, 1);
	memcpy(odd, &(uint32_t){self()}, sizeof(uint32_t));
	FAILS(EINVAL, unlock(odd));
	FAILS(EFAULT, lock_it(BAD_PTR));
	FAILS(EFAULT, trylock(BAD_PTR));
	FAILS(EFAULT, unlock(BAD_PTR));
	FAILS(EFAULT, unlock(KERNEL_PTR));
}

static void bad_times(void)
{
	const struct timespec bad = {0, -1};
	const int flag = FUTEX_CLOCK_REALTIME;

	start();
	FAILS(EINVAL, futex(&s->word, FUTEX_LOCK_PI, 0, (long)&bad, NULL, 0));
	FAILS(EFAULT, futex(&s->word, FUTEX_LOCK_PI, 0, 8, NULL, 0));
	FAILS(EINVAL, futex(&s->word, FUTEX_LOCK_PI | flag, 0, (long)&bad, NULL, 0));
	FAILS(EFAULT, futex(&s->word, FUTEX_LOCK_PI | flag, 0, 8, NULL, 0));
	FAILS(ENOSYS, futex(&s->word, FUTEX_LOCK_PI | flag, 0, 0, NULL, 0));
	FAILS(ENOSYS, futex(&s->word, FUTEX_TRYLOCK_PI | flag, 0, 8, NULL, 0));
	CHECK(futex(&s->word, FUTEX_TRYLOCK_PI, 0, 8, NULL, 0) == 0);
}

/* The word keeps FUTEX_WAITERS, also of the last. */
static void words_that_are_passed_on(void)
{
	pid_t pid[2];

	start();
	CHECK(lock_it(&s->word) == 0);
	for (int n = 0; n < 2; n++) {
		pid[n] = fork_or_die();
		if (!pid[n]) {
			going_to_sleep(n);
			if (lock_it(&s->word))
				_exit(1);
			s->result[n] = now(&s->word);
			await(&s->go[n]);
			if (unlock(&s->word))
				_exit(2);
			_exit(0);
		}
		wait_asleep(pid[n], n);
	}
	CHECK(now(&s->word) == (self() | FUTEX_WAITERS));
	CHECK(unlock(&s->word) == 0);
	CHECK(now(&s->word) == ((uint32_t)pid[0] | FUTEX_WAITERS));
	FAILS(EPERM, unlock(&s->word));
	s->go[0] = 1;
	WAIT_EXIT(pid[0], 0);
	CHECK(now(&s->word) == ((uint32_t)pid[1] | FUTEX_WAITERS));
	s->go[1] = 1;
	WAIT_EXIT(pid[1], 0);
	CHECK(now(&s->word) == 0);
	CHECK(s->result[0] == (pid[0] | (long)FUTEX_WAITERS));
	CHECK(s->result[1] == (pid[1] | (long)FUTEX_WAITERS));
}

static long steal_and_unlock(uint32_t *word)
{
	*word = self() | FUTEX_WAITERS;
	return unlock(word);
}

/* While somebody waits the kernel knows whose the lock is. */
static void words_that_lie(void)
{
	uint32_t gone = nobody();
	uint32_t me = self();
	pid_t pid;

	start();
	CHECK(lock_it(&s->word) == 0);
	pid = waiter(LOCKER, 0);
	s->word = gone | FUTEX_WAITERS;
	CHECK(third(lock_now, &s->word) == EINVAL);
	FAILS(EPERM, unlock(&s->word));
	s->word = gone | FUTEX_WAITERS | FUTEX_OWNER_DIED;
	CHECK(third(trylock, &s->word) == EINVAL);
	s->word = 0;
	CHECK(third(lock_now, &s->word) == EINVAL && s->word == 0);
	CHECK(third(trylock, &s->word) == EINVAL);
	FAILS(EINVAL, lock_now(&s->word));
	s->word = FUTEX_WAITERS;
	CHECK(third(lock_now, &s->word) == EINVAL);
	s->word = FUTEX_OWNER_DIED;
	CHECK(third(lock_now, &s->word) == ETIMEDOUT && s->word == FUTEX_OWNER_DIED);
	CHECK(third(trylock, &s->word) == EAGAIN);
	s->word = me;
	CHECK(third(lock_now, &s->word) == ETIMEDOUT && s->word == me);
	s->word = me | FUTEX_OWNER_DIED;
	CHECK(third(lock_now, &s->word) == ETIMEDOUT);
	CHECK(third(steal_and_unlock, &s->word) == EINVAL);
	s->word = me | FUTEX_OWNER_DIED;
	CHECK(unlock(&s->word) == 0);
	WAIT_EXIT(pid, 0);
	CHECK(s->word == ((uint32_t)pid | FUTEX_WAITERS));
}

/* ---- owners that die ---- */

static struct robust_list entry;
static struct robust_list_head head;

/* The process' list has the lock s->word, which is a PI one, in it. */
static void list_word(void)
{
	entry.next = &head.list;
	head.list.next = (struct robust_list *)((uintptr_t)&entry | 1);
	head.futex_offset = (char *)&s->word - (char *)&entry;
	CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
}

static void owner_dies(bool is_robust)
{
	pid_t owner, pid;

	start();
	owner = fork_or_die();
	if (!owner) {
		if (is_robust)
			list_word();
		CHECK(lock_it(&s->word) == 0);
		going_to_sleep(7);
		await(&s->go[7]);
		_exit(0);
	}
	await(&s->ready[7]);
	pid = waiter(LOCKER, 0);
	s->go[7] = 1;
	WAIT_EXIT(owner, 0);
	WAIT_EXIT(pid, 0);
	CHECK(s->word == ((uint32_t)pid | FUTEX_WAITERS | FUTEX_OWNER_DIED));
	FAILS(ESRCH, lock_it(&s->word));
}

static void an_owner_dies(void)
{
	owner_dies(false);
}

static void a_robust_owner_dies(void)
{
	owner_dies(true);
}

static void a_robust_owner_dies_alone(void)
{
	start();
	CHILD(pid)
	{
		list_word();
		_exit(lock_it(&s->word) != 0);
	}
	WAIT_EXIT(pid, 0);
	CHECK(s->word == FUTEX_OWNER_DIED);
	CHECK(lock_it(&s->word) == 0);
	CHECK(s->word == (self() | FUTEX_OWNER_DIED));
}

static void *lock_and_unlock(void *tid)
{
	__atomic_store_n((pid_t *)tid, (pid_t)self(), __ATOMIC_SEQ_CST);
	CHECK(lock_it(&s->word) == 0);
	CHECK(unlock(&s->word) == 0);
	return NULL;
}

/* None of them is left to wait for the dead: each gets it in its turn. */
static void an_owner_of_many_dies(void)
{
	enum { MANY = 100 };
	pthread_t thread[MANY];
	pid_t tid[MANY] = {0};

	start();
	CHILD(owner)
	{
		CHECK(lock_it(&s->word) == 0);
		going_to_sleep(7);
		await(&s->go[7]);
		_exit(0);
	}
	await(&s->ready[7]);
	for (int i = 0; i < MANY; i++)
		CHECK(pthread_create(&thread[i], NULL, lock_and_unlock, &tid[i]) == 0);
	for (int i = 0; i < MANY; i++) {
		await(&tid[i]);
		await_sleep(tid[i]);
	}
	s->go[7] = 1;
	WAIT_EXIT(owner, 0);
	for (int i = 0; i < MANY; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	CHECK(s->word == 0);
}

static void *lock_and_exec(void *unused)
{
	(void)unused;
	CHECK(lock_it(&s->word) == 0);
	going_to_sleep(7);
	await(&s->go[7]);
	(void)execl("/bin/sleep", "sleep", "1000", (char *)NULL);
	_exit(1);
}

/* Also when the thread gets another id by it. */
static void an_owner_becomes_another_program(void)
{
	for (int is_leader = 0; is_leader < 2; is_leader++) {
		pthread_t thread;
		pid_t pid;

		start();
		CHILD(owner)
		{
			if (is_leader)
				(void)lock_and_exec(NULL);
			CHECK(pthread_create(&thread, NULL, lock_and_exec, NULL) == 0);
			for (;;)
				pause();
		}
		await(&s->ready[7]);
		CHECK((s->word == (uint32_t)owner) == is_leader);
		pid = waiter(LOCKER, 0);
		s->go[7] = 1;
		WAIT_EXIT(pid, 0);
		CHECK(s->word == ((uint32_t)pid | FUTEX_WAITERS | FUTEX_OWNER_DIED));
		end(owner);
	}
}

/* ---- circles ---- */

static uint32_t *circle_word(int n)
{
	return (uint32_t *)((char *)s + 1024) + n;
}

/* The n-th of a row has its lock and waits for the next one's; the last, when it asks for
 * the first's, is told. */
static void circle_of(int count)
{
	pid_t pid[8];

	start();
	memset(circle_word(0), 0, 64);
	for (int n = count - 1; n >= 0; n--) {
		pid[n] = fork_or_die();
		if (pid[n]) {
			await(&s->ready[n]);
			if (n < count - 1)
				wait_asleep(pid[n], n);
			continue;
		}
		CHECK(lock_it(circle_word(n)) == 0);
		going_to_sleep(n);
		if (n == count - 1) {
			await(&s->go[n]);
			FAILS(EDEADLK, lock_it(circle_word(0)));
			FAILS(EDEADLK, lock_now(circle_word(0)));
			FAILS(EAGAIN, trylock(circle_word(0)));
			CHECK(unlock(circle_word(n)) == 0);
			_exit(0);
		}
		CHECK(lock_it(circle_word(n + 1)) == 0);
		CHECK(unlock(circle_word(n + 1)) == 0);
		CHECK(unlock(circle_word(n)) == 0);
		_exit(0);
	}
	s->go[count - 1] = 1;
	for (int n = 0; n < count; n++)
		WAIT_EXIT(pid[n], 0);
	for (int n = 0; n < count; n++)
		CHECK(*circle_word(n) == 0);
}

static void circles(void)
{
	for (int count = 2; count <= 6; count++)
		circle_of(count);
}

/* Who would wait for himself is not moved, and waits on. */
static void a_circle_by_moving(void)
{
	pid_t mover, owner;

	start();
	s->word = 1;
	mover = fork_or_die();
	if (!mover) {
		CHECK(lock_it(&s->word2) == 0);
		going_to_sleep(0);
		(void)futex(&s->word, FUTEX_WAIT_REQUEUE_PI, 1, 0, &s->lock, 0);
		_exit(errno);
	}
	wait_asleep(mover, 0);
	owner = fork_or_die();
	if (!owner) {
		CHECK(lock_it(&s->lock) == 0);
		going_to_sleep(1);
		_exit(lock_it(&s->word2) ? errno : 0);
	}
	wait_asleep(owner, 1);
	FAILS(EDEADLK, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 1, &s->lock, 1));
	CHECK(s->lock == ((uint32_t)owner | FUTEX_WAITERS));
	FAILS(EDEADLK, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, 1, &s->lock, 1));
	end(mover);
	WAIT_EXIT(owner, 0);
	CHECK(s->word2 == ((uint32_t)owner | FUTEX_WAITERS | FUTEX_OWNER_DIED));
}

/* A free lock's word says that others will come. */
static void words_of_the_moved(void)
{
	for (int more = 0; more < 2; more++) {
		pid_t mover;

		start();
		s->word = 1;
		mover = waiter(MOVER, 0);
		CHECK(futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, more, &s->lock, 1) == 1);
		CHECK(s->lock == ((uint32_t)mover | (more ? FUTEX_WAITERS : 0)));
		WAIT_EXIT(mover, 0);

		start();
		s->word = 1;
		mover = waiter(MOVER, 0);
		s->lock = (uint32_t)mover;
		FAILS(EDEADLK,
		      futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, more, &s->lock, 1));
		CHECK(s->lock == (uint32_t)mover);
		s->lock = nobody();
		FAILS(ESRCH, futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, more, &s->lock, 1));
		CHECK(s->lock & FUTEX_WAITERS);
		s->lock = 0;
		CHECK(futex(&s->word, FUTEX_CMP_REQUEUE_PI, 1, more, &s->lock, 1) == 1);
		WAIT_EXIT(mover, 0);
	}
}

RUN(TEST(each_operation_and_kind_of_waiter), TEST(what_is_done_stays_done),
    TEST(words_of_free_locks), TEST(words_of_others), TEST(a_zombie_holds_nothing),
    TEST(bad_words), TEST(bad_times), TEST(words_that_are_passed_on),
    TEST(words_that_lie), TEST(an_owner_dies), TEST(a_robust_owner_dies),
    TEST(a_robust_owner_dies_alone), TEST(an_owner_of_many_dies),
    TEST(an_owner_becomes_another_program), TEST(circles), TEST(a_circle_by_moving),
    TEST(words_of_the_moved))
