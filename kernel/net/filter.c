/* SPDX-License-Identifier: MIT */
/* filter.c - see filter.h.
 *
 * Limits against Linux: a filter's memory is not charged to its socket; of what a packet
 * came by (SKF_AD_…) only frames of a device know anything, and they have no hash. */
#include "net/filter.h"

#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/netdevice.h"
#include "abi/netlink.h"
#include "abi/socket.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/slab.h"
#include "fs/fdtable.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/bpf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "net/inet/inet.h"
#include "net/lo.h"
#include "net/local/local.h"
#include "net/net_ns.h"
#include "net/socket.h"

struct socket_filter {
	struct ref refs;
	uint32_t count;
	struct linux_sock_filter program[];
};

/* Which filter a socket has: s->filter. */
static struct lock filter_lock = LOCK_INIT(RANK_SOCKET_FILTER);

bool socket_filter_is_option(int name)
{
	switch (name) {
	case SO_ATTACH_FILTER:
	case SO_DETACH_FILTER:
	case SO_LOCK_FILTER:
	case SO_ATTACH_BPF:
	case SO_ATTACH_REUSEPORT_CBPF:
	case SO_ATTACH_REUSEPORT_EBPF:
	case SO_DETACH_REUSEPORT_BPF:
		return true;
	default:
		return false;
	}
}

/* ---- which filter a socket has ---- */

static void filter_put(struct socket_filter *f)
{
	if (f && ref_put(&f->refs))
		kfree(f);
}

static struct socket_filter *filter_get(const struct socket *s)
{
	struct socket_filter *f;

	if (likely(!atomic_load(&s->filter)))
		return NULL;
	lock_take(&filter_lock);
	f = s->filter;
	if (f)
		ref_get(&f->refs);
	lock_drop(&filter_lock);
	return f;
}

/* Takes f over, which may be NULL, and returns what was there. */
static struct socket_filter *filter_swap(struct socket *s, struct socket_filter *f)
{
	struct socket_filter *old;

	lock_take(&filter_lock);
	old = s->filter;
	atomic_store(&s->filter, f);
	lock_drop(&filter_lock);
	return old;
}

bool socket_filter_is_locked(const struct socket *s)
{
	return atomic_load(&s->flags) & SOCKET_FILTER_LOCKED;
}

void socket_filter_inherit(struct socket *fresh, struct socket *listener)
{
	fresh->filter = filter_get(listener);
	if (socket_filter_is_locked(listener))
		(void)atomic_or(&fresh->flags, SOCKET_FILTER_LOCKED);
}

void socket_filter_drop(struct socket *s)
{
	filter_put(s->filter);
	s->filter = NULL;
}

/* ---- options ---- */

static int program_check(const struct socket_filter *f)
{
	uint16_t *scratch = kmalloc(f->count * sizeof(*scratch));
	bool is_fine;

	if (!scratch)
		return -ENOMEM;
	is_fine = bpf_check(f->program, f->count, BPF_FOR_PACKETS, 0, scratch);
	kfree(scratch);
	return is_fine ? 0 : -EINVAL;
}

int socket_filter_create(const struct socket *s, const void *value, int len,
			 struct socket_filter **out)
{
	struct linux_sock_fprog from;
	struct socket_filter *f;
	int err;

	if (len != (int)sizeof(from))
		return -EINVAL;
	memcpy(&from, value, sizeof(from));
	if (socket_filter_is_locked(s))
		return -EPERM;
	if (!from.filter || !from.len || from.len > BPF_MAXINSNS)
		return -EINVAL;
	f = kmalloc(sizeof(*f) + from.len * sizeof(f->program[0]));
	if (!f)
		return -ENOMEM;
	ref_init(&f->refs);
	f->count = from.len;
	err = copy_from_user(f->program, from.filter, from.len * sizeof(f->program[0]));
	if (!err)
		err = program_check(f);
	if (err)
		kfree(f);
	else
		*out = f;
	return err;
}

void socket_filter_destroy(struct socket_filter *program)
{
	filter_put(program);
}

/* The host runs it for its own socket: it reads the program where it lies. */
static int host_attach(struct socket *s, int name, const struct socket_filter *f)
{
	struct linux_sock_fprog fprog = {(uint16_t)f->count, (uaddr_t)f->program};
	int err = host_setsockopt(s->host_fd, SOL_SOCKET, name, &fprog, sizeof(fprog));

	if (!err && s->family != AF_UNIX)
		inet_filter_attached(s);
	return err;
}

static int attach(struct socket *s, const void *value, int len)
{
	struct socket_filter *f;
	int err = socket_filter_create(s, value, len, &f);

	if (err)
		return err;
	if (s->host_fd >= 0)
		err = host_attach(s, SO_ATTACH_FILTER, f);
	filter_put(err ? f : filter_swap(s, f));
	return err;
}

static int detach(struct socket *s)
{
	struct socket_filter *old;
	int zero = 0;

	if (socket_filter_is_locked(s))
		return -EPERM;
	old = filter_swap(s, NULL);
	if (!old)
		return -ENOENT;
	filter_put(old);
	if (s->host_fd >= 0)
		return host_setsockopt(s->host_fd, SOL_SOCKET, SO_DETACH_FILTER, &zero,
				       sizeof(zero));
	return 0;
}

/* Not so a connection that a listener in memory has accepted from the host. */
static bool is_local(const struct socket *s)
{
	return (s->family == AF_INET || s->family == AF_INET6) && inet_of(s)->is_local;
}

bool socket_filter_replace(struct socket_filter **at, struct socket_filter *f)
{
	struct socket_filter *old = *at;

	if (f)
		ref_get(&f->refs);
	*at = f;
	filter_put(old);
	return old;
}

/* Which of the sockets that share a port gets a packet. */
static int attach_reuseport(struct socket *s, const void *value, int len)
{
	struct socket_filter *f;
	int err = socket_filter_create(s, value, len, &f);

	if (err)
		return err;
	if (is_local(s))
		err = local_chooser_set(local_of(s), f);
	else if (s->host_fd < 0)
		err = -EINVAL;
	else
		err = host_attach(s, SO_ATTACH_REUSEPORT_CBPF, f);
	filter_put(f);
	return err;
}

static int detach_reuseport(struct socket *s)
{
	int zero = 0;

	if (is_local(s))
		return local_chooser_set(local_of(s), NULL);
	return s->host_fd < 0
		       ? -EINVAL
		       : host_setsockopt(s->host_fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF,
					 &zero, sizeof(zero));
}

/* A program of bpf(2), of which there are none. */
static int attach_bpf(const struct socket *s, int fd, int len)
{
	struct fdref ref;

	if (len != (int)sizeof(fd))
		return -EINVAL;
	if (socket_filter_is_locked(s))
		return -EPERM;
	ref = fd_get(fd);
	if (!ref.file)
		return -EBADF;
	fd_put(ref);
	return -EINVAL;
}

int socket_filter_set(struct socket *s, int name, const void *value, int len)
{
	int n;

	if (len < (int)sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	switch (name) {
	case SO_ATTACH_FILTER:
		return attach(s, value, len);
	case SO_DETACH_FILTER:
		return detach(s);
	case SO_LOCK_FILTER:
		if (!n && socket_filter_is_locked(s))
			return -EPERM;
		if (n)
			(void)atomic_or(&s->flags, SOCKET_FILTER_LOCKED);
		return 0;
	case SO_ATTACH_REUSEPORT_CBPF:
		return attach_reuseport(s, value, len);
	case SO_DETACH_REUSEPORT_BPF:
		return detach_reuseport(s);
	default:
		return attach_bpf(s, n, len);
	}
}

int socket_filter_export(struct socket *s, uaddr_t to, uint32_t *count)
{
	struct socket_filter *f = filter_get(s);
	uint32_t room = *count;
	int err = 0;

	*count = f ? f->count : 0;
	if (!f)
		return 0;
	if (room && room < f->count)
		err = -EINVAL;
	else if (room)
		err = copy_to_user(to, f->program, f->count * sizeof(f->program[0]));
	filter_put(f);
	return err;
}

/* ---- running ---- */

struct filter_packet {
	struct bpf_packet head; /* first */
	const uint8_t *data;
	const struct filter_frame *frame; /* what data is in, or NULL */
};

/* The place of the first attribute of that type among size bytes at off, or 0. */
static uint32_t find_attribute(const uint8_t *data, uint32_t off, uint32_t end,
			       uint32_t type)
{
	struct linux_nlattr a;

	while (off <= end && end - off >= sizeof(a)) {
		memcpy(&a, data + off, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > end - off)
			return 0;
		if ((uint32_t)(a.nla_type & NLA_TYPE_MASK) == type)
			return off;
		off += NLMSG_ALIGN_OF((uint32_t)a.nla_len);
	}
	return 0;
}

/* SKF_AD_NLATTR: from the offset in A on; _NEST: within the attribute there. */
static uint32_t load_attribute(const struct filter_packet *p,
			       const struct bpf_registers *r, bool is_nested)
{
	uint32_t size = p->head.size;
	struct linux_nlattr a;

	if (size < sizeof(a) || r->a > size - sizeof(a))
		return 0;
	if (!is_nested)
		return find_attribute(p->data, r->a, size, r->x);
	memcpy(&a, p->data + r->a, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > size - r->a)
		return 0;
	return find_attribute(p->data, r->a + (uint32_t)sizeof(a), r->a + a.nla_len,
			      r->x);
}

/* As vgetcpu finds it. */
uint32_t filter_cpu_number(void)
{
	uint32_t limit;

	__asm__ volatile("lsll %1, %0" : "=r"(limit) : "r"(0x7b) : "cc");
	return limit & 0xfff;
}

/* What a frame came by. False: it is not of that. */
static bool load_of_frame(const struct filter_frame *f, uint32_t what, uint32_t *out)
{
	switch (what) {
	case SKF_AD_PROTOCOL:
		*out = f->protocol;
		return true;
	case SKF_AD_PKTTYPE:
		*out = f->type;
		return true;
	case SKF_AD_IFINDEX:
		*out = LO_INDEX;
		return true;
	case SKF_AD_HATYPE:
		*out = ARPHRD_LOOPBACK;
		return true;
	case SKF_AD_MARK:
		*out = f->mark;
		return true;
	case SKF_AD_VLAN_TAG:
		*out = f->vlan_tag;
		return true;
	case SKF_AD_VLAN_TAG_PRESENT:
		*out = f->has_vlan;
		return true;
	case SKF_AD_VLAN_TPID:
		*out = f->vlan_protocol;
		return true;
	default:
		return false;
	}
}

static bool load_other(const struct filter_packet *p, const struct bpf_registers *r,
		       uint32_t what, uint32_t *out)
{
	if (p->frame && load_of_frame(p->frame, what, out))
		return true;
	switch (what) {
	case SKF_AD_NLATTR:
	case SKF_AD_NLATTR_NEST:
		*out = load_attribute(p, r, what == SKF_AD_NLATTR_NEST);
		return true;
	case SKF_AD_ALU_XOR_X:
		*out = r->a ^ r->x;
		return true;
	case SKF_AD_CPU:
		*out = filter_cpu_number();
		return true;
	case SKF_AD_RANDOM:
		return host_getrandom(out, sizeof(*out)) == (long)sizeof(*out);
	case SKF_AD_IFINDEX:
	case SKF_AD_HATYPE: /* of a device */
		return false;
	default: /* a mark, a hash, a VLAN …: none */
		*out = 0;
		return what <= SKF_AD_VLAN_TPID;
	}
}

static bool load_bytes(const uint8_t *data, uint32_t room, uint32_t off, uint32_t size,
		       uint32_t *out)
{
	uint32_t value = 0;

	if (off > room || size > room - off)
		return false;
	for (uint32_t i = 0; i < size; i++)
		value = value << 8 | data[off + i];
	*out = value;
	return true;
}

static bool filter_load(const struct bpf_packet *head, const struct bpf_registers *r,
			uint32_t off, uint32_t size, uint32_t *out)
{
	const struct filter_packet *p = container_of(head, struct filter_packet, head);
	const struct filter_frame *f = p->frame;

	if (off >= (uint32_t)SKF_AD_OFF)
		return load_other(p, r, off - (uint32_t)SKF_AD_OFF, out);
	if (off >= (uint32_t)SKF_NET_OFF) {
		off -= (uint32_t)SKF_NET_OFF;
		if (f) /* else there is no header before the data */
			return load_bytes(f->data + f->network, f->size - f->network, off,
					  size, out);
	} else if (f && off >= (uint32_t)SKF_LL_OFF) {
		return load_bytes(f->data, f->size, off - (uint32_t)SKF_LL_OFF, size,
				  out);
	}
	return load_bytes(p->data, head->size, off, size, out);
}

uint32_t socket_filter_choose(const struct socket_filter *f, const uint8_t *data,
			      uint32_t size)
{
	struct filter_packet p = {.head = {filter_load, size}, .data = data};

	return bpf_run_packet(f->program, &p.head);
}

bool socket_filter_pass(struct socket *s, const uint8_t *data, uint32_t *size)
{
	struct socket_filter *f = filter_get(s);
	struct filter_packet p = {{filter_load, *size}, data, NULL};
	uint32_t kept;

	if (likely(!f))
		return true;
	kept = bpf_run_packet(f->program, &p.head);
	filter_put(f);
	*size = MIN(*size, kept);
	return kept != 0;
}

uint32_t socket_filter_run(const struct socket_filter *program,
			   const struct filter_frame *f)
{
	struct filter_packet p = {
		{filter_load, f->size - f->start}, f->data + f->start, f};

	return bpf_run_packet(program->program, &p.head);
}

bool socket_filter_pass_frame(struct socket *s, const struct filter_frame *f,
			      uint32_t *size)
{
	struct socket_filter *filter = filter_get(s);
	uint32_t kept;

	if (likely(!filter))
		return true;
	kept = socket_filter_run(filter, f);
	filter_put(filter);
	*size = MIN(*size, kept);
	return kept != 0;
}
