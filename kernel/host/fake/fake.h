/* SPDX-License-Identifier: MIT */
/* fake.h - a host in memory, for unit tests: host.h without a single host mapping or
 * file.
 *
 * Threads of the test are pthreads that fake_task_begin() has made processors with a task
 * each. They really sleep and wake; the clock is the machine's until a test sets it. The
 * mmap family changes a model of pages, which a test may look at, and is written into a
 * log. Any host call may be made to fail. What no test has needed yet aborts and says so
 * (missing.c). */
#pragma once
#include <setjmp.h>

#include "abi/types.h"

struct mm;
struct task;

/* ---- threads (thread.c) ---- */

/* Makes the calling pthread a processor that runs a fresh task of mm (may be NULL). */
struct task *fake_task_begin(struct mm *mm);
void fake_task_end(void);
/* Sets bits of enum work and interrupts the task's sleep, as task_kick() does. */
void fake_kick(struct task *t, uint32_t work);

/* panic() comes back here, once, instead of ending the test: if
 * (!setjmp(fake_panic_expect())) … */
jmp_buf *fake_panic_expect(void);
extern _Thread_local char fake_panic_text[512];

/* ---- failures (thread.c) ---- */

/* Lets the n-th host call from now (1: the next) that can fail do so with -ENOMEM. 0:
 * none. */
void fake_fail_at(uint64_t n);
/* For the fake itself: counts one call; true if it is the one that shall fail. */
bool fake_must_fail(void);

/* ---- sleeping and time (sleep.c) ---- */

/* The clock stands at now until it is set again; negative: it is the machine's. */
void fake_clock_set(nsec_t now);
/* Every n-th futex wait ends at once, by turns with 0 and -EINTR. 0: none. */
void fake_futex_spurious(uint32_t n);

struct fake_futex_calls {
	uint64_t waits, wakes;
};
struct fake_futex_calls fake_futex_calls(void);
/* How many threads sleep on the word. */
int fake_futex_sleepers(const uint32_t *word);

/* ---- memory (memory.c) ---- */

enum fake_op {
	FAKE_MMAP,
	FAKE_MUNMAP,
	FAKE_MPROTECT,
	FAKE_MREMAP,
	FAKE_MADVISE,
	FAKE_OTHER
};

/* One call that was made: arguments in the order of host.h. */
struct fake_call {
	enum fake_op op;
	uint64_t arg[6];
	long ret;
};

/* A mapped page of the model. */
struct fake_page {
	uaddr_t addr;
	uint32_t prot;
	bool shared;
	bool dont_fork;
	bool wipe_on_fork;
	int fd;		  /* -1: anonymous */
	int64_t off;	  /* in fd */
	uint64_t serial;  /* of its contents: moves with them */
	uint64_t mapping; /* of the host mapping that it is part of */
};

/* Forgets all pages and calls. */
void fake_memory_reset(void);
/* NULL: nothing is mapped there. Valid until the next call of the mmap family. */
const struct fake_page *fake_page_at(uaddr_t addr);
size_t fake_page_count(void);
/* The i-th call since the reset, NULL past the last; at most the first 65536 are kept. */
const struct fake_call *fake_call_at(size_t i);
/* As the host does, pages mapped by different calls count as different mappings. merge:
 * pages that are alike never do. */
void fake_memory_merges(bool merge);

/* ---- files (file.c) ---- */

/* Host descriptors that are open now. */
int fake_open_files(void);

/* ---- guest memory (usercopy.c): the test's own, but for one hole ---- */

void fake_user_hole(uaddr_t start, size_t size);
