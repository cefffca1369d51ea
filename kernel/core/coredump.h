/* SPDX-License-Identifier: MIT */
/* coredump.h - core(5): what is left of a process that died of its own fault. */
#pragma once
#include "abi/signal.h"
#include "abi/types.h"

struct file;
struct process;
struct task;

/* What a debugger wants to know of a thread: the contents of NT_PRSTATUS. */
struct core_status {
	int32_t info_signo, info_code, info_errno;
	int16_t signo, pad0;
	uint64_t pending, blocked;
	int32_t pid, ppid, pgrp, sid;
	uint64_t times[8]; /* user, system, and of children: seconds, microseconds */
	uint64_t reg[27];
	int32_t fp_valid, pad1;
};

_Static_assert(sizeof(struct core_status) == 336, "elf_prstatus");

struct core_thread {
	struct core_thread *next;
	struct core_status status;
	uint8_t fp[512] __attribute__((aligned(16))); /* as fxsave leaves it */
};

/* t, which is current(), dies of signo: ends the other threads of its process and writes
 * a core file, if limits and settings ask for one. True: there is one. The process is
 * doomed then and otherwise unless false is returned at once. */
bool core_dump(struct task *t, int signo, const struct linux_siginfo *info);
/* A thread, current(), that dies while another dumps: leaves its registers. */
void core_leave_thread(struct task *t);

/* ---- between coredump*.c ---- */

/* The registers of t, which is current(). NULL: no memory. */
struct core_thread *core_thread_create(struct task *t, int signo,
				       const struct linux_siginfo *info) MUST_CHECK;
/* Writes threads, the dying one first, and the memory, as far as the limit of bytes goes
 * and nobody kills t. False: it could not begin. */
bool core_write(struct task *t, struct file *f, const struct core_thread *threads,
		const struct linux_siginfo *info, uint64_t limit) MUST_CHECK;
