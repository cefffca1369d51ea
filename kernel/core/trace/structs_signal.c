/* SPDX-License-Identifier: MIT */
/* structs_signal.c - signals and what belongs to them, as text. */
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/wait.h"
#include "core/trace/flags.h"
#include "core/trace/format.h"
#include "core/trace/structs.h"
#include "lib/string.h"

/* clang-format off */
static const struct flag_name actions[] = {
	N(SA_RESTORER), N(SA_ONSTACK), N(SA_RESTART), N(SA_NODEFER), N(SA_RESETHAND),
	N(SA_SIGINFO), N(SA_NOCLDSTOP), N(SA_NOCLDWAIT),
};
static const struct flag_set action_flags = FLAGS(actions);

static const struct flag_name stacks[] = {
	N(SS_AUTODISARM), N(SS_ONSTACK), N(SS_DISABLE),
};
static const struct flag_set stack_flags = FLAGS(stacks);

static const struct flag_name notices[] = {
	N(SIGEV_SIGNAL), N(SIGEV_NONE), N(SIGEV_THREAD), N(SIGEV_THREAD_ID),
};
static const struct flag_set notice_names = ENUM(notices);

static const struct flag_name codes[] = {
	N(SI_USER), N(SI_KERNEL), N(SI_QUEUE), N(SI_TIMER), N(SI_MESGQ), N(SI_ASYNCIO),
	N(SI_SIGIO), N(SI_TKILL), N(SI_DETHREAD), N(SI_ASYNCNL),
};

/* What positive codes mean, by signal: their numbers begin at 1. */
static const char *const ill[] = {
	"ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC",
	"ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK",
};
static const char *const fpe[] = {
	"FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND",
	"FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB",
};
static const char *const segv[] = {
	"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR",
};
static const char *const bus[] = {
	"BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO",
};
static const char *const trap[] = {
	"TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK",
};
static const char *const cld[] = {
	"CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED",
	"CLD_CONTINUED",
};
static const char *const polls[] = {
	"POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP",
};
#define OF(signo, array) { signo, ARRAY_SIZE(array), array }
static const struct {
	int signo;
	int count;
	const char *const *names;
} code_names[] = {
	OF(SIGILL, ill), OF(SIGFPE, fpe), OF(SIGSEGV, segv), OF(SIGBUS, bus),
	OF(SIGTRAP, trap), OF(SIGCHLD, cld), OF(SIGIO, polls),
};
/* clang-format on */

static void print_flags(struct text *t, const struct flag_set *set, uint64_t value)
{
	t->len += flags_format(t->buf + t->len, t->size - t->len, set, value);
}

/* "INT" for SIGINT */
static void print_short(struct text *t, int signo)
{
	const struct flag_set *set = flags_find(ARG_SIGNO);

	for (size_t i = 0; i < set->count; i++) {
		if (set->names[i].value == (uint64_t)signo) {
			text_add(t, "%s", set->names[i].name + 3);
			return;
		}
	}
	if (signo == SIGRTMIN)
		text_add(t, "RTMIN");
	else if (signo > SIGRTMIN && signo <= SIGRTMAX)
		text_add(t, "RT_%d", signo - SIGRTMIN);
	else
		text_add(t, "%d", signo);
}

void print_signal(struct text *t, int signo)
{
	if (signo >= 1 && signo <= NSIG)
		text_add(t, "SIG");
	print_short(t, signo);
}

void print_sigset(struct text *t, uint64_t set)
{
	const char *space = "";
	int count = 0;

	for (uint64_t rest = set; rest; rest &= rest - 1)
		count++;
	if (count >= NSIG * 2 / 3) {
		text_add(t, "~");
		set = ~set;
	}
	text_add(t, "[");
	for (int signo = 1; signo <= NSIG; signo++) {
		if (!(set & SIGSET_BIT(signo)))
			continue;
		text_add(t, "%s", space);
		print_short(t, signo);
		space = " ";
	}
	text_add(t, "]");
}

static void print_code(struct text *t, int signo, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(code_names); i++) {
		if (code_names[i].signo == signo && code >= 1 &&
		    code <= code_names[i].count) {
			text_add(t, "%s", code_names[i].names[code - 1]);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i].value == (uint64_t)(int64_t)code) {
			text_add(t, "%s", codes[i].name);
			return;
		}
	}
	text_add(t, "%#x", (unsigned)code);
}

static void print_value(struct text *t, linux_sigval_t value)
{
	text_add(t, ", si_value={int=%d, ptr=", value.sival_int);
	text_add_address(t, value.sival_ptr);
	text_add(t, "}");
}

static void print_child(struct text *t, const struct linux_siginfo *s)
{
	text_add(t, ", si_pid=%d, si_uid=%u, si_status=", s->child.pid, s->child.uid);
	if (s->si_code == CLD_EXITED)
		text_add(t, "%d", s->child.status);
	else
		print_signal(t, s->child.status);
	text_add(t, ", si_utime=%lld, si_stime=%lld", (long long)s->child.utime,
		 (long long)s->child.stime);
}

static bool is_fault(int signo)
{
	return signo == SIGILL || signo == SIGFPE || signo == SIGSEGV ||
	       signo == SIGBUS || signo == SIGTRAP;
}

static void print_details(struct text *t, const struct linux_siginfo *s)
{
	if (s->si_code == SI_TIMER) {
		text_add(t, ", si_timerid=%#x, si_overrun=%d", (unsigned)s->timer.id,
			 s->timer.overrun);
		print_value(t, s->timer.value);
	} else if (s->si_code <= SI_USER) {
		text_add(t, ", si_pid=%d, si_uid=%u", s->kill.pid, s->kill.uid);
		if (s->si_code == SI_QUEUE || s->si_code == SI_MESGQ)
			print_value(t, s->queue.value);
	} else if (s->si_code == SI_KERNEL) {
		return;
	} else if (s->si_signo == SIGCHLD) {
		print_child(t, s);
	} else if (is_fault(s->si_signo)) {
		text_add(t, ", si_addr=");
		text_add_address(t, s->fault.addr);
	} else if (s->si_signo == SIGIO) {
		text_add(t, ", si_band=%lld, si_fd=%d", (long long)s->poll.band,
			 s->poll.fd);
	}
}

void print_siginfo(struct text *t, const struct linux_siginfo *info)
{
	if (info->si_signo == 0) {
		text_add(t, "{}");
		return;
	}
	text_add(t, "{si_signo=");
	print_signal(t, info->si_signo);
	text_add(t, ", si_code=");
	print_code(t, info->si_signo, info->si_code);
	print_details(t, info);
	text_add(t, "}");
}

void print_wait_status(struct text *t, uint32_t status)
{
	if (status == WAIT_STATUS_CONTINUED) {
		text_add(t, "{WIFCONTINUED(s)}");
	} else if ((status & 0xff) == 0x7f) {
		text_add(t, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		print_signal(t, (int)(status >> 8 & 0xff));
		text_add(t, "}");
	} else if (status & 0x7f) {
		text_add(t, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
		print_signal(t, (int)(status & 0x7f));
		text_add(t, status & 0x80 ? " && WCOREDUMP(s)}" : "}");
	} else {
		text_add(t, "{WIFEXITED(s) && WEXITSTATUS(s) == %u}", status >> 8 & 0xff);
	}
}

static void print_action(struct text *t, const struct linux_sigaction *a)
{
	text_add(t, "{sa_handler=");
	if (a->handler == LINUX_SIG_DFL)
		text_add(t, "SIG_DFL");
	else if (a->handler == LINUX_SIG_IGN)
		text_add(t, "SIG_IGN");
	else
		text_add(t, "%#llx", (unsigned long long)a->handler);
	text_add(t, ", sa_mask=");
	print_sigset(t, a->mask);
	text_add(t, ", sa_flags=");
	print_flags(t, &action_flags, a->flags);
	if (a->flags & SA_RESTORER)
		text_add(t, ", sa_restorer=%#llx", (unsigned long long)a->restorer);
	text_add(t, "}");
}

static void print_event(struct text *t, const struct linux_sigevent *e)
{
	text_add(t, "{sigev_value={sival_int=%d, sival_ptr=%#llx}, sigev_signo=",
		 e->sigev_value.sival_int, (unsigned long long)e->sigev_value.sival_ptr);
	print_signal(t, e->sigev_signo);
	text_add(t, ", sigev_notify=");
	print_flags(t, &notice_names, (uint64_t)e->sigev_kind);
	if (e->sigev_kind == SIGEV_THREAD_ID)
		text_add(t, ", sigev_notify_thread_id=%d", e->sigev_tid);
	text_add(t, "}");
}

bool struct_print_signal(struct text *t, uint8_t kind, const void *data, size_t size)
{
	union {
		uint64_t set;
		uint32_t status;
		struct linux_sigaction action;
		struct linux_siginfo info;
		struct linux_sigevent event;
		struct linux_stack stack;
	} u;

	memset(&u, 0, sizeof(u));
	memcpy(&u, data, MIN(size, sizeof(u)));
	if (kind == ARG_SIGSET && size >= sizeof(u.set)) {
		print_sigset(t, u.set);
	} else if (kind == ARG_SIGACT && size >= sizeof(u.action)) {
		print_action(t, &u.action);
	} else if (kind == ARG_SIGINFO && size >= sizeof(u.info)) {
		print_siginfo(t, &u.info);
	} else if (kind == ARG_SIGEVENT && size >= sizeof(u.event)) {
		print_event(t, &u.event);
	} else if (kind == ARG_STATUSPTR && size >= sizeof(u.status)) {
		text_add(t, "[");
		print_wait_status(t, u.status);
		text_add(t, "]");
	} else if (kind == ARG_STACK && size >= sizeof(u.stack)) {
		text_add(t, "{ss_sp=");
		text_add_address(t, u.stack.ss_sp);
		text_add(t, ", ss_flags=");
		print_flags(t, &stack_flags, (uint32_t)u.stack.ss_flags);
		text_add(t, ", ss_size=%llu}", (unsigned long long)u.stack.ss_size);
	} else {
		return false;
	}
	return true;
}
