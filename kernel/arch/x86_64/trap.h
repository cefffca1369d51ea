/* SPDX-License-Identifier: MIT */
/* trap.h - host signals: how system calls, faults and kicks reach the kernel; see entry.S
 * for the rest. */
#pragma once
#include "abi/types.h"

struct cpu;
struct regs;
struct task;
struct linux_siginfo;

/* Installs the handlers of the calling host process (inherited by all that it clones). 0
 * or -errno. */
int trap_init(void) MUST_CHECK;
/* Points %gs at cpu and the cpu's work and sleeper at its task. */
void cpu_set_task(struct cpu *cpu, struct task *task);
/* Goes to the guest with the given registers, which must lie at the top of the current
 * task's kernel stack. */
NORETURN void entry_resume(struct regs *regs);
NORETURN void stack_call(uint64_t stack_top, void (*fn)(void *), void *arg);
void task_lend(uint64_t *saved_sp, struct regs *child);
NORETURN void task_give_back(uint64_t saved_sp);

static inline uint64_t fs_base_read(void)
{
	uint64_t v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}
static inline void fs_base_write(uint64_t v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}
static inline void gs_base_write(uint64_t v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v) : "memory");
}
static inline uint64_t gs_base_read(void)
{
	uint64_t v;

	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

extern char kernel_text_start[], kernel_text_end[];
static inline bool is_kernel_text(uint64_t rip)
{
	return rip >= (uint64_t)kernel_text_start && rip < (uint64_t)kernel_text_end;
}

/* Provided by core/: C side of entry.S. */
void syscall_enter(struct regs *regs);
void syscall_enter_slow(struct regs *regs);
void fault_enter(struct regs *regs);
int return_work(struct regs *regs);
