/* SPDX-License-Identifier: MIT */
/*
 * differ_futex_words.h - the words of differ_futex.c, how they are shown, and the threads
 * that sleep at them.
 *
 * A thread is told of a call by an eventfd; it is asleep in it when it has said that it
 * has begun and /proc says that it sleeps. How many are to come back from theirs is known
 * from what the call that woke them has returned, and they are waited for.
 */
#pragma once
#include "differ.h"

#include <linux/futex.h>
#include <sys/eventfd.h>

enum { PRIVATE_MEMORY, SHARED_MEMORY, FILE_MEMORY, ALIAS_MEMORY, MEMORIES };
enum { PLAIN_WORDS = 3, PI_WORDS = 2, WORDS = PLAIN_WORDS + PI_WORDS, SLEEPERS = 4 };

static uint32_t *memory[MEMORIES]; /* the alias maps what the file does, elsewhere */
static uint32_t *no_memory;	   /* a page */
static const char *const memory_names[MEMORIES] = {"p", "s", "f", "f'"};
static uint32_t shown[MEMORIES][WORDS];

/* ---- sleepers ---- */

struct call {
	const char *name;
	long number;
	long arg[6];
};

static struct sleeper {
	pthread_t thread;
	int told; /* eventfd */
	pid_t tid;
	struct call call;
	struct timespec timeout;
	struct futex_waitv vector[3];
	uint32_t has_begun, is_idle;
	long result;
	int error;
	bool is_reported;
} sleepers[SLEEPERS];

static long call_do(const struct call *c)
{
	return syscall(c->number, c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4],
		       c->arg[5]);
}

static void *sleeper_main(void *arg)
{
	struct sleeper *s = arg;
	uint64_t count;

	__atomic_store_n(&s->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	for (;;) {
		MUST(read(s->told, &count, sizeof(count)) == sizeof(count));
		__atomic_store_n(&s->has_begun, 1, __ATOMIC_SEQ_CST);
		s->result = call_do(&s->call);
		s->error = errno;
		__atomic_store_n(&s->is_idle, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void sleepers_begin(void)
{
	for (int i = 0; i < SLEEPERS; i++) {
		struct sleeper *s = &sleepers[i];

		s->told = eventfd(0, 0);
		s->is_idle = 1;
		s->is_reported = true;
		MUST(s->told >= 0);
		MUST(pthread_create(&s->thread, NULL, sleeper_main, s) == 0);
		while (!__atomic_load_n(&s->tid, __ATOMIC_SEQ_CST))
			sched_yield();
	}
}

static bool is_idle(const struct sleeper *s)
{
	return __atomic_load_n(&s->is_idle, __ATOMIC_SEQ_CST);
}

static bool is_asleep(const struct sleeper *s)
{
	char path[64], text[512];
	const char *state;
	ssize_t n;
	int fd;

	if (!__atomic_load_n(&s->has_begun, __ATOMIC_SEQ_CST))
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", s->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	MUST(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	MUST(n > 0);
	close(fd);
	text[n] = 0;
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

/* One that has nothing to do, or NULL. */
static struct sleeper *any_idle(struct chance *c)
{
	unsigned int at = (unsigned int)below(c, SLEEPERS);

	for (unsigned int i = 0; i < SLEEPERS; i++) {
		struct sleeper *s = &sleepers[(at + i) % SLEEPERS];

		if (is_idle(s))
			return s;
	}
	return NULL;
}

/* Has it make its call, and waits until it sleeps there or is back. */
static void sleeper_tell(struct sleeper *s)
{
	uint64_t one = 1;
	int seen = 0;

	s->has_begun = s->is_idle = 0;
	s->is_reported = false;
	MUST(write(s->told, &one, sizeof(one)) == sizeof(one));
	while (!is_idle(s) && seen < 2) {
		seen = is_asleep(s) ? seen + 1 : 0;
		sched_yield();
	}
}

static void say_returned(void)
{
	for (int i = 0; i < SLEEPERS; i++) {
		struct sleeper *s = &sleepers[i];

		if (s->is_reported || !is_idle(s))
			continue;
		s->is_reported = true;
		errno = s->error;
		say("  t%d is back from %s", i, s->call.name);
		done(s->result);
	}
}

static bool any_is_on_its_way(void)
{
	bool any = false;

	for (int i = 0; i < SLEEPERS; i++)
		any |= !is_idle(&sleepers[i]) && !is_asleep(&sleepers[i]);
	return any;
}

/* Waits until so many more have come back, and says what they have got. Below 0: a call
 * has failed, which may have woken some before. */
static void sleepers_settle(long count)
{
	double limit = seconds() + 20;
	long back = 0;

	while (count < 0 && any_is_on_its_way() && seconds() < limit)
		sched_yield();

	while (back < count && seconds() < limit) {
		back = 0;
		for (int i = 0; i < SLEEPERS; i++)
			back += !sleepers[i].is_reported && is_idle(&sleepers[i]);
		sched_yield();
	}
	if (back < count)
		say("  %ld did not come back\n", count - back);
	say_returned();
}

/* ---- words ---- */

struct word {
	uint32_t *at;
	int memory, index;
	bool is_bad;
};

static const char *word_text(struct word w)
{
	static char text[4][24];
	static unsigned int next;
	char *out = text[next++ % 4];

	if (w.is_bad)
		snprintf(out, 24, "bad%d", w.index);
	else
		snprintf(out, 24, "%s%d", memory_names[w.memory], w.index);
	return out;
}

static struct word any_word_of(struct chance *c, int from, int count)
{
	struct word w = {.memory = (int)below(c, MEMORIES),
			 .index = from + (int)below(c, (uint64_t)count)};

	w.at = &memory[w.memory][w.index];
	if (!percent(c, 4))
		return w;
	w.is_bad = true;
	w.index = (int)below(c, 5);
	w.at = w.index == 0   ? NULL
	       : w.index == 1 ? (uint32_t *)((char *)w.at + 1)
	       : w.index == 2 ? no_memory
	       : w.index == 3 ? (uint32_t *)0xffff800000000000
			      : (uint32_t *)0x7ffffffffffc;
	return w;
}

/* Words that PI calls use hold thread ids; the others never one of a living thread. */
static struct word plain_word(struct chance *c)
{
	return any_word_of(c, 0, PLAIN_WORDS);
}

static struct word pi_word(struct chance *c)
{
	return any_word_of(c, PLAIN_WORDS, PI_WORDS);
}

static struct word any_word(struct chance *c)
{
	return any_word_of(c, 0, WORDS);
}

static uint32_t value_of(struct word w)
{
	return w.is_bad ? 0 : __atomic_load_n(w.at, __ATOMIC_SEQ_CST);
}

static const char *value_text(struct word w, uint32_t value)
{
	static char text[4][48];
	static unsigned int next;
	char *out = text[next++ % 4];
	uint32_t tid = value & FUTEX_TID_MASK;
	char name[24];

	if (w.is_bad || w.index < PLAIN_WORDS) {
		snprintf(out, 48, "%#x", value);
		return out;
	}
	snprintf(name, sizeof(name), tid == (uint32_t)getpid() ? "me" : "%#x", tid);
	for (int i = 0; i < SLEEPERS; i++)
		if (tid == (uint32_t)sleepers[i].tid)
			snprintf(name, sizeof(name), "t%d", i);
	snprintf(out, 48, "%s%s%s", name, value & FUTEX_WAITERS ? "+waiters" : "",
		 value & FUTEX_OWNER_DIED ? "+died" : "");
	return out;
}

static void say_words(bool all)
{
	for (int m = 0; m < ALIAS_MEMORY; m++)
		for (int i = 0; i < WORDS; i++) {
			uint32_t value = __atomic_load_n(&memory[m][i], __ATOMIC_SEQ_CST);

			if (!all && value == shown[m][i])
				continue;
			shown[m][i] = value;
			say("  %s%d is %s\n", memory_names[m], i,
			    value_text((struct word){.index = i}, value));
		}
}

static void words_begin(void)
{
	int fd = memfd_create("words", 0);

	MUST(fd >= 0 && ftruncate(fd, 4096) == 0);
	for (int i = 0; i < MEMORIES; i++) {
		int flags = i == PRIVATE_MEMORY	 ? MAP_PRIVATE | MAP_ANONYMOUS
			    : i == SHARED_MEMORY ? MAP_SHARED | MAP_ANONYMOUS
						 : MAP_SHARED;

		memory[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags,
				 flags & MAP_ANONYMOUS ? -1 : fd, 0);
		MUST(memory[i] != MAP_FAILED);
		memory[i][0] = 0; /* it is there */
	}
	no_memory = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(no_memory != MAP_FAILED);
	close(fd);
}
