/* SPDX-License-Identifier: MIT */
/* task_hooks.h - what the entry code needs of a task; process/, a layer above, provides
 * it. */
#pragma once
#include "abi/types.h"

struct linux_siginfo;
struct sleeper;
struct task;

/* First address that is never the guest's. */
#define KERNEL_RANGE_START 0x7ff000000000UL

/* The vsyscall page: one page that every process can call into. */
#define VSYSCALL_START 0xffffffffff600000UL

#define TRAP_PAGE_FAULT 14
/* Bits of a page fault's error code. */
#define PAGE_FAULT_WRITE 2UL
#define PAGE_FAULT_USER	 4UL
#define PAGE_FAULT_EXEC	 16UL

/* The guest has set its own %gs base: from now on it leaves the kernel by iretq. */
void task_set_gs(struct task *t, uint64_t gs_base);
/* The guest came from 32-bit code: it leaves the kernel by iretq, too. */
void task_set_compat(struct task *t);
/* Keeps a fault until fault_enter() takes it. */
void task_set_fault(struct task *t, int signo, const struct linux_siginfo *info,
		    uint64_t trapno, uint64_t err, uint64_t cr2);
/* The guest's trap flag was set when it entered the kernel: to be set again on return. */
void task_set_step(struct task *t);
/* One of the kernel's accesses to guest memory has faulted at addr. True: it is to wait,
 * in user_fault_held(), for whoever deals with the guest's faults (mm/uffd.h), or to see
 * a stack grow. Else it fails; when it only must not sleep, t remembers. */
bool task_access_fault(struct task *t, uint64_t addr, bool is_write, bool may_sleep);
/* The waiting, on the kernel stack of the access. 1: it is to be tried again, 0: it
 * fails. */
int user_fault_held(uint64_t addr, uint64_t error);
/* The call that is about to be made came by int 0x80. */
void task_set_ia32(struct task *t);
/* Something comes before the task's calls, or instead of them. */
bool task_calls_are_watched(const struct task *t);
struct sleeper *task_sleeper(struct task *t);
uint64_t task_kstack_top(const struct task *t);
