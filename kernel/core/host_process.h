/* SPDX-License-Identifier: MIT */
/* host_process.h - host processes that wait for a guest, and the first one, which makes
 * them. */
#pragma once
#include "abi/types.h"
#include "base/claim.h"
#include "base/lock.h"

struct boot_params;
struct cpu;
struct task;

extern struct boot_params *boot;

/* A blank host process that a task has taken: nothing is mapped there but the kernel. */
struct blank {
	struct claim claim;
	struct cpu *cpu; /* or NULL */
};

/* Waits for one if need be. -ENOMEM or what the host said. */
int blank_take(struct blank *b) MUST_CHECK;
/* It was not needed after all. */
void blank_return(struct blank *b);
/* Is it still there? False: it has died by an outside hand, and b is empty. True: a lock
 * is held until blank_start(), which follows soon. */
bool blank_hold(struct blank *b) MUST_CHECK NO_LOCK_CHECK;
/* Lets it go: it becomes t's host thread and runs fn on its own kernel stack. */
void blank_start(struct blank *b, struct task *t, void (*fn)(struct cpu *)) NO_LOCK_CHECK;

/* Start-up, and the first process's loop: makes as many blanks as should be ready. */
void blanks_fill(void);
/* A task is about to need one: from now on some are kept ready. */
void blanks_expect(void);
/* One more host process was made, for whatever: see use_huge_pages(). */
void host_process_made(void);
/* The first host process: makes blanks, runs timers, takes the monitor's mail, until the
 * sandbox is over. */
NORETURN void first_process_loop(void);
/* Start-up: makes cpu, the calling thread's, the first process's. */
int first_process_init(struct cpu *cpu) MUST_CHECK;
/* Makes the first process look at what there is to do. */
void first_process_kick(void);
