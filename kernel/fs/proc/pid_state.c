/* SPDX-License-Identifier: MIT */
/* pid_state.c - what a task is about, and what never differs.
 *
 * Limits: the kernel's own stack is not shown; one who sleeps is not said to wait in any
 * function (wchan). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "arch/x86_64/regs.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/task.h"
#include "signal/posix_timer.h"

int pid_show_personality(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	text_printf(out, "%08x\n", t->personality);
	return 0;
}

/* The registers of one who is in the kernel, as it came there. */
int pid_show_syscall(struct text *out, struct task *t, const struct pid_inode *i)
{
	char state = task_state_letter(t);
	const struct regs *r = t->regs;

	(void)i;
	if (state == 'Z' || state == 'X' || !r) {
		text_puts(out, "0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n");
		return 0;
	}
	if (t != current() && state == 'R') {
		text_puts(out, "running\n");
		return 0;
	}
	if ((int64_t)r->orig_rax < 0)
		text_printf(out, "-1 0x%lx 0x%lx\n", r->rsp, r->rip);
	else
		text_printf(out, "%lu 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n",
			    r->orig_rax, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9,
			    r->rsp, r->rip);
	return 0;
}

int pid_show_stack(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)out;
	(void)t;
	(void)i;
	return capable(CAP_SYS_ADMIN) ? 0 : -EACCES;
}

static const char *notify_name(int notify)
{
	switch (notify & ~SIGEV_THREAD_ID) {
	case SIGEV_SIGNAL:
		return "signal";
	case SIGEV_NONE:
		return "none";
	default:
		return "thread";
	}
}

static void show_timer(const struct posix_timer_info *info, void *arg)
{
	struct text *out = arg;

	text_printf(out, "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%d\nClockID: %d\n",
		    info->id, info->signo, info->value, notify_name(info->notify),
		    info->notify & SIGEV_THREAD_ID ? "tid" : "pid", info->target,
		    info->clock);
}

int pid_show_timers(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	posix_timers_list(t->process, show_timer, out);
	return 0;
}

int pid_show_fixed(struct text *out, struct task *t, const struct pid_inode *i)
{
	static const char *const texts[][2] = {
		{"cgroup", "0::/\n"},
		{"cpuset", "/\n"},
		{"ksm_merging_pages", "0\n"},
		{"ksm_stat",
		 "ksm_rmap_items 0\nksm_zero_pages 0\nksm_merging_pages 0\n"
		 "ksm_process_profit 0\nksm_merge_any: no\nksm_mergeable: no\n"},
		{"wchan", "0"},
	};

	(void)t;
	for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
		if (string_equal(texts[k][0], i->entry->name))
			text_puts(out, texts[k][1]);
	return 0;
}
