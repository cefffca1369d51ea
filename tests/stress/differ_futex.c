/* SPDX-License-Identifier: MIT */
/* timeout: 180 */
/*
 * differ_futex.c - futex calls at words in private and shared memory and in a file mapped
 * twice, with threads that sleep at them: see differ.h and differ_futex_words.h. The main
 * thread itself never sleeps: what it waits for is over.
 *
 * Left out is FUTEX2_NUMA and FUTEX2_MPOL, which need a newer kernel than most hosts
 * have.
 */
#include "differ_futex_calls.h"

#include <linux/prctl.h>

/* ---- robust lists and owners that end ---- */

static struct robust {
	struct robust_list_head head;
	struct {
		struct robust_list list;
		uint32_t word, flags;
		bool is_owned;
	} nodes[5];
} robust;

enum { NO_TASK = 0x3ffffff1, SOME_TASK = 0x77 };

/* Ends with words in its list that are its own or not. */
static void *robust_main(void *arg)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid);

	(void)arg;
	for (int i = 0; i < 5; i++)
		robust.nodes[i].word = robust.nodes[i].flags |
				       (robust.nodes[i].is_owned ? tid : NO_TASK);
	MUST(syscall(SYS_set_robust_list, &robust.head, sizeof(robust.head)) == 0);
	return NULL;
}

static void do_robust(struct chance *c)
{
	static const uint32_t flags[] = {0, FUTEX_WAITERS, FUTEX_WAITERS,
					 FUTEX_OWNER_DIED};
	struct robust_list *last = &robust.head.list;
	unsigned int count = (unsigned int)below(c, 5);
	bool is_circle = count && percent(c, 10);
	bool is_broken = percent(c, 10);
	pthread_t thread;

	say("robust list of %u%s%s\n", count, is_circle ? ", a circle" : "",
	    is_broken ? ", broken" : "");
	memset(&robust, 0, sizeof(robust));
	robust.head.futex_offset =
		(char *)&robust.nodes[0].word - (char *)&robust.nodes[0].list;
	for (unsigned int i = 0; i < 5; i++) {
		robust.nodes[i].flags = ANY(c, flags);
		robust.nodes[i].is_owned = percent(c, 80);
		if (i >= count)
			continue;
		/* bit 0: its lock inherits priorities */
		last->next = (struct robust_list *)((char *)&robust.nodes[i].list +
						    percent(c, 25));
		last = &robust.nodes[i].list;
	}
	last->next = is_broken	 ? (struct robust_list *)0x10
		     : is_circle ? robust.head.list.next
				 : &robust.head.list;
	if (percent(c, 40))
		robust.head.list_op_pending = &robust.nodes[4].list;
	MUST(pthread_create(&thread, NULL, robust_main, NULL) == 0);
	MUST(pthread_join(thread, NULL) == 0);
	for (int i = 0; i < 5; i++) {
		uint32_t value = robust.nodes[i].word;
		uint32_t tid = value & FUTEX_TID_MASK;

		tid = tid && tid != NO_TASK ? SOME_TASK : tid;
		say("  node %d: %#x\n", i, (value & ~(uint32_t)FUTEX_TID_MASK) | tid);
	}
}

struct dying {
	uint32_t *word;
	int is_private;
	long result;
	int go[2];
	int ready[2];
};

static void *dying_main(void *arg)
{
	struct dying *d = arg;
	char byte = 0;

	d->result = syscall(SYS_futex, d->word, FUTEX_TRYLOCK_PI | d->is_private, 0, NULL,
			    NULL, 0);
	MUST(write(d->ready[1], &byte, 1) == 1);
	MUST(read(d->go[0], &byte, 1) == 1);
	return NULL;
}

static bool any_waits_for_lock(void)
{
	bool any = false;

	for (int i = 0; i < SLEEPERS; i++)
		any |= !is_idle(&sleepers[i]) &&
		       strncmp(sleepers[i].call.name, "wait", 5) &&
		       strcmp(sleepers[i].call.name, "waitv");
	return any;
}

/* Somebody waits for a lock whose owner ends without giving it back. */
static void do_owner_dies(struct chance *c)
{
	struct word w = pi_word(c);
	struct dying d = {.word = w.at,
			  .is_private = percent(c, 50) ? FUTEX_PRIVATE_FLAG : 0};
	struct sleeper *s = any_idle(c);
	bool waits;
	pthread_t thread;
	char byte = 0;

	say("owner of %s%s dies\n", word_text(w), d.is_private ? " private" : "");
	if (!s || w.is_bad || any_waits_for_lock())
		return;
	MUST(pipe(d.go) == 0 && pipe(d.ready) == 0);
	MUST(pthread_create(&thread, NULL, dying_main, &d) == 0);
	MUST(read(d.ready[0], &byte, 1) == 1);
	if (d.result == 0) {
		s->call = (struct call){
			"lock_pi", SYS_futex, {(long)w.at, FUTEX_LOCK_PI | d.is_private}};
		sleeper_tell(s);
	}
	say("  lock %ld, t%d %s\n", d.result, (int)(s - sleepers),
	    is_idle(s) ? "is back" : "waits");
	waits = !is_idle(s);
	MUST(write(d.go[1], &byte, 1) == 1);
	MUST(pthread_join(thread, NULL) == 0);
	sleepers_settle(waits);
	/* so that no id of a thread that has ended is left */
	if (d.result == 0)
		__atomic_store_n(w.at, 0, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++) {
		close(d.go[i]);
		close(d.ready[i]);
	}
}

/* ---- the program ---- */

static const struct kind kinds[] = {
	{"set", 60, do_set, NULL},
	{"wait", 50, do_wait, NULL},
	{"sleep", 200, do_sleep, NULL},
	{"wake", 120, do_wake, NULL},
	{"wake_op", 50, do_wake_op, NULL},
	{"requeue", 70, do_requeue, NULL},
	{"pi", 120, do_pi, NULL},
	{"sleep_pi", 120, do_sleep_pi, NULL},
	{"requeue_pi", 50, do_requeue_pi, NULL},
	{"sleep_requeue_pi", 60, do_sleep_requeue_pi, NULL},
	{"futex2", 60, do_futex2, "futex2"},
	{"waitv", 40, do_waitv, "waitv"},
	{"bad", 20, do_bad, NULL},
	{"kick", 40, do_kick, NULL},
	{"robust", 30, do_robust, NULL},
	{"owner_dies", 20, do_owner_dies, NULL},
};

static void on_kick(int signal)
{
	(void)signal;
}

static void begin(struct chance *c)
{
	struct sigaction kick = {.sa_handler = on_kick};

	(void)c;
	MUST(sigaction(SIGUSR1, &kick, NULL) == 0);
	words_begin();
	sleepers_begin();
}

static void observe(long step, bool is_last)
{
	(void)step;
	say_returned();
	say_words(is_last);
}

static void probe_features(void)
{
	uint32_t word = 0;

	if (syscall(SYS_futex_wake_number, &word, -1, 1, FUTEX2_U32) == 0)
		say("futex2,");
	if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) == -1 && errno == EINVAL)
		say("waitv,");
	say("futex");
}

int main(int argc, char **argv)
{
	static const struct differ d = {.kinds = kinds,
					.kind_count = sizeof(kinds) / sizeof(kinds[0]),
					.begin = begin,
					.observe = observe,
					.probe = probe_features,
					.default_features = "futex2,waitv"};

	return differ_main(&d, argc, argv);
}
