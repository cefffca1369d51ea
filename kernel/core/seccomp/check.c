/* SPDX-License-Identifier: MIT */
/* check.c - what becomes of one call of a task that has filters.
 *
 * Limit against Linux: a task cannot be traced, so SECCOMP_RET_TRACE always means ENOSYS.
 */
#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/wait.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/regs.h"
#include "core/exit.h"
#include "core/seccomp/internal.h"
#include "core/seccomp/seccomp.h"
#include "lib/atomic.h"
#include "lib/bpf.h"
#include "process/task.h"
#include "signal/hooks.h"
#include "signal/signal.h"

/* ---- the filters' answer ---- */

/* Answers in order of strictness, as signed numbers: SECCOMP_RET_KILL_PROCESS is the
 * lowest. */
static int32_t action_of(uint32_t answer)
{
	return (int32_t)(answer & SECCOMP_RET_ACTION_FULL);
}

/* Whether all filters from f on allow the call whatever its arguments are. */
static bool is_always_allowed(const struct seccomp_filter *f, int nr, uint32_t arch)
{
	const uint32_t known[2] = {(uint32_t)nr, arch};
	uint32_t answer;

	_Static_assert(offsetof(struct linux_seccomp_data, nr) == 0 &&
			       offsetof(struct linux_seccomp_data, arch) == 4,
		       "known");
	for (; f; f = f->prev)
		if (!bpf_foresee(f->program, known, ARRAY_SIZE(known), &answer) ||
		    answer != SECCOMP_RET_ALLOW)
			return false;
	return true;
}

static bool bit_is_set(const uint64_t *map, size_t bit)
{
	return atomic_load(&map[bit / 64]) >> (bit % 64) & 1;
}

/* The same, remembered in f. */
static bool is_known_allowed(struct seccomp_filter *f, int nr, uint32_t arch)
{
	size_t bit = (size_t)nr;

	if (arch != AUDIT_ARCH_X86_64 || bit >= SYSCALL_LIMIT)
		return false;
	if (likely(bit_is_set(f->allowed, bit)))
		return true;
	if (bit_is_set(f->known, bit))
		return false;
	if (is_always_allowed(f, nr, arch))
		(void)atomic_or(&f->allowed[bit / 64], 1UL << (bit % 64));
	(void)atomic_or(&f->known[bit / 64], 1UL << (bit % 64));
	return bit_is_set(f->allowed, bit);
}

/* The strictest answer, and who gave it: of those that agree, the one added last. */
static uint32_t ask_all(struct seccomp_filter *f, const struct linux_seccomp_data *data,
			struct seccomp_filter **match)
{
	uint32_t strictest = SECCOMP_RET_ALLOW;

	for (; f; f = f->prev) {
		uint32_t answer =
			bpf_run_words(f->program, (const uint32_t *)data, sizeof(*data));

		if (action_of(answer) < action_of(strictest)) {
			strictest = answer;
			*match = f;
		}
	}
	return strictest;
}

/* ---- what follows ---- */

static void fill_signal(struct linux_siginfo *info, const struct linux_seccomp_data *data,
			uint32_t answer)
{
	*info = (struct linux_siginfo){
		.si_signo = SIGSYS,
		.si_code = SYS_SECCOMP,
		.si_errno = (int32_t)(answer & SECCOMP_RET_DATA),
	};
	info->sys.call_addr = data->instruction_pointer;
	info->sys.syscall = data->nr;
	info->sys.arch = data->arch;
}

/* SECCOMP_RET_KILL_*: of a thread alone while there are others. */
static NORETURN void die(struct task *t, const struct linux_siginfo *info, bool is_thread)
{
	struct process *p = t->process;
	bool is_last;

	t->seccomp_mode = SECCOMP_MODE_DEAD;
	t->regs->rax = t->regs->orig_rax; /* as the core file is to show it */
	lock_take(&p->lock);
	is_last = p->live_tasks == 1;
	if ((!is_thread || is_last) && signal_trace_hook)
		signal_trace_hook(t, SIGSYS, info);
	lock_drop(&p->lock);
	if (is_thread && !is_last)
		task_exit(t, WAIT_STATUS_SIGNAL(SIGSYS, false));
	task_exit_by_signal(t, SIGSYS, info);
}

static void check_strict(struct task *t, int nr, uint32_t arch)
{
	struct linux_seccomp_data data = {.nr = nr, .arch = arch};

	if (t->seccomp_mode == SECCOMP_MODE_STRICT && arch == AUDIT_ARCH_X86_64 &&
	    (nr == NR_read || nr == NR_write || nr == NR_exit || nr == NR_rt_sigreturn))
		return;
	t->seccomp_mode = SECCOMP_MODE_DEAD;
	data.instruction_pointer = patch_call_rip(t->mm, t->regs);
	seccomp_log(t, &data, SIGKILL, SECCOMP_RET_KILL_THREAD, true);
	task_exit(t, WAIT_STATUS_SIGNAL(SIGKILL, false));
}

static bool do_act(struct task *t, const struct linux_seccomp_data *data, uint32_t answer,
		   struct seccomp_filter *match, long *result)
{
	uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
	struct linux_siginfo info;

	switch (action) {
	case SECCOMP_RET_ALLOW:
		return true;
	case SECCOMP_RET_LOG:
		seccomp_log(t, data, 0, action, true);
		return true;
	case SECCOMP_RET_ERRNO:
		*result = -(long)MIN(answer & SECCOMP_RET_DATA, (uint32_t)MAX_ERRNO);
		return false;
	case SECCOMP_RET_TRAP:
		fill_signal(&info, data, answer);
		signal_force(t, SIGSYS, &info);
		*result = (long)t->regs->orig_rax; /* the handler finds it there */
		return false;
	case SECCOMP_RET_TRACE:
		*result = -ENOSYS;
		return false;
	case SECCOMP_RET_USER_NOTIF:
		return listener_allows(t, match, data, result);
	default: /* SECCOMP_RET_KILL_PROCESS, and what is no action */
		fill_signal(&info, data, answer);
		seccomp_log(t, data, SIGSYS, action, true);
		die(t, &info, action == SECCOMP_RET_KILL_THREAD);
	}
}

/* Calls that do not take place are told of if the filter wants it. */
static bool act(struct task *t, const struct linux_seccomp_data *data, uint32_t answer,
		struct seccomp_filter *match, long *result)
{
	if (do_act(t, data, answer, match, result))
		return true;
	if (match && match->is_logged)
		seccomp_log(t, data, 0, answer & SECCOMP_RET_ACTION_FULL, true);
	return false;
}

bool seccomp_allows(struct task *t, int nr, const uint64_t arg[6], uint32_t arch,
		    long *result)
{
	struct seccomp_filter *f = atomic_load(&t->seccomp_filter);
	struct seccomp_filter *match = NULL;
	struct linux_seccomp_data data;
	uint32_t answer;

	if (unlikely(t->seccomp_mode != SECCOMP_MODE_FILTER)) {
		check_strict(t, nr, arch);
		return true;
	}
	if (likely(is_known_allowed(f, nr, arch)))
		return true;
	data.nr = nr;
	data.arch = arch;
	data.instruction_pointer = patch_call_rip(t->mm, t->regs);
	for (int i = 0; i < 6; i++)
		data.args[i] = arg[i];
	answer = ask_all(f, &data, &match);
	return act(t, &data, answer, match, result);
}
