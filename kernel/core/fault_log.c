/* SPDX-License-Identifier: MIT */
/* fault_log.c - see fault_log.h. In Linux's words, which programs look for in the log. */
#include "core/fault_log.h"

#include "arch/x86_64/regs.h"
#include "base/page.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/vma.h"
#include "process/klog.h"
#include "process/system.h"
#include "process/task.h"
#include "signal/signal.h"

enum { TRAP_DIVIDE = 0, TRAP_OPCODE = 6, TRAP_PROTECTION = 13, TRAP_PAGE = 14 };

static int show_faults = 1; /* atomic: debug.exception-trace */
static int show_fatal;	    /* atomic: kernel.print-fatal-signals */

void fault_log_init(void)
{
	proc_sysctl_number("debug/exception-trace", &show_faults, 0, INT32_MAX);
	proc_sysctl_number("kernel/print-fatal-signals", &show_fatal, 0, 1);
}

void klog_boot(const char *command_line)
{
	klog_print(KLOG_NOTICE, "Linux version %s (carbyne) %s", KERNEL_RELEASE,
		   KERNEL_VERSION);
	klog_print(KLOG_INFO, "Command line: %s", command_line);
}

/* " in NAME[OFFSET,START+SIZE]": where in the program that is. */
static void describe_place(struct mm *mm, uaddr_t addr, char *buf, size_t size)
{
	char *path = page_alloc(0);
	const char *name;
	struct vma *v;
	uint64_t dev;
	uint64_t ino;

	buf[0] = '\0';
	if (!path)
		return;
	path[0] = '\0';
	lock_take(&mm->lock);
	v = vma_at(mm, addr);
	if (v && v->object && v->object->ops->describe)
		v->object->ops->describe(v->object, path, PAGE_SIZE, &dev, &ino);
	if (path[0]) {
		name = strrchr(path, '/');
		(void)snprintf(buf, size, " in %s[%lx,%lx+%lx]", name ? name + 1 : path,
			       addr - v->start + v->off, v->start, v->end - v->start);
	}
	lock_drop(&mm->lock);
	page_free(path, 0);
}

static bool is_handled(struct task *t, int signo)
{
	uint64_t handler;

	lock_take(&t->process->lock);
	handler = t->sighand->action[signo - 1].handler;
	lock_drop(&t->process->lock);
	return handler != LINUX_SIG_DFL && handler != LINUX_SIG_IGN;
}

void fault_log(struct task *t, const struct regs *r)
{
	const char *what = NULL;
	char place[128];

	if (!atomic_load_relaxed(&show_faults) || is_handled(t, t->fault_signo))
		return;
	switch (t->fault_trapno) {
	case TRAP_DIVIDE:
		what = "trap divide error";
		break;
	case TRAP_OPCODE:
		what = "trap invalid opcode";
		break;
	case TRAP_PROTECTION:
		what = "general protection fault";
		break;
	case TRAP_PAGE:
		if (t->fault_signo == SIGSEGV)
			break;
		return;
	default:
		return;
	}
	if (!klog_ratelimit())
		return;
	describe_place(t->mm, r->rip, place, sizeof(place));
	if (what)
		klog_print(KLOG_INFO, "traps: %s[%d] %s ip:%lx sp:%lx error:%lx%s",
			   t->comm, t->tid, what, r->rip, r->rsp, t->fault_error, place);
	else
		klog_print(KLOG_INFO,
			   "%s[%d]: segfault at %lx ip %016lx sp %016lx error %lx%s",
			   t->comm, t->tid, t->fault_cr2, r->rip, r->rsp, t->fault_error,
			   place);
}

void fatal_signal_log(const struct task *t, int signo)
{
	if (likely(!atomic_load_relaxed(&show_fatal)))
		return;
	klog_print(KLOG_INFO, "%s[%d]: potentially unexpected fatal signal %d.", t->comm,
		   t->tid, signo);
}
