/* SPDX-License-Identifier: MIT */
/* structs_socket.c - socket addresses, messages, vectors and lists of strings, as text.
 */
#include "abi/socket.h"
#include "abi/syscall.h"
#include "abi/uio.h"
#include "core/trace/format.h"
#include "core/trace/structs.h"
#include "lib/string.h"

static unsigned big_endian_16(uint16_t value)
{
	return (unsigned)(value >> 8 | (value & 0xff) << 8);
}

static void print_unix(struct text *t, const char *path, size_t size)
{
	if (size == 0) {
		text_add(t, "}");
		return;
	}
	text_add(t, ", sun_path=");
	if (path[0] == '\0') {
		text_add(t, "@");
		text_add_quoted(t, path + 1, size - 1, false);
	} else {
		text_add_quoted(t, path, strnlen(path, size), false);
	}
	text_add(t, "}");
}

static void print_inet(struct text *t, const struct linux_sockaddr_in *a)
{
	uint32_t ip = a->sin_addr;

	text_add(t, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")}",
		 big_endian_16(a->sin_port), ip & 0xff, ip >> 8 & 0xff, ip >> 16 & 0xff,
		 ip >> 24);
}

/* The longest run of two zero groups or more is left out, the first of several. */
static void print_ip6(struct text *t, const uint8_t *ip)
{
	int best = -1, best_len = 1;

	for (int i = 0; i < 8; i++) {
		int n = i;

		while (n < 8 && !ip[(size_t)n * 2] && !ip[(size_t)n * 2 + 1])
			n++;
		if (n - i > best_len) {
			best = i;
			best_len = n - i;
		}
	}
	if (best == 0 && best_len == 6) { /* ::1.2.3.4 */
		text_add(t, "::%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
		return;
	}
	if (best == 0 && best_len == 5 && ip[10] == 0xff && ip[11] == 0xff) {
		text_add(t, "::ffff:%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
		return;
	}
	for (int i = 0; i < 8; i++) {
		const uint8_t *pair = ip + (size_t)i * 2;

		if (i == best) {
			text_add(t, "::");
			i += best_len - 1;
			continue;
		}
		text_add(t, i && i != best + best_len ? ":%x" : "%x",
			 pair[0] << 8 | pair[1]);
	}
}

static void print_inet6(struct text *t, const struct linux_sockaddr_in6 *a)
{
	text_add(t,
		 ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"",
		 big_endian_16(a->sin6_port), __builtin_bswap32(a->sin6_flowinfo));
	print_ip6(t, a->sin6_addr);
	text_add(t, "\", &sin6_addr), sin6_scope_id=%u}", a->sin6_scope_id);
}

void print_address(struct text *t, const void *data, size_t size)
{
	struct linux_sockaddr_storage s;
	uint16_t family;

	if (size < sizeof(family)) {
		text_add_quoted_hex(t, data, size, false);
		return;
	}
	memset(&s, 0, sizeof(s));
	memcpy(&s, data, MIN(size, sizeof(s)));
	family = s.ss_family;
	text_add(t, "{sa_family=");
	print_names(t, ARG_SOCKDOMAIN, family);
	if (family == AF_UNIX) {
		print_unix(t, (const char *)s.data,
			   MIN(size, sizeof(s)) - sizeof(family));
	} else if (family == AF_INET && size >= sizeof(struct linux_sockaddr_in)) {
		print_inet(t, (const struct linux_sockaddr_in *)&s);
	} else if (family == AF_INET6 && size >= sizeof(struct linux_sockaddr_in6)) {
		print_inet6(t, (const struct linux_sockaddr_in6 *)&s);
	} else if (family == AF_NETLINK && size >= sizeof(struct linux_sockaddr_nl)) {
		const struct linux_sockaddr_nl *nl = (const void *)&s;

		text_add(t, ", nl_pid=%u, nl_groups=%08x}", nl->nl_pid, nl->nl_groups);
	} else {
		text_add(t, ", sa_data=");
		text_add_quoted(t, s.data, MIN(size, sizeof(s)) - sizeof(family), false);
		text_add(t, "}");
	}
}

/* The piece at *at, which lies whole before end; NULL if none does. */
static const struct trace_piece *next_piece(const char **at, const char *end)
{
	const struct trace_piece *p = (const struct trace_piece *)*at; // NOLINT
	size_t left = (size_t)(end - *at);

	if (left < sizeof(*p) || p->size > left - sizeof(*p))
		return NULL;
	*at += MIN(sizeof(*p) + ALIGN_UP((size_t)p->size, 8UL), left);
	return p;
}

void print_vector(struct text *t, const struct trace_chunk *c)
{
	const char *at = chunk_data(c);
	const char *end = at + c->size;
	const char *comma = "";

	text_add(t, "[");
	for (uint32_t i = 0; i < c->info; i++) {
		const struct trace_piece *p;
		struct linux_iovec v;

		if ((size_t)(end - at) < sizeof(v))
			break;
		memcpy(&v, at, sizeof(v));
		at += sizeof(v);
		p = next_piece(&at, end);
		if (!p)
			break;
		text_add(t, "%s{iov_base=", comma);
		if (!v.iov_base || (!p->size && v.iov_len))
			text_add_address(t, v.iov_base);
		else
			text_add_quoted(t, p + 1, p->size, p->is_cut);
		text_add(t, ", iov_len=%llu}", (unsigned long long)v.iov_len);
		comma = ", ";
	}
	text_add(t, c->is_cut ? "%s...]" : "]", comma);
}

void print_strings(struct text *t, const struct trace_chunk *c)
{
	const char *at = chunk_data(c);
	const char *end = at + c->size;
	const struct trace_piece *p;
	const char *comma = "";

	text_add(t, "[");
	while (at < end && (p = next_piece(&at, end))) {
		text_add(t, "%s", comma);
		text_add_quoted(t, p + 1, p->size, p->is_cut);
		comma = ", ";
	}
	text_add(t, c->is_cut ? "%s...]" : "]", comma);
}

static void print_control(struct text *t, const struct trace_chunk *c)
{
	const char *at = chunk_data(c);
	size_t left = c->size;
	const char *comma = "";

	text_add(t, "[");
	while (left >= sizeof(struct linux_cmsghdr)) {
		struct linux_cmsghdr h;
		size_t data, step;

		memcpy(&h, at, sizeof(h));
		if (h.cmsg_len < sizeof(h))
			break;
		data = MIN(h.cmsg_len, (uint64_t)left) - sizeof(h);
		text_add(t, "%s{cmsg_len=%llu, cmsg_level=", comma,
			 (unsigned long long)h.cmsg_len);
		print_names(t, ARG_SOCKLEVEL, (uint64_t)h.cmsg_level);
		if (h.cmsg_level == SOL_SOCKET && h.cmsg_type == SCM_RIGHTS) {
			text_add(t, ", cmsg_type=SCM_RIGHTS, cmsg_data=[");
			for (size_t i = 0; i + 4 <= data; i += 4) {
				int fd;

				memcpy(&fd, at + sizeof(h) + i, sizeof(fd));
				text_add(t, i ? ", %d" : "%d", fd);
			}
			text_add(t, "]}");
		} else if (h.cmsg_level == SOL_SOCKET && h.cmsg_type == SCM_CREDENTIALS &&
			   data >= sizeof(struct linux_ucred)) {
			struct linux_ucred cred;

			memcpy(&cred, at + sizeof(h), sizeof(cred));
			text_add(
				t,
				", cmsg_type=SCM_CREDENTIALS, cmsg_data={pid=%d, uid=%u, "
				"gid=%u}}",
				cred.pid, cred.uid, cred.gid);
		} else {
			text_add(t, ", cmsg_type=%#x}", (unsigned)h.cmsg_type);
		}
		comma = ", ";
		step = MIN(LINUX_CMSG_ALIGN(h.cmsg_len), (uint64_t)left);
		at += step;
		left -= step;
	}
	text_add(t, "]");
}

void print_message(struct text *t, const struct trace_view *v, const void *data,
		   size_t size)
{
	const struct trace_record *rec = v->leave ? v->leave : v->enter;
	const struct trace_chunk *name = record_chunk(rec, TRACE_ARG_NAME);
	const struct trace_chunk *vector = record_chunk(rec, TRACE_ARG_VECTOR);
	const struct trace_chunk *control = record_chunk(rec, TRACE_ARG_CONTROL);
	struct linux_msghdr m;

	memset(&m, 0, sizeof(m));
	memcpy(&m, data, MIN(size, sizeof(m)));
	text_add(t, "{msg_name=");
	if (name && name->size)
		print_address(t, chunk_data(name), name->size);
	else
		text_add_address(t, m.msg_name);
	text_add(t, ", msg_namelen=%d, msg_iov=", m.msg_namelen);
	if (vector)
		print_vector(t, vector);
	else
		text_add_address(t, m.msg_iov);
	text_add(t, ", msg_iovlen=%llu", (unsigned long long)m.msg_iovlen);
	if (m.msg_control && control && control->size) {
		text_add(t, ", msg_control=");
		print_control(t, control);
	}
	text_add(t, ", msg_controllen=%llu, msg_flags=",
		 (unsigned long long)m.msg_controllen);
	print_names(t, ARG_MSGFLAGS, m.msg_flags);
	text_add(t, "}");
}
