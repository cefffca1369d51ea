/* SPDX-License-Identifier: MIT */
/* special_print.c - prints the arguments that special.h is about. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/futex.h"
#include "abi/ioctl.h"
#include "abi/mman.h"
#include "abi/prctl.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/termios.h"
#include "abi/time.h"
#include "base/waitq.h"
#include "core/trace/flags.h"
#include "core/trace/format.h"
#include "core/trace/special.h"
#include "core/trace/structs.h"
#include "lib/string.h"

/* clang-format off */
static const struct flag_name locks[] = { N(F_RDLCK), N(F_WRLCK), N(F_UNLCK) };
static const struct flag_set lock_names = ENUM(locks);
static const struct flag_name owners[] = {
	N(F_OWNER_TID), N(F_OWNER_PID), N(F_OWNER_PGRP),
};
static const struct flag_set owner_names = ENUM(owners);
static const struct flag_name fds[] = { N(FD_CLOEXEC) };
static const struct flag_set fd_flags = FLAGS(fds);
/* clang-format on */

static void print_flags(struct text *t, const struct flag_set *set, uint64_t value)
{
	t->len += flags_format(t->buf + t->len, t->size - t->len, set, value);
}

static bool copy_chunk(const struct trace_view *v, unsigned i, void *to, size_t size)
{
	const struct trace_chunk *c = view_chunk(v, i);

	if (!c || c->size < size)
		return false;
	memcpy(to, chunk_data(c), size);
	return true;
}

/* ---- fcntl ---- */

static bool print_lock(struct text *t, const struct trace_view *v)
{
	struct linux_flock l;

	if (!copy_chunk(v, 2, &l, sizeof(l)))
		return false;
	text_add(t, "{l_type=");
	print_flags(t, &lock_names, (uint64_t)l.l_type);
	text_add(t, ", l_whence=");
	print_names(t, ARG_WHENCE, (uint16_t)l.l_whence);
	text_add(t, ", l_start=%lld, l_len=%lld", (long long)l.l_start,
		 (long long)l.l_len);
	if (v->leave && (v->arg[1] == F_GETLK || v->arg[1] == F_OFD_GETLK))
		text_add(t, ", l_pid=%d", l.l_pid);
	text_add(t, "}");
	return true;
}

static bool print_owner(struct text *t, const struct trace_view *v)
{
	struct linux_f_owner_ex o;

	if (!copy_chunk(v, 2, &o, sizeof(o)))
		return false;
	text_add(t, "{type=");
	print_flags(t, &owner_names, (uint32_t)o.type);
	text_add(t, ", pid=%d}", o.pid);
	return true;
}

static bool print_fcntl(struct text *t, const struct trace_view *v, unsigned i)
{
	if (i != 2)
		return false;
	switch ((uint32_t)v->arg[1]) {
	case F_SETFD:
		print_flags(t, &fd_flags, (uint32_t)v->arg[2]);
		return true;
	case F_SETFL:
		print_names(t, ARG_OFLAGS, v->arg[2]);
		return true;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETOWN:
	case F_SETPIPE_SZ:
		text_add(t, "%d", (int)v->arg[2]);
		return true;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return print_lock(t, v);
	case F_GETOWN_EX:
	case F_SETOWN_EX:
		return print_owner(t, v);
	default:
		return false;
	}
}

/* ---- ioctl ---- */

static bool print_ioctl(struct text *t, const struct trace_view *v, unsigned i)
{
	const struct trace_chunk *c = i == 2 ? view_chunk(v, 2) : NULL;
	struct linux_winsize w;
	struct linux_termios tio;
	int value;

	if (!c)
		return false;
	switch ((uint32_t)v->arg[1]) {
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		if (!copy_chunk(v, 2, &w, sizeof(w)))
			return false;
		text_add(t, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}",
			 w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
		return true;
	case TCGETS:
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		if (!copy_chunk(v, 2, &tio, sizeof(tio)))
			return false;
		text_add(t, "{c_iflag=%#x, c_oflag=%#x, c_cflag=%#x, c_lflag=%#x, ...}",
			 tio.c_iflag, tio.c_oflag, tio.c_cflag, tio.c_lflag);
		return true;
	default:
		if (!copy_chunk(v, 2, &value, sizeof(value)))
			return false;
		text_add(t, "[%d]", value);
		return true;
	}
}

/* ---- futex ---- */

static void print_futex_op(struct text *t, uint32_t op)
{
	print_names(t, ARG_FUTEXOP, op & 0x7f);
	if (op & FUTEX_PRIVATE_FLAG)
		text_add(t, "_PRIVATE");
	if (op & ~(0x7fU | FUTEX_PRIVATE_FLAG))
		text_add(t, "|");
	if (op & FUTEX_CLOCK_REALTIME)
		text_add(t, "FUTEX_CLOCK_REALTIME");
	op &= ~(0x7fU | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	if (op)
		text_add(t, "%#x", op);
}

static bool futex_counts(uint32_t op)
{
	op &= 0x7f;
	return op == FUTEX_WAKE || op == FUTEX_WAKE_BITSET || op == FUTEX_REQUEUE ||
	       op == FUTEX_CMP_REQUEUE || op == FUTEX_WAKE_OP ||
	       op == FUTEX_CMP_REQUEUE_PI;
}

static bool print_futex(struct text *t, const struct trace_view *v, unsigned i)
{
	uint32_t op = (uint32_t)v->arg[1];
	struct linux_timespec ts;

	switch (i) {
	case 1:
		print_futex_op(t, op);
		return true;
	case 2:
		text_add(t, futex_counts(op) ? "%d" : "%u", (int)v->arg[2]);
		return true;
	case 3:
		if (copy_chunk(v, 3, &ts, sizeof(ts)))
			print_timespec(t, &ts);
		else if (futex_counts(op))
			text_add(t, "%d", (int)v->arg[3]);
		else
			text_add_address(t, v->arg[3]);
		return true;
	case 5:
		if ((uint32_t)v->arg[5] != UINT32_MAX)
			return false;
		text_add(t, "FUTEX_BITSET_MATCH_ANY");
		return true;
	default:
		return false;
	}
}

/* Which of its six arguments an operation uses. */
static unsigned futex_args(uint32_t op)
{
	switch (op & 0x7f) {
	case FUTEX_WAKE:
	case FUTEX_FD:
		return 3;
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return 4;
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
		return 2;
	case FUTEX_REQUEUE:
		return 5;
	default:
		return 6;
	}
}

/* ---- clone ---- */

static void print_clone_flags(struct text *t, uint64_t flags, bool has_signal)
{
	uint64_t plain = has_signal ? flags & ~(uint64_t)CSIGNAL : flags;

	if (plain)
		print_names(t, ARG_CLONEFLAGS, plain);
	if (has_signal && (flags & CSIGNAL)) {
		text_add(t, plain ? "|" : "");
		print_signal(t, (int)(flags & CSIGNAL));
	} else if (!plain) {
		text_add(t, "0");
	}
}

/* All its arguments are printed as the first. */
static void print_clone(struct text *t, const struct trace_view *v)
{
	uint64_t flags = v->arg[0];

	text_add(t, "child_stack=");
	text_add_address(t, v->arg[1]);
	text_add(t, ", flags=");
	print_clone_flags(t, flags, true);
	if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) {
		text_add(t, ", parent_tid=");
		text_add_address(t, v->arg[2]);
	}
	if (flags & CLONE_SETTLS) {
		text_add(t, ", tls=");
		text_add_address(t, v->arg[4]);
	}
	if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		text_add(t, ", child_tidptr=");
		text_add_address(t, v->arg[3]);
	}
}

static bool print_clone3(struct text *t, const struct trace_view *v, unsigned i)
{
	struct linux_clone_args a;
	const struct trace_chunk *c = i == 0 ? view_chunk(v, 0) : NULL;

	if (!c || c->size < CLONE_ARGS_SIZE_VER0)
		return false;
	memset(&a, 0, sizeof(a));
	memcpy(&a, chunk_data(c), MIN((size_t)c->size, sizeof(a)));
	text_add(t, "{flags=");
	print_clone_flags(t, a.flags, false);
	if (a.flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		text_add(t, ", child_tid=");
		text_add_address(t, a.child_tid);
	}
	if (a.flags & CLONE_PARENT_SETTID) {
		text_add(t, ", parent_tid=");
		text_add_address(t, a.parent_tid);
	}
	text_add(t, ", exit_signal=");
	print_signal(t, (int)a.exit_signal);
	text_add(t, ", stack=");
	text_add_address(t, a.stack);
	text_add(t, a.stack_size ? ", stack_size=%#llx" : ", stack_size=0",
		 (unsigned long long)a.stack_size);
	if (a.flags & CLONE_SETTLS) {
		text_add(t, ", tls=");
		text_add_address(t, a.tls);
	}
	text_add(t, "}");
	return true;
}

/* ---- prctl ---- */

static const struct {
	uint32_t op;
	uint8_t args; /* with the operation */
} prctls[] = {
	{PR_SET_PDEATHSIG, 2},
	{PR_GET_PDEATHSIG, 2},
	{PR_GET_DUMPABLE, 1},
	{PR_SET_DUMPABLE, 2},
	{PR_GET_KEEPCAPS, 1},
	{PR_SET_KEEPCAPS, 2},
	{PR_SET_NAME, 2},
	{PR_GET_NAME, 2},
	{PR_GET_SECCOMP, 1},
	{PR_CAPBSET_READ, 2},
	{PR_CAPBSET_DROP, 2},
	{PR_SET_CHILD_SUBREAPER, 2},
	{PR_GET_CHILD_SUBREAPER, 2},
	{PR_SET_TIMERSLACK, 2},
	{PR_GET_TIMERSLACK, 1},
};

static bool print_prctl(struct text *t, const struct trace_view *v, unsigned i)
{
	const struct trace_chunk *c = i == 1 ? view_chunk(v, 1) : NULL;
	uint32_t op = (uint32_t)v->arg[0];
	int value;

	if (i == 1 && op == PR_SET_PDEATHSIG) {
		print_signal(t, (int)v->arg[1]);
		return true;
	}
	if (!c)
		return false;
	if (op == PR_SET_NAME || op == PR_GET_NAME) {
		size_t max = 15UL;

		text_add_quoted(t, chunk_data(c), MIN((size_t)c->size, max),
				c->size > max);
		return true;
	}
	if (!copy_chunk(v, 1, &value, sizeof(value)))
		return false;
	text_add(t, "[");
	if (op == PR_GET_PDEATHSIG)
		print_signal(t, value);
	else
		text_add(t, "%d", value);
	text_add(t, "]");
	return true;
}

/* ---- by call ---- */

static bool print_number(struct text *t, const struct trace_view *v, unsigned i)
{
	uint32_t value;

	if (!copy_chunk(v, i, &value, sizeof(value)))
		return false;
	text_add(t, "[%u]", value);
	return true;
}

bool special_print(struct text *t, const struct trace_view *v, unsigned i)
{
	struct linux_utimbuf times;

	switch (v->nr) {
	case NR_fcntl:
		return print_fcntl(t, v, i);
	case NR_ioctl:
		return print_ioctl(t, v, i);
	case NR_futex:
		return print_futex(t, v, i);
	case NR_clone:
		print_clone(t, v);
		return true;
	case NR_clone3:
		return print_clone3(t, v, i);
	case NR_prctl:
		return print_prctl(t, v, i);
	case NR_getresuid:
	case NR_getresgid:
		return print_number(t, v, i);
	case NR_timer_create:
		return i == 2 && print_number(t, v, i);
	case NR_utime:
		if (i != 1 || !copy_chunk(v, 1, &times, sizeof(times)))
			return false;
		text_add(t, "{actime=%lld, modtime=%lld}", (long long)times.actime,
			 (long long)times.modtime);
		return true;
	case NR_statx:
		/* The kind of synchronisation is a field, and one of its values is 0. */
		if (i == 2 && !(v->arg[2] & AT_STATX_SYNC_TYPE)) {
			text_add(t, "AT_STATX_SYNC_AS_STAT");
			if (v->arg[2])
				text_add(t, "|");
			else
				return true;
		}
		return false;
	default:
		return false;
	}
}

unsigned special_count(const struct trace_view *v, unsigned count)
{
	switch (v->nr) {
	case NR_clone:
		return 1;
	case NR_preadv:
	case NR_pwritev:
		return 4; /* one offset, not two halves */
	case NR_mremap:
		return v->arg[3] & MREMAP_FIXED ? count : 4;
	case NR_futex:
		return futex_args((uint32_t)v->arg[1]);
	case NR_fcntl:
		switch ((uint32_t)v->arg[1]) {
		case F_GETFD:
		case F_GETFL:
		case F_GETOWN:
		case F_GETSIG:
		case F_GETLEASE:
		case F_GETPIPE_SZ:
		case F_GET_SEALS:
			return 2;
		default:
			return count;
		}
	case NR_prctl:
		for (size_t i = 0; i < ARRAY_SIZE(prctls); i++)
			if (prctls[i].op == (uint32_t)v->arg[0])
				return prctls[i].args;
		return count;
	default:
		return count;
	}
}

/* ---- after the result ---- */

static void print_ready(struct text *t, const struct trace_view *v)
{
	static const char *const names[] = {NULL, "in", "out", "except"};
	const char *comma = "";

	text_add(t, " (");
	for (unsigned i = 1; i <= 3; i++) {
		const struct trace_chunk *c = record_chunk(v->leave, i);
		const uint8_t *bits = c ? chunk_data(c) : NULL;
		bool is_empty = true;

		for (size_t n = 0; bits && n < c->size; n++)
			is_empty &= !bits[n];
		if (is_empty)
			continue;
		text_add(t, "%s%s ", comma, names[i]);
		print_fdset(t, c, (uint32_t)v->arg[0]);
		comma = ", ";
	}
	text_add(t, ")");
}

bool special_result_is_hex(const struct trace_view *v)
{
	return v->nr == NR_fcntl && (v->arg[1] == F_GETFD || v->arg[1] == F_GETFL);
}

void special_print_after(struct text *t, const struct trace_view *v)
{
	long ret = view_result(v);
	const struct trace_chunk *c;

	switch (v->nr) {
	case NR_poll:
	case NR_ppoll:
		c = record_chunk(v->leave, 0);
		if (ret == 0) {
			text_add(t, " (Timeout)");
		} else if (ret > 0 && c) {
			text_add(t, " (");
			print_pollfds(t, c, true);
			text_add(t, ")");
		}
		break;
	case NR_select:
	case NR_pselect6:
		if (ret == 0)
			text_add(t, " (Timeout)");
		else if (ret > 0)
			print_ready(t, v);
		break;
	case NR_fcntl:
		if (is_error(ret))
			break;
		if (ret > 0 && special_result_is_hex(v)) {
			text_add(t, " (flags ");
			if (v->arg[1] == F_GETFD)
				print_flags(t, &fd_flags, (uint64_t)ret);
			else
				print_names(t, ARG_OFLAGS, (uint64_t)ret);
			text_add(t, ")");
		}
		break;
	default:
		break;
	}
}
