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

/* The guest has set its own %gs base: from now on it leaves the kernel by iretq. */
void task_set_gs(struct task *t, uint64_t gs_base);
/* The guest came from 32-bit code: it leaves the kernel by iretq, too. */
void task_set_compat(struct task *t);
/* Keeps a fault until fault_enter() takes it. */
void task_set_fault(struct task *t, int signo, const struct linux_siginfo *info,
		    uint64_t trapno, uint64_t err, uint64_t cr2);
/* The guest's trap flag was set when it entered the kernel: to be set again on return. */
void task_set_step(struct task *t);
struct sleeper *task_sleeper(struct task *t);
uint64_t task_kstack_top(const struct task *t);
