/* SPDX-License-Identifier: MIT */
/* structs.c - structures of files, times, limits and the system, as text. */
#include "core/trace/structs.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "abi/utsname.h"
#include "core/trace/flags.h"
#include "core/trace/format.h"
#include "core/trace/special.h"
#include "lib/string.h"

/* clang-format off */
static const struct flag_name polls[] = {
	N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR), N(POLLHUP), N(POLLNVAL),
	N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM), N(POLLWRBAND), N(POLLMSG),
	N(POLLREMOVE), N(POLLRDHUP),
};
static const struct flag_set poll_flags = FLAGS(polls);

static const struct flag_name epolls[] = {
	N(EPOLLIN), N(EPOLLPRI), N(EPOLLOUT), N(EPOLLRDNORM), N(EPOLLRDBAND),
	N(EPOLLWRNORM), N(EPOLLWRBAND), N(EPOLLMSG), N(EPOLLERR), N(EPOLLHUP),
	N(EPOLLRDHUP), N(EPOLLEXCLUSIVE), N(EPOLLWAKEUP), N(EPOLLONESHOT), N(EPOLLET),
};
static const struct flag_set epoll_flags = FLAGS(epolls);

static const struct flag_name resolves[] = {
	N(RESOLVE_NO_XDEV), N(RESOLVE_NO_MAGICLINKS), N(RESOLVE_NO_SYMLINKS),
	N(RESOLVE_BENEATH), N(RESOLVE_IN_ROOT), N(RESOLVE_CACHED),
};
static const struct flag_set resolve_flags = FLAGS(resolves);

static const struct flag_name file_systems[] = {
	N(PROC_SUPER_MAGIC), N(SYSFS_MAGIC), N(TMPFS_MAGIC), N(RAMFS_MAGIC),
	N(DEVPTS_SUPER_MAGIC), N(OVERLAYFS_SUPER_MAGIC), N(EXT4_SUPER_MAGIC),
	N(PIPEFS_MAGIC), N(SOCKFS_MAGIC), N(ANON_INODE_FS_MAGIC),
	N(CGROUP2_SUPER_MAGIC), N(EROFS_SUPER_MAGIC_V1), N(MQUEUE_MAGIC),
};

#define ST(name) { MS_##name, "ST_" #name }
static const struct flag_name mounts[] = {
	N(ST_VALID), ST(RDONLY), ST(NOSUID), ST(NODEV), ST(NOEXEC), ST(SYNCHRONOUS),
	ST(MANDLOCK), ST(NOATIME), ST(NODIRATIME), {0x1000, "ST_RELATIME"},
	ST(NOSYMFOLLOW),
};
static const struct flag_set mount_flags = FLAGS(mounts);
/* clang-format on */

static void print_flags(struct text *t, const struct flag_set *set, uint64_t value)
{
	t->len += flags_format(t->buf + t->len, t->size - t->len, set, value);
}

static unsigned long long u(uint64_t value)
{
	return value;
}

/* ---- times ---- */

void print_timespec(struct text *t, const void *data)
{
	struct linux_timespec ts;

	memcpy(&ts, data, sizeof(ts));
	text_add(t, "{tv_sec=%lld, tv_nsec=%lld}", (long long)ts.tv_sec,
		 (long long)ts.tv_nsec);
}

void print_timeval(struct text *t, const void *data)
{
	struct linux_timeval tv;

	memcpy(&tv, data, sizeof(tv));
	text_add(t, "{tv_sec=%lld, tv_usec=%lld}", (long long)tv.tv_sec,
		 (long long)tv.tv_usec);
}

/* Two of them in both cases. */
static void print_interval(struct text *t, const char *data, bool is_spec)
{
	void (*print)(struct text *, const void *) =
		is_spec ? print_timespec : print_timeval;

	text_add(t, "{it_interval=");
	print(t, data);
	text_add(t, ", it_value=");
	print(t, data + 16);
	text_add(t, "}");
}

static void print_time_to_set(struct text *t, const char *data)
{
	struct linux_timespec ts;

	memcpy(&ts, data, sizeof(ts));
	if (ts.tv_nsec == UTIME_NOW)
		text_add(t, "UTIME_NOW");
	else if (ts.tv_nsec == UTIME_OMIT)
		text_add(t, "UTIME_OMIT");
	else
		print_timespec(t, &ts);
}

static void print_time(struct text *t, const struct trace_view *v, const char *data,
		       bool is_spec)
{
	bool is_pair = special_is_pair(v->nr);

	for (int i = 0; i < (is_pair ? 2 : 1); i++, data += 16) {
		text_add(t, is_pair ? (i ? ", " : "[") : "");
		if (is_pair && is_spec)
			print_time_to_set(t, data);
		else if (is_spec)
			print_timespec(t, data);
		else
			print_timeval(t, data);
	}
	text_add(t, is_pair ? "]" : "");
}

/* ---- files ---- */

static void print_device(struct text *t, uint64_t dev)
{
	text_add(t, "makedev(%#x, %#x)", LINUX_MAJOR(dev), LINUX_MINOR(dev));
}

static void print_stat(struct text *t, const struct linux_stat *s)
{
	text_add(t, "{st_mode=");
	print_names(t, ARG_FILEMODE, s->st_mode);
	if (S_ISCHR(s->st_mode) || S_ISBLK(s->st_mode)) {
		text_add(t, ", st_rdev=");
		print_device(t, s->st_rdev);
	} else {
		text_add(t, ", st_size=%lld", (long long)s->st_size);
	}
	text_add(t, ", ...}");
}

static void print_statx(struct text *t, const struct linux_statx *s)
{
	text_add(t, "{stx_mask=");
	print_names(t, ARG_STATXMASK, s->stx_mask);
	text_add(t, ", stx_attributes=%#llx, stx_mode=", u(s->stx_attributes));
	print_names(t, ARG_FILEMODE, s->stx_mode);
	text_add(t, ", stx_size=%llu, ...}", u(s->stx_size));
}

static void print_statfs(struct text *t, const struct linux_statfs *s)
{
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
		if (file_systems[i].value == (uint64_t)s->f_type)
			name = file_systems[i].name;
	if (name)
		text_add(t, "{f_type=%s", name);
	else
		text_add(t, "{f_type=%#llx", u((uint64_t)s->f_type));
	text_add(t,
		 ", f_bsize=%lld, f_blocks=%llu, f_bfree=%llu, f_bavail=%llu, "
		 "f_files=%llu, f_ffree=%llu, f_fsid={val=[%#x, %#x]}, f_namelen=%lld, "
		 "f_frsize=%lld, f_flags=",
		 (long long)s->f_bsize, u(s->f_blocks), u(s->f_bfree), u(s->f_bavail),
		 u(s->f_files), u(s->f_ffree), (unsigned)s->f_fsid[0],
		 (unsigned)s->f_fsid[1], (long long)s->f_namelen, (long long)s->f_frsize);
	print_flags(t, &mount_flags, (uint64_t)s->f_flags);
	text_add(t, "}");
}

static void print_open_how(struct text *t, const struct linux_open_how *how)
{
	text_add(t, "{flags=");
	print_names(t, ARG_OFLAGS, how->flags);
	if (how->mode || (how->flags & (O_CREAT | __O_TMPFILE)))
		text_add(t, ", mode=%#llo", u(how->mode));
	text_add(t, ", resolve=");
	print_flags(t, &resolve_flags, how->resolve);
	text_add(t, "}");
}

/* ---- limits and the system ---- */

static void print_limit(struct text *t, uint64_t value, uint32_t nr)
{
	if (value == RLIM_INFINITY)
		text_add(t, nr == NR_prlimit64 ? "RLIM64_INFINITY" : "RLIM_INFINITY");
	else if (value > 1024 && value % 1024 == 0)
		text_add(t, "%llu*1024", u(value / 1024));
	else
		text_add(t, "%llu", u(value));
}

static void print_rlimit(struct text *t, const struct linux_rlimit *r, uint32_t nr)
{
	text_add(t, "{rlim_cur=");
	print_limit(t, r->rlim_cur, nr);
	text_add(t, ", rlim_max=");
	print_limit(t, r->rlim_max, nr);
	text_add(t, "}");
}

static void print_usage(struct text *t, const struct linux_rusage *r)
{
	text_add(t, "{ru_utime=");
	print_timeval(t, &r->ru_utime);
	text_add(t, ", ru_stime=");
	print_timeval(t, &r->ru_stime);
	text_add(t, ", ...}");
}

static void print_sysinfo(struct text *t, const struct linux_sysinfo *s)
{
	text_add(t,
		 "{uptime=%lld, loads=[%llu, %llu, %llu], totalram=%llu, freeram=%llu, "
		 "sharedram=%llu, bufferram=%llu, totalswap=%llu, freeswap=%llu, "
		 "procs=%u, totalhigh=%llu, freehigh=%llu, mem_unit=%u}",
		 (long long)s->uptime, u(s->loads[0]), u(s->loads[1]), u(s->loads[2]),
		 u(s->totalram), u(s->freeram), u(s->sharedram), u(s->bufferram),
		 u(s->totalswap), u(s->freeswap), s->procs, u(s->totalhigh),
		 u(s->freehigh), s->mem_unit);
}

static void print_utsname(struct text *t, const struct linux_utsname *n)
{
	text_add(t, "{sysname=");
	text_add_quoted(t, n->sysname, strnlen(n->sysname, sizeof(n->sysname)), false);
	text_add(t, ", nodename=");
	text_add_quoted(t, n->nodename, strnlen(n->nodename, sizeof(n->nodename)), false);
	text_add(t, ", ...}");
}

static void print_schedattr(struct text *t, const struct linux_sched_attr *a)
{
	text_add(t, "{size=%u, sched_policy=", a->size);
	print_names(t, ARG_SCHEDPOLICY, a->sched_policy);
	text_add(t, ", sched_flags=%#llx, sched_nice=%d, sched_priority=%u, ...}",
		 u(a->sched_flags), a->sched_nice, a->sched_priority);
}

/* ---- lists ---- */

void print_pollfds(struct text *t, const struct trace_chunk *c, bool is_result)
{
	const char *at = chunk_data(c);
	const char *comma = "";

	text_add(t, "[");
	for (size_t left = c->size; left >= sizeof(struct linux_pollfd);
	     left -= sizeof(struct linux_pollfd), at += sizeof(struct linux_pollfd)) {
		struct linux_pollfd p;

		memcpy(&p, at, sizeof(p));
		if (is_result && !p.revents)
			continue;
		text_add(t, is_result ? "%s{fd=%d, revents=" : "%s{fd=%d, events=", comma,
			 p.fd);
		print_flags(t, &poll_flags, (uint16_t)(is_result ? p.revents : p.events));
		text_add(t, "}");
		comma = ", ";
	}
	text_add(t, c->is_cut || c->info > TRACE_LIST_MAX ? "%s...]" : "]", comma);
}

static void print_epoll_events(struct text *t, const struct trace_view *v,
			       const struct trace_chunk *c)
{
	bool is_list = v->nr != NR_epoll_ctl;
	const char *at = chunk_data(c);
	const char *comma = "";

	text_add(t, is_list ? "[" : "");
	for (size_t left = c->size; left >= sizeof(struct linux_epoll_event);
	     left -= sizeof(struct linux_epoll_event)) {
		struct linux_epoll_event e;

		memcpy(&e, at, sizeof(e));
		at += sizeof(e);
		text_add(t, "%s{events=", comma);
		print_flags(t, &epoll_flags, e.events);
		text_add(t, ", data={u32=%u, u64=%llu}}", (uint32_t)e.data, u(e.data));
		comma = ", ";
	}
	if (is_list)
		text_add(t, c->info > TRACE_LIST_MAX ? "%s...]" : "]", comma);
}

void print_fdset(struct text *t, const struct trace_chunk *c, uint64_t count)
{
	const uint8_t *bits = chunk_data(c);
	uint64_t end = MIN(count, (uint64_t)c->size * 8);
	const char *space = "";

	text_add(t, "[");
	for (uint64_t i = 0; i < end; i++) {
		if (!(bits[i / 8] >> (i % 8) & 1))
			continue;
		text_add(t, "%s%llu", space, u(i));
		space = " ";
	}
	text_add(t, "]");
}

static void print_numbers(struct text *t, const struct trace_chunk *c)
{
	const char *at = chunk_data(c);

	text_add(t, "[");
	for (size_t i = 0; i + 4 <= c->size; i += 4) {
		int value;

		memcpy(&value, at + i, sizeof(value));
		text_add(t, i ? ", %d" : "%d", value);
	}
	text_add(t, c->info > TRACE_LIST_MAX ? ", ...]" : "]");
}

static void print_operations(struct text *t, const struct trace_chunk *c)
{
	const char *at = chunk_data(c);

	text_add(t, "[");
	for (size_t i = 0; i + 6 <= c->size; i += 6) {
		int16_t op[3];

		memcpy(op, at + i, sizeof(op));
		text_add(t, "%s{%u, %d, ", i ? ", " : "", (uint16_t)op[0], op[1]);
		print_names(t, ARG_IPCFLAGS, (uint16_t)op[2]);
		text_add(t, "}");
	}
	text_add(t, "]");
}

/* A number that the call reads and changes. */
static void print_in_out(struct text *t, const struct trace_view *v, unsigned i,
			 size_t size)
{
	const struct trace_chunk *in = record_chunk(v->enter, i);
	const struct trace_chunk *out = v->leave ? record_chunk(v->leave, i) : NULL;
	int64_t before = 0, after = 0;

	if (in)
		memcpy(&before, chunk_data(in), MIN(size, (size_t)in->size));
	if (out)
		memcpy(&after, chunk_data(out), MIN(size, (size_t)out->size));
	text_add(t, "[%lld", in ? (long long)before : (long long)after);
	if (in && out && before != after)
		text_add(t, v->s->kind[i] == ARG_OFFPTR ? "] => [%lld" : " => %lld",
			 (long long)after);
	text_add(t, "]");
}

/* ---- by kind ---- */

static bool print_bytes(struct text *t, const struct trace_view *v, unsigned i,
			const struct trace_chunk *c)
{
	const void *data = chunk_data(c);

	if (v->nr == NR_getdents || v->nr == NR_getdents64) {
		text_add_address(t, v->arg[i]);
		text_add(t, " /* %u entries */", c->info);
	} else if (v->nr == NR_getrandom) {
		text_add_quoted_hex(t, data, c->size, c->is_cut);
	} else if ((v->nr == NR_getsockopt || v->nr == NR_setsockopt) && c->size == 4) {
		int value;

		memcpy(&value, data, sizeof(value));
		text_add(t, "[%d]", value);
	} else {
		text_add_quoted(t, data, c->size, c->is_cut);
	}
	return true;
}

/* Those of one size: a chunk of it is there. */
static void print_whole(struct text *t, const struct trace_view *v, unsigned i,
			const char *data)
{
	union {
		struct linux_stat stat;
		struct linux_statx statx;
		struct linux_statfs statfs;
		struct linux_open_how how;
		struct linux_rlimit rlimit;
		struct linux_rusage usage;
		struct linux_sysinfo sysinfo;
		struct linux_utsname utsname;
		struct linux_sched_attr attr;
		struct linux_tms tms;
		int32_t pair[2];
	} s;

	memcpy(&s, data, sizeof(s));
	switch (v->s->kind[i]) {
	case ARG_STAT:
		print_stat(t, &s.stat);
		break;
	case ARG_STATX:
		print_statx(t, &s.statx);
		break;
	case ARG_STATFS:
		print_statfs(t, &s.statfs);
		break;
	case ARG_OPENHOW:
		print_open_how(t, &s.how);
		break;
	case ARG_RLIMIT:
		print_rlimit(t, &s.rlimit, v->nr);
		break;
	case ARG_RUSAGE:
		print_usage(t, &s.usage);
		break;
	case ARG_SYSINFO:
		print_sysinfo(t, &s.sysinfo);
		break;
	case ARG_UTSNAME:
		print_utsname(t, &s.utsname);
		break;
	case ARG_SCHEDATTR:
		print_schedattr(t, &s.attr);
		break;
	case ARG_TMS:
		text_add(t,
			 "{tms_utime=%lld, tms_stime=%lld, tms_cutime=%lld, "
			 "tms_cstime=%lld}",
			 (long long)s.tms.tms_utime, (long long)s.tms.tms_stime,
			 (long long)s.tms.tms_cutime, (long long)s.tms.tms_cstime);
		break;
	case ARG_SCHEDPARAM:
		text_add(t, "[%d]", s.pair[0]);
		break;
	default: /* ARG_FDPAIR */
		text_add(t, "[%d, %d]", s.pair[0], s.pair[1]);
	}
}

static const uint16_t whole_sizes[ARG_KINDS] = {
	[ARG_STAT] = sizeof(struct linux_stat),
	[ARG_STATX] = sizeof(struct linux_statx),
	[ARG_STATFS] = sizeof(struct linux_statfs),
	[ARG_OPENHOW] = sizeof(struct linux_open_how),
	[ARG_RLIMIT] = sizeof(struct linux_rlimit),
	[ARG_RUSAGE] = sizeof(struct linux_rusage),
	[ARG_SYSINFO] = sizeof(struct linux_sysinfo),
	[ARG_UTSNAME] = sizeof(struct linux_utsname),
	[ARG_SCHEDATTR] = 48,
	[ARG_TMS] = sizeof(struct linux_tms),
	[ARG_SCHEDPARAM] = 4,
	[ARG_FDPAIR] = 8,
};

static bool print_fixed(struct text *t, const struct trace_view *v, unsigned i,
			const struct trace_chunk *c)
{
	uint8_t kind = v->s->kind[i];
	char data[sizeof(struct linux_utsname) + 2];
	size_t pair = special_is_pair(v->nr) ? 2 : 1;

	memset(data, 0, sizeof(data));
	memcpy(data, chunk_data(c), MIN((size_t)c->size, sizeof(data)));
	switch (kind) {
	case ARG_TIMESPEC:
	case ARG_TIMEVAL:
		if (c->size < 16 * pair)
			return false;
		print_time(t, v, data, kind == ARG_TIMESPEC);
		return true;
	case ARG_ITIMERSPEC:
	case ARG_ITIMERVAL:
		if (c->size < 32)
			return false;
		print_interval(t, data, kind == ARG_ITIMERSPEC);
		return true;
	default:
		if (!whole_sizes[kind] || c->size < whole_sizes[kind])
			return struct_print_signal(t, kind, data, c->size);
		print_whole(t, v, i, data);
		return true;
	}
}

bool struct_print(struct text *t, const struct trace_view *v, unsigned i,
		  const struct trace_chunk *c)
{
	switch (v->s->kind[i]) {
	case ARG_PATH:
	case ARG_STR:
		text_add_quoted(t, chunk_data(c), c->size, c->is_cut);
		return true;
	case ARG_IBUF:
	case ARG_OBUF:
		return print_bytes(t, v, i, c);
	case ARG_ARGV:
		if (c->size == 0 && c->is_cut) {
			if (v->arg[i]) /* the first program's has none */
				text_add(t, "%#llx ", u(v->arg[i]));
			text_add(t, c->info == 1 ? "/* %u var */" : "/* %u vars */",
				 c->info);
		} else {
			print_strings(t, c);
		}
		return true;
	case ARG_IOVEC:
		print_vector(t, c);
		return true;
	case ARG_MSGHDR:
		print_message(t, v, chunk_data(c), c->size);
		return true;
	case ARG_SOCKADDR:
		print_address(t, chunk_data(c), c->size);
		return true;
	case ARG_POLLFDS:
		c = record_chunk(v->enter, i);
		if (c)
			print_pollfds(t, c, false);
		return c;
	case ARG_EPOLLEVENTS:
		print_epoll_events(t, v, c);
		return true;
	case ARG_FDSET:
		c = record_chunk(v->enter, i);
		if (c)
			print_fdset(t, c, (uint32_t)v->arg[0]);
		return c;
	case ARG_CPUSET:
		print_fdset(t, c, UINT64_MAX);
		return true;
	case ARG_GIDS:
		print_numbers(t, c);
		return true;
	case ARG_SEMBUF:
		print_operations(t, c);
		return true;
	case ARG_LENPTR:
		print_in_out(t, v, i, 4);
		return true;
	case ARG_OFFPTR:
		print_in_out(t, v, i, 8);
		return true;
	default:
		return print_fixed(t, v, i, c);
	}
}
