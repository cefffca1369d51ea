/* SPDX-License-Identifier: MIT */
/* table.c - all internet sockets of the sandbox, for /proc/net and sock_diag(7).
 *
 * What the host has queued for a listener, or keeps after a close, is not among them;
 * what connections in memory leave (tcp_wait.h) is told of as well. */
#include "abi/inet.h"
#include "abi/ioctl.h"
#include "base/lock.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/inet.h"
#include "net/inet/internal.h"
#include "net/inet/tcp.h"
#include "net/net_ns.h"

enum { TCP_ROW = 148, UDP_ROW = 126, PORT_AT = 0, ADDR4_AT = 2, ADDR6_AT = 6 };

static struct lock all_lock = LOCK_INIT(RANK_OBJECT);
static struct roll all; /* all_lock */

void inet_table_add(struct socket *s)
{
	struct inet_socket *i = inet_of(s);

	i->socket = s;
	lock_take(&all_lock);
	roll_add(&all, &i->entry);
	lock_drop(&all_lock);
}

void inet_table_remove(struct inet_socket *i)
{
	lock_take(&all_lock);
	roll_remove(&all, &i->entry);
	lock_drop(&all_lock);
}

/* ---- one socket ---- */

static void read_name(struct socket *s, bool peer, uint8_t addr[16], uint16_t *port)
{
	struct linux_sockaddr_storage name;

	memset(addr, 0, 16);
	*port = 0;
	memset(&name, 0, sizeof(name));
	if (inet_name(s, &name, peer) < 0)
		return;
	memcpy(port, name.data + PORT_AT, sizeof(*port));
	*port = __builtin_bswap16(*port);
	if (name.ss_family == AF_INET)
		memcpy(addr, name.data + ADDR4_AT, 4);
	else if (name.ss_family == AF_INET6)
		memcpy(addr, name.data + ADDR6_AT, 16);
}

static uint32_t queue_size(const struct socket *s, unsigned cmd)
{
	uint32_t size = 0;

	return host_ioctl(s->host_fd, cmd, &size) < 0 ? 0 : size;
}

static void read_state(const struct socket *s, struct inet_view *v)
{
	int len = sizeof(v->tcp_info);

	v->state = v->remote_port ? INET_ESTABLISHED : INET_CLOSE;
	if (v->protocol != IPPROTO_TCP)
		return;
	if (host_getsockopt(s->host_fd, SOL_TCP, TCP_INFO, v->tcp_info, &len) || len < 1)
		return;
	v->tcp_info_size = MIN((uint32_t)len, (uint32_t)sizeof(v->tcp_info));
	v->state = v->tcp_info[0];
	if (v->state == INET_LISTEN) { /* who waits there, and how many may */
		memcpy(&v->receive_queue, v->tcp_info + TCP_INFO_UNACKED, 4);
		memcpy(&v->send_queue, v->tcp_info + TCP_INFO_SACKED, 4);
		v->receive_queue += tcp_queued(inet_of(s));
	}
}

static void view(struct socket *s, const struct file *f, struct inet_view *v)
{
	memset(v, 0, sizeof(*v));
	v->family = s->family;
	v->protocol = s->protocol;
	v->uid = f->inode->uid;
	v->ino = f->inode->ino;
	if (inet_of(s)->view) {
		inet_of(s)->view(s, v);
		return;
	}
	if (v->protocol == IPPROTO_TCP && tcp_view(s, v))
		return;
	read_name(s, false, v->local, &v->local_port);
	read_name(s, true, v->remote, &v->remote_port);
	read_state(s, v);
	if (v->state == INET_LISTEN)
		return;
	v->receive_queue = queue_size(s, FIONREAD);
	v->send_queue = queue_size(s, TIOCOUTQ);
}

/* TCP sockets that are neither connected nor listening are in no table, nor are others
 * without a port. */
static bool is_shown(const struct inet_view *v)
{
	return v->protocol == IPPROTO_TCP ? v->state != INET_CLOSE : v->local_port != 0;
}

static bool is_of(const struct socket *s, const struct net_ns *net, int family,
		  int protocol)
{
	if (s->family != family || s->net != net)
		return false;
	return protocol == INET_RAW ? s->type == SOCK_RAW
				    : s->protocol == protocol && s->type != SOCK_RAW;
}

bool inet_for_each(const struct net_ns *net, int family, int protocol,
		   struct roll_cursor *at,
		   bool (*visit)(const struct inet_view *v, void *arg), void *arg)
{
	struct roll_entry *e;

	lock_take(&all_lock);
	for (e = roll_go_on(&all, at); e; e = roll_pass(e, at)) {
		struct socket *s = container_of(e, struct inet_socket, entry)->socket;
		const struct file *f = atomic_load(&s->file);
		struct inet_view v;

		if (f && is_of(s, net, family, protocol)) {
			view(s, f, &v);
			if (is_shown(&v) && !visit(&v, arg))
				break;
		}
	}
	lock_drop(&all_lock);
	return !e;
}

static bool same_name(const struct tcp_name *a, const struct tcp_name *b)
{
	return a->port == b->port && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool inet_names_are_used(const struct tcp_conn *c)
{
	struct roll_entry *pos;
	bool are_used = false;

	lock_take(&all_lock);
	roll_for_each(pos, &all)
	{
		const struct tcp_conn *o =
			tcp_conn_of(container_of(pos, struct inet_socket, entry));

		are_used |=
			o && o != c && o->is_v4 == c->is_v4 &&
			same_name(&o->half[CONNECTOR].name, &c->half[CONNECTOR].name) &&
			same_name(&o->half[ACCEPTOR].name, &c->half[ACCEPTOR].name);
	}
	lock_drop(&all_lock);
	return are_used;
}

/* ---- /proc/net ---- */

struct table {
	const char *name, *head;
	int family, protocol;
	size_t width; /* of a row that is filled up, or 0 */
};

struct show {
	struct text *t;
	const struct table *table;
	int count;
};

enum { TIMER_KEPT = 3 }; /* as Linux numbers it */
#define CLOCK_TICK (NSEC_PER_SEC / 100)

static void show_address(struct text *t, int family, const uint8_t *addr, uint16_t port)
{
	for (int i = 0; i < (family == AF_INET ? 1 : 4); i++) {
		uint32_t word;

		memcpy(&word, addr + (size_t)i * 4, 4);
		text_printf(t, "%08X", word);
	}
	text_printf(t, ":%04X", port);
}

static bool show_row(const struct inet_view *v, void *arg)
{
	struct show *s = arg;
	struct text *t = s->t;
	bool is_tcp = v->protocol == IPPROTO_TCP;
	size_t start = t->len;

	text_printf(t, is_tcp ? "%4d: " : "%5d: ", s->count++);
	show_address(t, v->family, v->local, v->local_port);
	text_putc(t, ' ');
	show_address(t, v->family, v->remote, v->remote_port);
	text_printf(t, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %lu %d %016lx", v->state,
		    v->state == INET_LISTEN ? 0 : v->send_queue, v->receive_queue,
		    v->is_kept ? TIMER_KEPT : 0, (unsigned long)(v->left / CLOCK_TICK), 0,
		    v->is_kept ? 0U : text_uid(t, v->uid), 0, v->ino,
		    v->is_kept ? TIMER_KEPT : 2, 0UL);
	if (is_tcp && !v->is_kept)
		text_puts(t, " 20 0 0 10 -1");
	else if (!is_tcp)
		text_printf(t, " %u", v->lost);
	if (s->table->width)
		text_pad(t, start, s->table->width);
	text_putc(t, '\n');
	return true;
}

static int show_table(struct text *t, void *arg)
{
	const struct table *table = arg;
	struct show s = {t, table, 0};
	struct tcp_wait_cursor after = {0};
	size_t start = t->len;
	struct roll_cursor at = {0};

	text_puts(t, table->head);
	if (table->width)
		text_pad(t, start, table->width);
	text_putc(t, '\n');
	(void)inet_for_each(current_net_ns(), table->family, table->protocol, &at,
			    show_row, &s);
	if (table->protocol == IPPROTO_TCP)
		(void)tcp_wait_for_each(current_net_ns(), table->family, &after, show_row,
					&s);
	return 0;
}

static bool count_one(const struct inet_view *v, void *arg)
{
	(void)v;
	++*(unsigned *)arg;
	return true;
}

static unsigned count_of(int family, int protocol)
{
	unsigned count = 0;
	struct roll_cursor at = {0};

	(void)inet_for_each(current_net_ns(), family, protocol, &at, count_one, &count);
	return count;
}

static int show_usage(struct text *t, void *arg)
{
	(void)arg;
	text_printf(t, "sockets: used %u\n", socket_count());
	text_printf(t, "TCP: inuse %u orphan 0 tw %u alloc %u mem 0\n",
		    count_of(AF_INET, IPPROTO_TCP), tcp_wait_count(current_net_ns()),
		    count_of(AF_INET, IPPROTO_TCP));
	text_printf(t, "UDP: inuse %u mem 0\n", count_of(AF_INET, IPPROTO_UDP));
	text_puts(t, "UDPLITE: inuse 0\n");
	text_printf(t, "RAW: inuse %u\nFRAG: inuse 0 memory 0\n",
		    count_of(AF_INET, INET_RAW));
	return 0;
}

static int show_usage6(struct text *t, void *arg)
{
	(void)arg;
	text_printf(t, "TCP6: inuse %u\nUDP6: inuse %u\n",
		    count_of(AF_INET6, IPPROTO_TCP), count_of(AF_INET6, IPPROTO_UDP));
	text_puts(t, "UDPLITE6: inuse 0\n");
	text_printf(t, "RAW6: inuse %u\nFRAG6: inuse 0 memory 0\n",
		    count_of(AF_INET6, INET_RAW));
	return 0;
}

#define HEAD_END " st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
#define HEAD4	 "sl  local_address rem_address  "
#define HEAD6                                                                            \
	"  sl  local_address                         remote_address                    " \
	"   "

void inet_table_init(void)
{
	static const struct table tables[] = {
		{"tcp", "  " HEAD4 HEAD_END, AF_INET, IPPROTO_TCP, TCP_ROW},
		{"tcp6", HEAD6 HEAD_END, AF_INET6, IPPROTO_TCP, 0},
		{"udp", "   " HEAD4 HEAD_END " ref pointer drops", AF_INET, IPPROTO_UDP,
		 UDP_ROW},
		{"udp6", HEAD6 HEAD_END " ref pointer drops", AF_INET6, IPPROTO_UDP, 0},
		{"icmp", "  " HEAD4 HEAD_END " ref pointer drops", AF_INET, IPPROTO_ICMP,
		 UDP_ROW},
		{"raw", "  " HEAD4 HEAD_END " ref pointer drops", AF_INET, INET_RAW, 0},
		{"raw6", " " HEAD6 HEAD_END " ref pointer drops", AF_INET6, INET_RAW, 0},
		{"icmp6", HEAD6 HEAD_END " ref pointer drops", AF_INET6, IPPROTO_ICMPV6,
		 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		proc_net_add(tables[i].name, show_table, (void *)(uintptr_t)&tables[i]);
	proc_net_add("sockstat", show_usage, NULL);
	proc_net_add("sockstat6", show_usage6, NULL);
}
