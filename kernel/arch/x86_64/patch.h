/* SPDX-License-Identifier: MIT */
/* patch.h - replacing trapped `syscall` instructions by jumps: the cache of patched code.
 */
#pragma once
#include "abi/types.h"

struct mm;
struct regs;
struct task;

/* Start-up. off: never patch (--no-patch). 0 or -errno. */
int patch_init(bool off) MUST_CHECK;
/* A call has trapped at regs->rip - 2: patches the site if that can be done, so that the
 * next one jumps. May change regs->rip and insn_len to where the call must resume. Takes
 * mm->lock. */
void patch_learn(struct mm *mm, struct regs *regs);
/* Before mm is copied by fork, with mm->lock held: maps what other processes have learnt
 * since the last time. */
void patch_sync_locked(struct mm *mm);
/* A SIGILL at rip: true when rip is the old place of an instruction that a patch has
 * moved; *out is the new one. */
bool patch_moved(struct mm *mm, uaddr_t rip, uaddr_t *out);
/* Where to go on that is where an unpatched program would go on at rip: spares who comes
 * back from a signal handler the invalid opcode. */
uaddr_t patch_resume(struct mm *mm, uaddr_t rip);
/* Where an unpatched program would be when it is at rip, for all that the guest gets to
 * see. */
uaddr_t patch_guest_rip(struct mm *mm, uaddr_t rip);
/* The same for a task that is in a call: the address behind its syscall instruction. */
uaddr_t patch_call_rip(struct mm *mm, const struct regs *regs);
/* A task of mm has taken %gs: brings the original code back, for good. */
void patch_disable(struct mm *mm);

struct patch_stats {
	uint64_t sites_a, sites_b; /* patched */
	uint64_t refused;	   /* traps at sites that cannot be patched */
	uint64_t pages;		   /* copies made */
};
void patch_get_stats(struct patch_stats *out);
