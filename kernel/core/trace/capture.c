/* SPDX-License-Identifier: MIT */
/* capture.c - see capture.h. */
#include "core/trace/capture.h"

#include "abi/epoll.h"
#include "abi/errno.h"
#include "abi/poll.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/time.h"
#include "abi/uio.h"
#include "abi/utsname.h"
#include "core/trace/special.h"
#include "lib/string.h"
#include "loader/strings.h"
#include "mm/usercopy.h"
#include "process/task.h"

struct capture {
	struct trace_record *rec;
	const uint64_t *arg;
	long ret;
	bool is_leave;
};

/* Of the kinds that are always one structure. */
static const uint16_t sizes[ARG_KINDS] = {
	[ARG_FDPAIR] = 8,
	[ARG_ITIMERSPEC] = sizeof(struct linux_itimerspec),
	[ARG_ITIMERVAL] = sizeof(struct linux_itimerval),
	[ARG_LENPTR] = 4,
	[ARG_OFFPTR] = 8,
	[ARG_OPENHOW] = 24,
	[ARG_RLIMIT] = sizeof(struct linux_rlimit),
	[ARG_RUSAGE] = sizeof(struct linux_rusage),
	[ARG_SCHEDATTR] = 48,
	[ARG_SCHEDPARAM] = 4,
	[ARG_SIGACT] = sizeof(struct linux_sigaction),
	[ARG_SIGEVENT] = sizeof(struct linux_sigevent),
	[ARG_SIGINFO] = sizeof(struct linux_siginfo),
	[ARG_SIGSET] = 8,
	[ARG_STACK] = sizeof(struct linux_stack),
	[ARG_STAT] = sizeof(struct linux_stat),
	[ARG_STATFS] = sizeof(struct linux_statfs),
	[ARG_STATUSPTR] = 4,
	[ARG_STATX] = sizeof(struct linux_statx),
	[ARG_SYSINFO] = sizeof(struct linux_sysinfo),
	[ARG_TIMESPEC] = sizeof(struct linux_timespec),
	[ARG_TIMEVAL] = sizeof(struct linux_timeval),
	[ARG_TMS] = sizeof(struct linux_tms),
	[ARG_UTSNAME] = sizeof(struct linux_utsname),
};

/* ---- which way ---- */

/* Read before the call and, for what it changes there, again after it. */
static bool is_in_and_out(uint8_t kind)
{
	return kind == ARG_LENPTR || kind == ARG_OFFPTR || kind == ARG_POLLFDS ||
	       kind == ARG_FDSET;
}

static bool is_pointer(uint8_t kind)
{
	return kind >= ARG_PATH && kind <= ARG_UTSNAME;
}

uint8_t capture_needs(const struct syscall *s)
{
	static const uint64_t none[6];
	uint8_t mask = capture_outs(s->nr, s, none);
	uint8_t needs = special_needs(s->nr);

	for (unsigned i = 0; i < 6 && s->kind[i] != ARG_END; i++) {
		uint8_t kind = s->kind[i];

		if (!is_pointer(kind) || kind == ARG_ADDR || kind == ARG_TIDPTR)
			continue;
		if (!(mask >> i & 1) || is_in_and_out(kind))
			needs |= CAPTURE_ENTER;
		if ((mask >> i & 1) || is_in_and_out(kind))
			needs |= CAPTURE_LEAVE;
	}
	return needs;
}

/* ---- chunks ---- */

static char *chunk_place(const struct capture *c)
{
	return (char *)c->rec + c->rec->size + sizeof(struct trace_chunk);
}

static size_t chunk_room(const struct capture *c)
{
	size_t used = c->rec->size + sizeof(struct trace_chunk) + 8;

	return used < TRACE_RECORD_MAX ? TRACE_RECORD_MAX - used : 0;
}

static void chunk_add(struct capture *c, unsigned arg, size_t size, bool is_cut,
		      uint32_t info)
{
	struct trace_chunk *k =
		(struct trace_chunk *)((char *)c->rec + c->rec->size); // NOLINT

	k->arg = (uint8_t)arg;
	k->is_cut = is_cut;
	k->size = (uint16_t)size;
	k->info = info;
	c->rec->size += (uint32_t)(sizeof(*k) + ALIGN_UP(size, 8UL));
}

/* size bytes, or as many of them as fit and can be read. */
static void take_bytes(struct capture *c, unsigned arg, uaddr_t from, size_t size,
		       size_t max, uint32_t info)
{
	size_t wanted = MIN(MIN(size, max), chunk_room(c));
	size_t got;

	if (!from)
		return;
	got = wanted - copy_from_user_partial(chunk_place(c), from, wanted);
	if (got || !wanted)
		chunk_add(c, arg, got, got < size, info);
}

static void take_whole(struct capture *c, unsigned arg, uaddr_t from, size_t size)
{
	if (from && size <= chunk_room(c) && !copy_from_user(chunk_place(c), from, size))
		chunk_add(c, arg, size, false, 0);
}

static void take_string(struct capture *c, unsigned arg, uaddr_t from)
{
	size_t max = MIN((size_t)TRACE_STRING_MAX, chunk_room(c));
	long len;

	if (!from || !max)
		return;
	len = strncpy_from_user(chunk_place(c), from, max);
	if (len == -ENAMETOOLONG)
		chunk_add(c, arg, max - 1, true, 0);
	else if (len >= 0)
		chunk_add(c, arg, (size_t)len, false, 0);
}

/* Members of size bytes: as many as are shown. */
static void take_array(struct capture *c, unsigned arg, uaddr_t from, uint64_t count,
		       size_t size)
{
	uint64_t shown = MIN(count, (uint64_t)TRACE_LIST_MAX);

	take_bytes(c, arg, from, shown * size, shown * size,
		   (uint32_t)MIN(count, (uint64_t)UINT32_MAX));
}

/* ---- lists of pieces: each is a length, so much of the piece, padded ---- */

struct pieces {
	char *start, *at, *end;
	uint32_t count;
};

static void pieces_begin(struct pieces *p, const struct capture *c)
{
	p->start = p->at = chunk_place(c);
	p->end = p->start + chunk_room(c);
	p->count = 0;
}

/* What of size bytes at from is shown. False: no room. */
static bool piece_add(struct pieces *p, uaddr_t from, uint64_t size)
{
	size_t wanted = MIN(size, (uint64_t)TRACE_BYTES_MAX);
	struct trace_piece *piece = (struct trace_piece *)p->at; // NOLINT

	if ((size_t)(p->end - p->at) < sizeof(*piece) + TRACE_BYTES_MAX)
		return false;
	p->at += sizeof(*piece);
	piece->size = (uint32_t)(wanted - copy_from_user_partial(p->at, from, wanted));
	piece->is_cut = size > piece->size;
	p->at += ALIGN_UP(piece->size, 8U);
	p->count++;
	return true;
}

static void take_vector(struct capture *c, unsigned arg, uaddr_t from, uint64_t count,
			uint64_t total)
{
	struct pieces p;
	uint64_t i;

	pieces_begin(&p, c);
	for (i = 0; i < count && i < TRACE_LIST_MAX; i++) {
		struct linux_iovec v;

		if (COPY_IN(&v, from + i * sizeof(v)) ||
		    (size_t)(p.end - p.at) < sizeof(v))
			break;
		memcpy(p.at, &v, sizeof(v));
		p.at += sizeof(v);
		if (!piece_add(&p, v.iov_base, MIN(v.iov_len, total)))
			break;
		total -= MIN(v.iov_len, total);
	}
	if (i || !count)
		chunk_add(c, arg, (size_t)(p.at - p.start), i < count, p.count);
}

/* The strings of argv; of envp, the second, only how many there are. */
static void take_strings(struct capture *c, unsigned arg, uaddr_t from, bool is_counted)
{
	struct pieces p;
	uint64_t ptr = 0;
	uint32_t count = 0;

	pieces_begin(&p, c);
	while (from && count < 1U << 20) {
		if (get_user_u64(&ptr, from + count * sizeof(ptr)))
			return;
		if (!ptr)
			break;
		count++;
		if (!is_counted && p.count < TRACE_LIST_MAX) {
			long len = strnlen_user(ptr, TRACE_BYTES_MAX);

			if (!piece_add(&p, ptr,
				       len < 0 ? TRACE_BYTES_MAX + 1UL : (size_t)len))
				break;
		}
	}
	if (from)
		chunk_add(c, arg, (size_t)(p.at - p.start), p.count < count, count);
}

/* ---- sockets ---- */

static void take_address(struct capture *c, unsigned arg, uaddr_t from, uint64_t len_arg)
{
	uint32_t len = (uint32_t)len_arg;

	if (c->is_leave && get_user_u32(&len, len_arg))
		return;
	take_bytes(c, arg, from, len, sizeof(struct linux_sockaddr_storage), len);
}

/* A header; then, each under its own argument number, name, vector and control data. */
static void take_message(struct capture *c, unsigned arg, uaddr_t from)
{
	struct linux_msghdr m;

	if (COPY_IN(&m, from))
		return;
	take_whole(c, arg, from, sizeof(m));
	take_bytes(c, TRACE_ARG_NAME, m.msg_name, (uint32_t)m.msg_namelen,
		   sizeof(struct linux_sockaddr_storage), (uint32_t)m.msg_namelen);
	take_vector(c, TRACE_ARG_VECTOR, m.msg_iov, m.msg_iovlen,
		    c->is_leave ? (uint64_t)c->ret : UINT64_MAX);
	take_bytes(c, TRACE_ARG_CONTROL, m.msg_control, m.msg_controllen, 256, 0);
}

/* ---- bytes that a call has stored ---- */

static uint32_t count_entries(uaddr_t from, long size)
{
	uint32_t count = 0;

	for (long at = 0; at < size; count++) {
		uint16_t len; /* at the same place in both kinds */

		if (copy_from_user(&len, from + (uint64_t)at + 16, sizeof(len)) || !len)
			break;
		at += len;
	}
	return count;
}

static void take_stored(struct capture *c, unsigned arg, uint32_t nr)
{
	uint64_t size = (uint64_t)c->ret;
	uint32_t len;

	switch (nr) {
	case NR_getdents:
	case NR_getdents64:
		chunk_add(c, arg, 0, false, count_entries(c->arg[arg], c->ret));
		return;
	case NR_mincore:
	case NR_statmount:
	case NR_listmount:
	case NR_query_module:
		return;
	case NR_getcwd:
		size -= size > 0; /* its NUL */
		take_bytes(c, arg, c->arg[arg], size, TRACE_STRING_MAX, 0);
		return;
	case NR_getsockopt:
		if (get_user_u32(&len, c->arg[4]))
			return;
		size = len;
		break;
	default:
		/* getxattr(2) with size 0 only asks */
		if (arg < 5 && !c->arg[arg + 1])
			size = 0;
	}
	take_bytes(c, arg, c->arg[arg], size, TRACE_BYTES_MAX, 0);
}

/* ---- by kind ---- */

static void take(struct capture *c, const struct syscall *s, unsigned i)
{
	uint64_t from = c->arg[i];
	uint64_t next = i < 5 ? c->arg[i + 1] : 0;
	uint8_t kind = s->kind[i];

	switch (kind) {
	case ARG_PATH:
	case ARG_STR:
		take_string(c, i, from);
		break;
	case ARG_IBUF:
		take_bytes(c, i, from, next, TRACE_BYTES_MAX, 0);
		break;
	case ARG_OBUF:
		take_stored(c, i, s->nr);
		break;
	case ARG_ARGV:
		take_strings(c, i, from, i > 0 && s->kind[i - 1] == ARG_ARGV);
		break;
	case ARG_IOVEC:
		if (from)
			take_vector(c, i, from, next,
				    c->is_leave ? (uint64_t)c->ret : UINT64_MAX);
		break;
	case ARG_POLLFDS:
		take_array(c, i, from, (uint32_t)next, sizeof(struct linux_pollfd));
		break;
	case ARG_EPOLLEVENTS:
		if (s->nr == NR_epoll_ctl && c->arg[1] == EPOLL_CTL_DEL)
			break;
		take_array(c, i, from, c->is_leave ? (uint64_t)c->ret : 1, 12);
		break;
	case ARG_GIDS:
		take_array(c, i, from, c->is_leave ? (uint64_t)c->ret : c->arg[0], 4);
		break;
	case ARG_SEMBUF:
		take_array(c, i, from, (uint32_t)next, 6);
		break;
	case ARG_FDSET:
		take_bytes(c, i, from, ((uint32_t)c->arg[0] + 63UL) / 64 * 8, 128, 0);
		break;
	case ARG_CPUSET:
		take_bytes(c, i, from, c->is_leave ? (uint64_t)c->ret : c->arg[1], 128,
			   0);
		break;
	case ARG_SOCKADDR:
		take_address(c, i, from, next);
		break;
	case ARG_MSGHDR:
		take_message(c, i, from);
		break;
	case ARG_CLONEARGS:
		take_bytes(c, i, from, next, sizeof(struct linux_clone_args), 0);
		break;
	case ARG_TIMESPEC:
	case ARG_TIMEVAL:
		take_whole(c, i, from,
			   sizes[kind] * (special_is_pair(s->nr) ? 2UL : 1UL));
		break;
	default:
		if (sizes[kind])
			take_whole(c, i, from, sizes[kind]);
	}
}

static void take_special(struct capture *c, const struct syscall *s)
{
	unsigned arg;
	size_t size;

	for (unsigned nth = 0; special_data(s->nr, c->arg, c->is_leave, nth, &arg, &size);
	     nth++) {
		if (size == SPECIAL_STRING)
			take_string(c, arg, c->arg[arg]);
		else
			take_whole(c, arg, c->arg[arg], size);
	}
}

void capture_enter(struct trace_record *rec, const struct syscall *s,
		   const uint64_t arg[6])
{
	struct capture c = {.rec = rec, .arg = arg};
	uint8_t mask = capture_outs(s->nr, s, arg);

	for (unsigned i = 0; i < 6 && s->kind[i] != ARG_END; i++)
		if (is_pointer(s->kind[i]) &&
		    (!(mask >> i & 1) || is_in_and_out(s->kind[i])))
			take(&c, s, i);
	take_special(&c, s);
}

void capture_leave(struct trace_record *rec, const struct syscall *s,
		   const uint64_t arg[6], long ret, const struct task *t)
{
	struct capture c = {.rec = rec, .arg = arg, .ret = ret, .is_leave = true};
	uint8_t mask = capture_outs(s->nr, s, arg);

	if (s->nr == NR_rt_sigreturn) {
		capture_data(rec, TRACE_ARG_SIGNAL, &t->blocked, sizeof(t->blocked));
		return;
	}
	if (s->nr == NR_wait4 && ret == 0) /* no child: nothing was written */
		return;
	/* What a failed call left is of no interest, but for a sleep that was cut. */
	if (ret < 0 && ret >= -MAX_ERRNO && !special_shows_failed(s->nr, ret))
		return;
	for (unsigned i = 0; i < 6 && s->kind[i] != ARG_END; i++)
		if (is_pointer(s->kind[i]) &&
		    ((mask >> i & 1) || is_in_and_out(s->kind[i])))
			take(&c, s, i);
	take_special(&c, s);
}

void capture_data(struct trace_record *rec, uint8_t arg, const void *data, size_t size)
{
	struct capture c = {.rec = rec};
	size_t got = MIN(MIN(size, (size_t)TRACE_STRING_MAX), chunk_room(&c));

	memcpy(chunk_place(&c), data, got);
	chunk_add(&c, arg, got, got < size, 0);
}

void capture_first(struct trace_record *rec, const char *path,
		   const struct exec_strings *strings)
{
	struct capture c = {.rec = rec};
	const char *s = strings->data;
	struct pieces p;

	capture_data(rec, 0, path, strlen(path));
	pieces_begin(&p, &c);
	for (uint32_t i = 0; i < strings->argc && i < TRACE_LIST_MAX; i++) {
		size_t len = strlen(s);
		size_t shown = MIN(len, (size_t)TRACE_BYTES_MAX);

		*(struct trace_piece *)p.at = // NOLINT
			(struct trace_piece){(uint32_t)shown, shown < len};
		memcpy(p.at + 8, s, shown);
		p.at += 8 + ALIGN_UP(shown, 8UL);
		p.count++;
		s += len + 1;
	}
	chunk_add(&c, 1, (size_t)(p.at - p.start), p.count < strings->argc,
		  strings->argc);
	chunk_add(&c, 2, 0, true, strings->envc);
}
