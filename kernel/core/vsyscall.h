/* SPDX-License-Identifier: MIT */
/* vsyscall.h - the page near the top of the address space, whose three addresses old
 * programs call for the time and the processor they run on. */
#pragma once
#include "abi/types.h"

struct regs;
struct task;

/* A fetch of t's at regs->rip has faulted. True when that is in the page: the call
 * has been made, and regs are those of the caller after it, or a signal has been sent. */
bool vsyscall_enter(struct task *t, struct regs *regs);
