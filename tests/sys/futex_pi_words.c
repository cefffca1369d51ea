/* SPDX-License-Identifier: MIT */
/* calls: futex */
/* futex_pi_words.c - what FUTEX_LOCK_PI and its kin make of each word that a lock can
 * have, be it true or not: the words that Linux's rules for such locks tell apart, for a
 * lock that nobody waits for, one of the caller's and one of another's; and what becomes
 * of each when its owner dies. */
#include "asleep.h"
#include "proc.h"

#include <linux/futex.h>

enum { DIED = FUTEX_OWNER_DIED };

static struct shared {
	uint32_t word, wanted;
	int ready[4], done[4], got;
	int order[4];
	uint32_t seen[4];
} * s;

static long futex(uint32_t *addr, int op, uint32_t val, const void *timeout,
		  uint32_t *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static void start(void)
{
	if (!s)
		s = share_page();
	memset(s, 0, sizeof(*s));
}

/* ---- who a word can name ---- */

/* Nobody, the caller, somebody else, one that waits for the lock, one that is to be moved
 * to it, one that is gone. */
static const char names[] = "0mowvg";
enum who { NOBODY, ME, OTHER, WAITER, MOVED, GONE, WHO };
static uint32_t tids[WHO];

static uint32_t tid_of(char name)
{
	return tids[strchr(names, name) - names];
}

/* "o+!": another's, with FUTEX_WAITERS, FUTEX_OWNER_DIED. */
static uint32_t word_of(const char *text)
{
	return tid_of(*text) | (strchr(text, '+') ? FUTEX_WAITERS : 0) |
	       (strchr(text, '!') ? DIED : 0);
}

/* ---- those who wait ---- */

static pid_t child_at(int n, long (*sleeps)(int n))
{
	pid_t pid = fork_or_die();
	long ret;

	if (pid) {
		while (!__atomic_load_n(&s->ready[n], __ATOMIC_SEQ_CST))
			sleep_ms(1);
		while (!is_asleep(pid))
			sleep_ms(1);
		return pid;
	}
	__atomic_store_n(&s->ready[n], 1, __ATOMIC_SEQ_CST);
	ret = sleeps(n);
	__atomic_store_n(&s->done[n], ret ? errno : -1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static long locks(int n)
{
	(void)n;
	return futex(&s->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static long is_moved(int n)
{
	(void)n;
	return futex(&s->wanted, FUTEX_WAIT_REQUEUE_PI, 5, NULL, &s->word, 0);
}

static void end(pid_t pid)
{
	if (!pid)
		return;
	CHECK(kill(pid, SIGKILL) == 0);
	(void)wait_status(pid);
}

static void await_back(int n)
{
	while (!__atomic_load_n(&s->done[n], __ATOMIC_SEQ_CST))
		sleep_ms(1);
	CHECK(s->done[n] == -1);
}

static pid_t sleeper(void)
{
	pid_t pid = fork_or_die();

	while (!pid)
		pause();
	return pid;
}

/* ---- each word ---- */

enum state {
	FREE,
	MINE,
	ANOTHERS
}; /* nobody waits; somebody waits for me, for another */
enum op { LOCK, TRYLOCK, UNLOCK, MOVE, MOVE_MORE };

static const char *const op_names[] = {"lock", "trylock", "unlock", "move", "move more"};

/* For a word without flags, with FUTEX_WAITERS, with FUTEX_OWNER_DIED, and with both:
 * what the call answers, and the word afterwards if it is another one. */
static const struct row {
	enum state state;
	enum op op;
	char name;
	const char *want[4];
} rows[] = {
	{FREE, LOCK, '0', {"0 m", "0 m", "0 m!", "0 m!"}},
	{FREE, LOCK, 'm', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{FREE, LOCK, 'o', {"ETIMEDOUT o+", "ETIMEDOUT", "ETIMEDOUT o+!", "ETIMEDOUT"}},
	{FREE, LOCK, 'g', {"ESRCH g+", "ESRCH", "ESRCH g+!", "ESRCH"}},
	{FREE, TRYLOCK, '0', {"0 m", "0 m", "0 m!", "0 m!"}},
	{FREE, TRYLOCK, 'm', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{FREE, TRYLOCK, 'o', {"EAGAIN o+", "EAGAIN", "EAGAIN o+!", "EAGAIN"}},
	{FREE, TRYLOCK, 'g', {"ESRCH g+", "ESRCH", "ESRCH g+!", "ESRCH"}},
	{FREE, UNLOCK, '0', {"EPERM", "EPERM", "EPERM", "EPERM"}},
	{FREE, UNLOCK, 'm', {"0 0", "0 0", "0 0", "0 0"}},
	{FREE, UNLOCK, 'o', {"EPERM", "EPERM", "EPERM", "EPERM"}},
	{FREE, MOVE, '0', {"1 v", "1 v", "1 v!", "1 v!"}},
	{FREE, MOVE, 'm', {"1 m+", "1", "1 m+!", "1"}},
	{FREE, MOVE, 'o', {"1 o+", "1", "1 o+!", "1"}},
	{FREE, MOVE, 'v', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{FREE, MOVE, 'g', {"ESRCH g+", "ESRCH", "ESRCH g+!", "ESRCH"}},
	{FREE, MOVE_MORE, '0', {"1 v+", "1 v+", "1 v+!", "1 v+!"}},
	{MINE, LOCK, '0', {"EINVAL", "EINVAL", "0", "0"}},
	{MINE, LOCK, 'm', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{MINE, LOCK, 'o', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{MINE, LOCK, 'w', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{MINE, TRYLOCK, '0', {"EINVAL", "EINVAL", "EAGAIN m+!", "EAGAIN m+!"}},
	{MINE, TRYLOCK, 'm', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{MINE, TRYLOCK, 'o', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{MINE, UNLOCK, '0', {"EPERM", "EPERM", "EPERM", "EPERM"}},
	{MINE, UNLOCK, 'm', {"0 w+", "0 w+", "0 w+", "0 w+"}},
	{MINE, UNLOCK, 'w', {"EPERM", "EPERM", "EPERM", "EPERM"}},
	{MINE, MOVE, '0', {"EINVAL", "EINVAL", "1", "1"}},
	{MINE, MOVE, 'm', {"1", "1", "1", "1"}},
	{MINE, MOVE, 'w', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{MINE, MOVE, 'v', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{MINE, MOVE_MORE, '0', {"EINVAL", "EINVAL", "1", "1"}},
	{ANOTHERS, LOCK, '0', {"EINVAL", "EINVAL", "ETIMEDOUT", "ETIMEDOUT"}},
	{ANOTHERS, LOCK, 'm', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{ANOTHERS, LOCK, 'o', {"ETIMEDOUT", "ETIMEDOUT", "ETIMEDOUT", "ETIMEDOUT"}},
	{ANOTHERS, LOCK, 'w', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{ANOTHERS, LOCK, 'g', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{ANOTHERS, TRYLOCK, '0', {"EINVAL", "EINVAL", "EAGAIN", "EAGAIN"}},
	{ANOTHERS, TRYLOCK, 'o', {"EAGAIN", "EAGAIN", "EAGAIN", "EAGAIN"}},
	{ANOTHERS, TRYLOCK, 'w', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{ANOTHERS, UNLOCK, 'm', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{ANOTHERS, UNLOCK, 'o', {"EPERM", "EPERM", "EPERM", "EPERM"}},
	{ANOTHERS, MOVE, '0', {"EINVAL", "EINVAL", "1", "1"}},
	{ANOTHERS, MOVE, 'm', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
	{ANOTHERS, MOVE, 'o', {"1", "1", "1", "1"}},
	{ANOTHERS, MOVE, 'v', {"EDEADLK", "EDEADLK", "EDEADLK", "EDEADLK"}},
	{ANOTHERS, MOVE_MORE, 'g', {"EINVAL", "EINVAL", "EINVAL", "EINVAL"}},
};

static long operate(enum op op)
{
	static const struct timespec past = {1, 0};

	switch (op) {
	case LOCK:
		return futex(&s->word, FUTEX_LOCK_PI, 0, &past, NULL, 0);
	case TRYLOCK:
		return futex(&s->word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	case UNLOCK:
		return futex(&s->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	default:
		return futex(&s->wanted, FUTEX_CMP_REQUEUE_PI, 1,
			     (void *)(uintptr_t)(op - MOVE), &s->word, 5);
	}
}

static void text_of(uint32_t word, char *out)
{
	char name = '?';

	for (int i = 0; i < WHO; i++)
		if (tids[i] == (word & FUTEX_TID_MASK))
			name = names[i];
	(void)sprintf(out, "%c%s%s", name, word & FUTEX_WAITERS ? "+" : "",
		      word & DIED ? "!" : "");
}

/* A lock in that state, and the word, whatever it is to be. */
static bool does_as_wanted(const struct row *r, int flags)
{
	uint32_t word;
	char got[40], text[8];
	pid_t waiter = 0, moved = 0;
	long ret;
	int err;

	start();
	s->wanted = 5;
	s->word = tids[r->state == MINE ? ME : OTHER];
	if (r->state != FREE)
		waiter = child_at(0, locks);
	if (r->op >= MOVE)
		moved = child_at(1, is_moved);
	tids[WAITER] = waiter ? (uint32_t)waiter : UINT32_MAX;
	tids[MOVED] = moved ? (uint32_t)moved : UINT32_MAX;
	word = tid_of(r->name) | (flags & 1 ? FUTEX_WAITERS : 0) | (flags & 2 ? DIED : 0);
	s->word = word;
	ret = operate(r->op);
	err = errno;
	/* Who has been given the lock is back: */
	if (!ret && r->op == UNLOCK && waiter)
		await_back(0);
	if (ret == 1 && (s->word & FUTEX_TID_MASK) == tids[MOVED])
		await_back(1);
	if (ret < 0)
		(void)sprintf(got, "%s", strerrorname_np(err));
	else
		(void)sprintf(got, "%ld", ret);
	if (s->word != word) {
		text_of(s->word, text);
		strcat(strcat(got, " "), text);
	}
	end(waiter);
	end(moved);
	if (!strcmp(got, r->want[flags]))
		return true;
	text_of(word, text);
	printf("# state %d, %s %s: %s, not %s\n", (int)r->state, op_names[r->op], text,
	       got, r->want[flags]);
	return false;
}

static void each_word(void)
{
	bool is_good = true;
	pid_t other, gone;

	start();
	gone = fork_or_die();
	if (!gone)
		_exit(0);
	(void)wait_status(gone);
	other = sleeper();
	tids[ME] = (uint32_t)getpid();
	tids[OTHER] = (uint32_t)other;
	tids[GONE] = (uint32_t)gone;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int flags = 0; flags < 4; flags++)
			is_good &= does_as_wanted(&rows[i], flags);
	end(other);
	CHECK(is_good);
}

/* ---- owners that die ---- */

/* Whatever the word says, who has waited has the lock. */
static void each_word_of_the_dead(void)
{
	static const char *const words[] = {"0", "0!", "0+!", "m", "m+!", "o",
					    "w", "w!", "w+!", "g", "g+"};

	tids[ME] = (uint32_t)getpid();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		pid_t owner, waiter;

		start();
		owner = sleeper();
		tids[OTHER] = s->word = (uint32_t)owner;
		waiter = child_at(0, locks);
		tids[WAITER] = (uint32_t)waiter;
		s->word = word_of(words[i]);
		end(owner);
		await_back(0);
		CHECK(s->word == word_of("w+!"));
		end(waiter);
	}
}

/* Has it, for a while, and gives it on. */
static long has_its_turn(int n)
{
	const struct sched_param urgent = {.sched_priority = 1};

	if (n == 2) /* who is not root may not */
		(void)sched_setscheduler(0, SCHED_FIFO, &urgent);
	CHECK(locks(n) == 0);
	s->seen[n] = s->word;
	s->order[s->got++] = n;
	sleep_ms(1);
	CHECK(futex(&s->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
	return 0;
}

/* In order of their priorities, then of their coming; only the first is told that one has
 * died. */
static void the_heirs_of_the_dead(void)
{
	static const int equal[] = {0, 1, 2, 3}, urgent[] = {2, 0, 1, 3};

	for (int round = 0; round < 10; round++) {
		const int *want = equal;
		pid_t owner, waiter[4];

		start();
		owner = sleeper();
		s->word = (uint32_t)owner;
		for (int n = 0; n < 4; n++)
			waiter[n] = child_at(n, has_its_turn);
		if (sched_getscheduler(waiter[2]) == SCHED_FIFO)
			want = urgent;
		end(owner);
		for (int n = 0; n < 4; n++)
			await_back(n);
		for (int n = 0; n < 4; n++) {
			CHECK(s->order[n] == want[n]);
			CHECK(s->seen[want[n]] ==
			      ((uint32_t)waiter[want[n]] | FUTEX_WAITERS |
			       (n ? 0 : (uint32_t)DIED)));
		}
		CHECK(s->word == 0);
		for (int n = 0; n < 4; n++)
			end(waiter[n]);
	}
}

/* The first heir dies, too, at any moment. */
static void heirs_that_die(void)
{
	for (int round = 0; round < 60; round++) {
		pid_t owner, first, second;

		start();
		owner = sleeper();
		s->word = (uint32_t)owner;
		first = child_at(0, locks);
		second = child_at(1, locks);
		CHECK(kill(owner, SIGKILL) == 0);
		for (volatile int i = 0; i < round * 1000; i++)
			;
		CHECK(kill(first, SIGKILL) == 0);
		(void)wait_status(owner);
		(void)wait_status(first);
		await_back(1);
		CHECK(s->word == ((uint32_t)second | FUTEX_WAITERS | DIED));
		end(second);
	}
}

static pid_t thread_id;
static long thread_result;

static void *lock_in_thread(void *word)
{
	__atomic_store_n(&thread_id, gettid(), __ATOMIC_SEQ_CST);
	thread_result = futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	thread_result = thread_result ? errno : 0;
	return NULL;
}

/* In a child: its thread's word cannot be written when the lock becomes its own. */
static void inherit_in_vain(pid_t owner)
{
	uint32_t *word = mremap(s, 0, 4096, MREMAP_MAYMOVE); /* the same, once more */
	pthread_t thread;

	CHECK(word != MAP_FAILED);
	CHECK(pthread_create(&thread, NULL, lock_in_thread, word) == 0);
	while (!__atomic_load_n(&thread_id, __ATOMIC_SEQ_CST))
		sleep_ms(1);
	await_sleep(thread_id);
	CHECK(mprotect(word, 4096, PROT_READ) == 0);
	s->ready[0] = 1;
	while (!__atomic_load_n(&s->ready[2], __ATOMIC_SEQ_CST))
		sleep_ms(1);
	CHECK(kill(owner, SIGKILL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(thread_result == EFAULT);
	_exit(0);
}

/* The kernel alone knows whose it is then, until that one dies as well. */
static void a_word_that_cannot_be_written(void)
{
	pid_t owner, heir, next;

	start();
	owner = sleeper();
	s->word = (uint32_t)owner;
	heir = fork_or_die();
	if (!heir)
		inherit_in_vain(owner);
	while (!__atomic_load_n(&s->ready[0], __ATOMIC_SEQ_CST))
		sleep_ms(1);
	next = child_at(1, locks);
	__atomic_store_n(&s->ready[2], 1, __ATOMIC_SEQ_CST);
	WAIT_EXIT(heir, 0);
	(void)wait_status(owner);
	await_back(1);
	CHECK(s->word == ((uint32_t)next | FUTEX_WAITERS | DIED));
	end(next);
}

RUN(TEST(each_word), TEST(each_word_of_the_dead), TEST(the_heirs_of_the_dead),
    TEST(heirs_that_die), TEST(a_word_that_cannot_be_written))
