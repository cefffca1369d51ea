/* SPDX-License-Identifier: MIT */
/* format.c - see format.h. */
#include "core/trace/format.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/wait.h"
#include "base/waitq.h"
#include "core/trace/capture.h"
#include "core/trace/errors.h"
#include "core/trace/flags.h"
#include "core/trace/special.h"
#include "core/trace/structs.h"
#include "lib/string.h"

enum style {
	STYLE_DEC,
	STYLE_UNSIGNED,
	STYLE_HEX,
	STYLE_OCTAL,
	STYLE_POINTER,
	STYLE_STRING,
	STYLE_ID,
	STYLE_DIRFD,
	STYLE_NAMES,
};

static const struct {
	uint8_t style;
	uint8_t size; /* of the argument's type */
	bool is_signed;
} kinds[ARG_KINDS] = {
#define KIND(kind, type, style)                                                          \
	[ARG_##kind] = {STYLE_##style, sizeof(type), (type)-1 < (type)1},
#include "abi/arg_kinds.def"
};

/* ------------------------------------------------------------------- records */

void view_init(struct trace_view *v, const struct trace_record *enter,
	       const struct trace_record *leave)
{
	v->nr = enter->nr;
	v->s = syscall_find(enter->nr);
	v->arg = enter->arg;
	v->enter = enter;
	v->leave = leave;
}

const struct trace_chunk *record_chunk(const struct trace_record *rec, unsigned arg)
{
	size_t at = rec->type == TRACE_ENTER ? TRACE_HEAD_ENTER : TRACE_HEAD_OTHER;
	size_t end = MIN(rec->size, (uint32_t)TRACE_RECORD_MAX);

	while (at + sizeof(struct trace_chunk) <= end) {
		const struct trace_chunk *c =
			(const struct trace_chunk *)((const char *)rec + at); // NOLINT
		size_t next = at + sizeof(*c) + ALIGN_UP((size_t)c->size, 8UL);

		if (next > end)
			return NULL;
		if (c->arg == arg)
			return c;
		at = next;
	}
	return NULL;
}

const struct trace_chunk *view_chunk(const struct trace_view *v, unsigned i)
{
	const struct trace_chunk *c = v->leave ? record_chunk(v->leave, i) : NULL;

	return c ? c : record_chunk(v->enter, i);
}

uint64_t view_value(const struct trace_view *v, unsigned i)
{
	uint8_t kind = v->s->kind[i];

	if (kinds[kind].size == sizeof(uint64_t))
		return v->arg[i];
	return kinds[kind].is_signed ? (uint64_t)(int32_t)v->arg[i] : (uint32_t)v->arg[i];
}

long view_result(const struct trace_view *v)
{
	return v->leave ? v->leave->ret : 0;
}

/* ----------------------------------------------------------------- arguments */

void print_names(struct text *t, uint8_t kind, uint64_t value)
{
	const struct flag_set *set = flags_find(kind);

	if (!set) {
		text_add(t, "%#llx", (unsigned long long)value);
		return;
	}
	if (set->field != UINT64_MAX && kinds[kind].size == sizeof(uint32_t))
		value = (uint32_t)value; /* flags have no sign */
	t->len += flags_format(t->buf + t->len, t->size - t->len, set, value);
}

static void print_octal(struct text *t, uint64_t value)
{
	if (value < 0100) /* modes have three digits */
		text_add(t, "%03llo", (unsigned long long)value);
	else
		text_add(t, "%#llo", (unsigned long long)value);
}

static void print_pointer(struct text *t, const struct trace_view *v, unsigned i)
{
	const struct trace_chunk *c = view_chunk(v, i);

	if (!c || !struct_print(t, v, i, c))
		text_add_address(t, v->arg[i]);
}

static void print_arg(struct text *t, const struct trace_view *v, unsigned i)
{
	uint8_t kind = v->s->kind[i];
	uint64_t value = view_value(v, i);
	bool is_minus_one = (uint32_t)value == UINT32_MAX;

	switch ((enum style)kinds[kind].style) {
	case STYLE_DEC:
		text_add(t, "%lld", (long long)value);
		break;
	case STYLE_UNSIGNED:
		text_add(t, "%llu", (unsigned long long)value);
		break;
	case STYLE_HEX:
		if (kinds[kind].size == sizeof(uint32_t))
			value = (uint32_t)value;
		text_add(t, "%#llx", (unsigned long long)value);
		break;
	case STYLE_OCTAL:
		print_octal(t, value);
		break;
	case STYLE_ID:
		text_add(t, is_minus_one ? "-1" : "%llu", (unsigned long long)value);
		break;
	case STYLE_DIRFD:
		text_add(t, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value);
		break;
	case STYLE_NAMES:
		print_names(t, kind, value);
		break;
	case STYLE_STRING:
	case STYLE_POINTER:
		print_pointer(t, v, i);
		break;
	}
}

static unsigned arg_count(const struct trace_view *v)
{
	unsigned n = 0;

	if (!v->s)
		return 6;
	while (n < 6 && v->s->kind[n] != ARG_END)
		n++;
	/* The mode after open flags that create nothing is not an argument. */
	if (n > 1 && v->s->kind[n - 1] == ARG_MODE && v->s->kind[n - 2] == ARG_OFLAGS &&
	    !(v->arg[n - 2] & (O_CREAT | __O_TMPFILE)))
		n--;
	return special_count(v, n);
}

void format_name(struct text *t, const struct trace_view *v)
{
	if (v->s)
		text_add(t, "%s(", v->s->name);
	else
		text_add(t, "syscall_%#x(", v->nr);
}

static void print_restored_mask(struct text *t, const struct trace_record *leave)
{
	const struct trace_chunk *c = record_chunk(leave, TRACE_ARG_SIGNAL);
	uint64_t set;

	if (!c || c->size < sizeof(set))
		return;
	memcpy(&set, chunk_data(c), sizeof(set));
	text_add(t, "{mask=");
	print_sigset(t, set);
	text_add(t, "}");
}

unsigned format_args(struct text *t, const struct trace_view *v, unsigned from)
{
	unsigned count = arg_count(v);
	uint8_t outs = v->leave ? 0 : capture_outs(v->nr, v->s, v->arg);
	unsigned i;

	for (i = from; i < count && !(outs >> i & 1); i++) {
		if (i > from)
			text_add(t, ", ");
		if (!v->s)
			text_add(t, "%#llx", (unsigned long long)v->arg[i]);
		else if (!special_print(t, v, i))
			print_arg(t, v, i);
	}
	if (v->nr == NR_rt_sigreturn && v->leave)
		print_restored_mask(t, v->leave);
	/* The comma comes before the pause. */
	if (!v->leave && i < count && i > 0)
		text_add(t, ", ");
	return i;
}

bool format_is_complete(const struct trace_view *v, unsigned next)
{
	return next >= arg_count(v);
}

/* -------------------------------------------------------------------- result */

static bool returns_address(uint32_t nr)
{
	return nr == NR_mmap || nr == NR_brk || nr == NR_mremap || nr == NR_shmat ||
	       nr == NR_map_shadow_stack;
}

static const char *restart_text(long ret)
{
	switch (-ret) {
	case ERESTARTSYS:
		return "ERESTARTSYS (To be restarted if SA_RESTART is set)";
	case ERESTARTNOINTR:
		return "ERESTARTNOINTR (To be restarted)";
	case ERESTARTNOHAND:
		return "ERESTARTNOHAND (To be restarted if no handler)";
	case ERESTART_RESTARTBLOCK:
		return "ERESTART_RESTARTBLOCK (Interrupted by signal)";
	default:
		return NULL;
	}
}

void format_result(struct text *t, const struct trace_view *v)
{
	long ret = view_result(v);
	int err = is_error(ret) ? (int)-ret : 0;

	if (!v->leave)
		text_add(t, "= ?");
	else if (restart_text(ret))
		text_add(t, "= ? %s", restart_text(ret));
	else if (errno_name(err))
		text_add(t, "= -1 %s (%s)", errno_name(err), errno_message(err));
	else if (err)
		text_add(t, "= -1 (errno %d)", err);
	else if (returns_address(v->nr) || special_result_is_hex(v))
		text_add(t, ret ? "= %#lx" : "= 0", (unsigned long)ret);
	else if (v->nr == NR_umask)
		text_add(t, "= %#lo", (unsigned long)ret);
	else
		text_add(t, "= %ld", ret);
	if (v->leave)
		special_print_after(t, v);
}

/* -------------------------------------------------------------------- events */

static void format_signal(struct text *t, const struct trace_record *rec)
{
	const struct trace_chunk *c = record_chunk(rec, TRACE_ARG_SIGNAL);
	struct linux_siginfo info;

	if (!c || c->size < sizeof(info))
		return;
	memcpy(&info, chunk_data(c), sizeof(info));
	text_add(t, "--- ");
	print_signal(t, info.si_signo);
	text_add(t, " ");
	print_siginfo(t, &info);
	text_add(t, " ---");
}

void format_event(struct text *t, const struct trace_record *rec)
{
	int status = (int)rec->ret;

	switch (rec->type) {
	case TRACE_SIGNAL:
		format_signal(t, rec);
		break;
	case TRACE_STOP:
		text_add(t, "--- stopped by ");
		print_signal(t, status);
		text_add(t, " ---");
		break;
	default:
		if ((status & 0x7f) == 0) {
			text_add(t, "+++ exited with %d +++", status >> 8 & 0xff);
			break;
		}
		text_add(t, "+++ killed by ");
		print_signal(t, status & 0x7f);
		text_add(t, status & 0x80 ? " (core dumped) +++" : " +++");
	}
}
