/* SPDX-License-Identifier: MIT */
/* trap.c - handlers of host signals.
 *
 * SIGSYS: a system call from outside the kernel's text (Syscall User Dispatch), or a call
 * into the host's vsyscall page, which goes by the dispatch but not by the filter.
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP: a fault of the guest, or of the kernel at
 * guest memory. SIGURG: the kick: somebody wants this thread to look at its work word.
 *
 * A handler runs on the cpu's alternate stack, by which it finds the cpu (the guest may
 * own %gs). It does no work: it moves the guest's registers to the task's kernel stack,
 * points the interrupted context at an entry of entry.S and returns through the host,
 * which brings the vector state back. A signal return has no use for it and goes on at
 * once. The guest may have come from 32-bit code: the kernel is entered, and handlers of
 * signals are, with the 64-bit code segment. */
#include "arch/x86_64/trap.h"

#include "abi/errno.h"
#include "abi/seccomp.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/task_hooks.h"
#include "base/cpu.h"
#include "base/cpu_call.h"
#include "base/panic.h"
#include "base/waitq.h"
#include "host/host.h"
#include "lib/atomic.h"

_Static_assert(offsetof(struct cpu, task) == CPU_TASK, "offsets.h");
_Static_assert(offsetof(struct cpu, kstack_top) == CPU_KSTACK_TOP, "offsets.h");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "offsets.h");
_Static_assert(offsetof(struct cpu, work) == CPU_WORK, "offsets.h");
_Static_assert(offsetof(struct cpu, resume_rip) == CPU_RESUME_RIP, "offsets.h");
_Static_assert(offsetof(struct cpu, fast_calls) == CPU_FAST_CALLS, "offsets.h");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "offsets.h");
_Static_assert(offsetof(struct regs, rflags) == REGS_RFLAGS, "offsets.h");
_Static_assert(offsetof(struct regs, rsp) == REGS_RSP, "offsets.h");
_Static_assert(offsetof(struct regs, insn_len) == REGS_INSN_LEN, "offsets.h");
_Static_assert(offsetof(struct regs, is_compat) == REGS_IS_COMPAT, "offsets.h");
_Static_assert(sizeof(struct regs) == REGS_SIZE, "offsets.h");
_Static_assert(KSTACK_RESERVED >= CPU_SIZE + 40, "offsets.h");
_Static_assert(WORK_GS == WORK_GS_BIT, "offsets.h");
_Static_assert(USER32_CS == USER_CS - (1 << USER32_SHIFT), "offsets.h");

#define RFLAGS_TF 0x100UL
#define RFLAGS_DF 0x400UL
#define RFLAGS_AC 0x40000UL

struct ex_entry {
	uint64_t fault;
	uint64_t fixup;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];
extern char entry_return[], entry_return_end[], entry_return_gs[], entry_return_gs_end[];
extern char entry_iretq[], entry_fast[], entry_fast_b[], entry_fast_end[];
extern char entry_slow[], entry_kick[], entry_fault[];
_Noreturn void entry_slow_now(struct regs *r);
extern char user_access_waits[];
extern char host_block_check[], host_block_syscall[], host_block_eintr[];

static struct cpu *cpu_of_handler(void)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);

	return (struct cpu *)((sp | (CPU_AREA_SIZE - 1)) + 1 -
			      CPU_SIZE); // NOLINT(performance-no-int-to-ptr)
}

/* Moves the interrupted guest context to the kernel stack and continues at entry. */
static struct regs *enter_kernel(struct cpu *cpu, struct linux_ucontext *uc, char *entry)
{
	struct linux_sigcontext *c = &uc->uc_mcontext;
	struct regs *r = (struct regs *)(cpu->kstack_top - sizeof(*r)); // NOLINT
	uint64_t gs = gs_base_read();

	if (gs != (uint64_t)cpu) {
		task_set_gs(cpu->task, gs);
		gs_base_write((uint64_t)cpu);
	}
	r->r15 = c->r15;
	r->r14 = c->r14;
	r->r13 = c->r13;
	r->r12 = c->r12;
	r->rbp = c->rbp;
	r->rbx = c->rbx;
	r->r11 = c->r11;
	r->r10 = c->r10;
	r->r9 = c->r9;
	r->r8 = c->r8;
	r->rax = c->rax;
	r->rcx = c->rcx;
	r->rdx = c->rdx;
	r->rsi = c->rsi;
	r->rdi = c->rdi;
	r->orig_rax = UINT64_MAX;
	r->rip = c->rip;
	r->rflags = c->eflags;
	r->rsp = c->rsp;
	r->insn_len = 0;
	r->is_compat = c->cs == USER32_CS;
	if (r->is_compat)
		task_set_compat(cpu->task);
	c->cs = USER_CS;
	c->ss = USER_SS;
	c->rip = (uint64_t)entry;
	c->rsp = (uint64_t)r;
	c->eflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_AC);
	return r;
}

/* The host has skipped a call into its vsyscall page and returned from it: it becomes the
 * fault that it is where there is no such page. */
static void on_vsyscall(struct cpu *cpu, const struct linux_siginfo *info,
			struct linux_ucontext *uc)
{
	struct linux_sigcontext *c = &uc->uc_mcontext;
	struct linux_siginfo fault = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};

	c->rip = info->sys.call_addr;
	c->rsp -= sizeof(uint64_t);
	fault.fault.addr = c->rip;
	task_set_fault(cpu->task, SIGSEGV, &fault, TRAP_PAGE_FAULT,
		       PAGE_FAULT_USER | PAGE_FAULT_EXEC, c->rip);
	(void)enter_kernel(cpu, uc, entry_fault);
}

static void on_syscall(int signo, struct linux_siginfo *info, struct linux_ucontext *uc)
{
	struct cpu *cpu = cpu_of_handler();
	struct regs *r;

	(void)signo;
	if (cpu->in_vdso) {
		uc->uc_mcontext.rax = (uint64_t)-ENOSYS;
		return;
	}
	if (unlikely(info->si_code == SYS_SECCOMP) && cpu->task) {
		on_vsyscall(cpu, info, uc);
		return;
	}
	if (is_kernel_text(uc->uc_mcontext.rip))
		panic("system call trap in the kernel at %#lx", uc->uc_mcontext.rip);
	r = enter_kernel(cpu, uc, entry_slow);
	r->orig_rax = r->rax;
	r->insn_len = 2;
	r->r11 = r->rflags; /* as the instruction leaves them */
	r->rcx = r->rip;
	/* int 0x80 and sysenter bring i386 numbers: no such calls here. */
	if (info->sys.arch != AUDIT_ARCH_X86_64)
		task_set_ia32(cpu->task);
	cpu->slow_calls++;
	/* All registers come from the guest's frame: what the host has saved here may go,
	 * which spares its own signal return, a third of what the trap costs. No signal
	 * is blocked in a handler, and the alternate stack is empty again without a word.
	 * Not so if the call may yet be refused. */
	if (r->orig_rax == NR_rt_sigreturn && !task_calls_are_watched(cpu->task))
		entry_slow_now(r);
}

static bool in_range(uint64_t rip, const char *start, const char *end)
{
	return rip >= (uint64_t)start && rip < (uint64_t)end;
}

/* Another thread's job. The guest may own %gs, and may have asked for alignment checks.
 */
static void do_call(struct cpu *cpu)
{
	uint64_t gs = gs_base_read();

	__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" ::"i"(~RFLAGS_AC) : "cc");
	gs_base_write((uint64_t)cpu);
	cpu_call_take(cpu);
	gs_base_write(gs);
}

/* From the last instructions before the guest, which leave the struct regs whole. */
static void back_on_kstack(struct cpu *cpu, struct linux_sigcontext *c, char *entry)
{
	gs_base_write((uint64_t)cpu);
	c->rip = (uint64_t)entry;
	c->rsp = cpu->kstack_top - sizeof(struct regs);
	c->eflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_AC);
}

static void on_kick(int signo, struct linux_siginfo *info, struct linux_ucontext *uc)
{
	struct cpu *cpu = cpu_of_handler();
	struct linux_sigcontext *c = &uc->uc_mcontext;

	(void)signo;
	(void)info;
	if (unlikely(atomic_load_relaxed(&cpu->call)))
		do_call(cpu);
	if (in_range(c->rip, entry_return, entry_return_end) ||
	    in_range(c->rip, entry_return_gs, entry_return_gs_end)) {
		back_on_kstack(cpu, c, entry_return);
		return;
	}
	if (c->rip >= (uint64_t)host_block_check &&
	    c->rip <= (uint64_t)host_block_syscall) {
		/* About to sleep in the host: the stub looks at the work word again. */
		c->rip = (uint64_t)host_block_check;
		return;
	}
	if (is_kernel_text(c->rip) || !cpu->task || cpu->in_vdso ||
	    c->rip >= KERNEL_RANGE_START)
		return;
	(void)enter_kernel(cpu, uc, entry_kick);
}

/* Lets the access wait on its own stack: see usercopy.S. */
static bool access_waits(struct cpu *cpu, int signo, struct linux_sigcontext *c,
			 uint64_t fixup)
{
	uint64_t *sp = (uint64_t *)c->rsp; // NOLINT(performance-no-int-to-ptr)

	if (signo != SIGSEGV || c->trapno != TRAP_PAGE_FAULT || !cpu->task)
		return false;
	/* Jobs for other threads run on the alternate stack. */
	if (c->rsp >= cpu->kstack_top || c->rsp < cpu->kstack_top - KSTACK_SIZE)
		return false;
	if (!task_access_fault(cpu->task, c->cr2, c->err & PAGE_FAULT_WRITE,
			       !cpu->locks_held))
		return false;
	*--sp = c->rip;
	*--sp = fixup;
	*--sp = c->cr2;
	*--sp = c->err;
	c->rsp = (uint64_t)sp;
	c->rip = (uint64_t)user_access_waits;
	return true;
}

/* A fault at guest memory on the kernel's behalf: continue at the fixup. */
static bool fixup_exception(struct cpu *cpu, int signo, struct linux_sigcontext *c)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++) {
		if (e->fault != c->rip)
			continue;
		if (!access_waits(cpu, signo, c, e->fixup))
			c->rip = e->fixup;
		return true;
	}
	return false;
}

static void regs_from_context(struct regs *r, const struct linux_sigcontext *c)
{
	*r = (struct regs){c->r15, c->r14, c->r13, c->r12,    c->rbp, c->rbx, c->r11,
			   c->r10, c->r9,  c->r8,  c->rax,    c->rcx, c->rdx, c->rsi,
			   c->rdi, 0,	   c->rip, c->eflags, c->rsp, 0,      0};
}

/* The guest has set its GS by itself and then called by a patched site. */
static bool entered_with_own_gs(const struct cpu *cpu, uint64_t rip)
{
	return in_range(rip, entry_fast_b, entry_fast_end) && cpu->task &&
	       gs_base_read() != (uint64_t)cpu;
}

/* A fault in the kernel's text. Returns whether it is dealt with; else it is the guest's.
 */
static bool kernel_fault(struct cpu *cpu, int signo, const struct linux_siginfo *info,
			 struct linux_sigcontext *c)
{
	struct regs r;

	if (fixup_exception(cpu, signo, c))
		return true;
	if (signo == SIGTRAP && (c->eflags & RFLAGS_TF)) {
		/* The guest steps and has jumped here: it goes on stepping when it is
		 * back. */
		c->eflags &= ~RFLAGS_TF;
		task_set_step(cpu->task);
		return true;
	}
	if (c->rip == (uint64_t)entry_iretq)
		return false; /* what the guest returns to is nowhere */
	if (entered_with_own_gs(cpu, c->rip)) {
		if (c->rip != (uint64_t)entry_fast && c->rip != (uint64_t)entry_fast_b)
			return false; /* its stack pointer came from its memory */
		task_set_gs(cpu->task, gs_base_read());
		gs_base_write((uint64_t)cpu);
		return true; /* once more: nothing is lost yet */
	}
	gs_base_write((uint64_t)cpu);
	regs_from_context(&r, c);
	panic_fault(&r, signo, info->fault.addr);
}

static void on_fault(int signo, struct linux_siginfo *info, struct linux_ucontext *uc)
{
	struct cpu *cpu = cpu_of_handler();
	struct linux_sigcontext *c = &uc->uc_mcontext;

	if (is_kernel_text(c->rip) && kernel_fault(cpu, signo, info, c))
		return;
	if (!cpu->task)
		panic("signal %d with no task at %#lx", signo, c->rip);
	task_set_fault(cpu->task, signo, info, c->trapno, c->err, c->cr2);
	if (c->rip == (uint64_t)entry_iretq)
		back_on_kstack(cpu, c, entry_fault);
	else
		(void)enter_kernel(cpu, uc, entry_fault);
}

int trap_init(void)
{
	static const struct {
		int signo;
		void (*handler)(int, struct linux_siginfo *, struct linux_ucontext *);
	} all[] = {
		{SIGSYS, on_syscall}, {SIGURG, on_kick},  {SIGSEGV, on_fault},
		{SIGBUS, on_fault},   {SIGFPE, on_fault}, {SIGILL, on_fault},
		{SIGTRAP, on_fault},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int err = host_sigaction(all[i].signo, (void *)all[i].handler);

		if (err)
			return err;
	}
	return 0;
}

void cpu_set_task(struct cpu *cpu, struct task *task)
{
	cpu->task = task;
	cpu->sleeper = task_sleeper(task);
	cpu->work = &cpu->sleeper->work;
	cpu->kstack_top = task_kstack_top(task);
}
