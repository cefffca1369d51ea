/* SPDX-License-Identifier: MIT */
/* reuseport.c - sockets that share a port and an address (SO_REUSEPORT): which of them
 * gets what comes. A program may say (SO_ATTACH_REUSEPORT_CBPF), by number in the order
 * in which they came; else a hash of both names does.
 *
 * Limits against Linux: a program is lost when all have gone that were there when it was
 * attached. */
#include "abi/errno.h"
#include "lib/string.h"
#include "net/filter.h"
#include "net/local/local.h"

static bool same_address(const struct tcp_target *a, const struct tcp_target *b)
{
	return a->is_v4 == b->is_v4 &&
	       !memcmp(a->name.addr, b->name.addr, sizeof(a->name.addr));
}

/* The table's lock is held, as for the next. */
static bool is_of_group(const struct local_socket *l, const struct local_socket *of)
{
	return l->options.shares_port && !l->has_remote && l->uid == of->uid &&
	       l->inet.socket->family == of->inet.socket->family &&
	       l->is_v6only == of->is_v6only && l->options.device == of->options.device &&
	       l->is_listening == of->is_listening && same_address(&l->local, &of->local);
}

static struct local_socket *member(const struct local_port *port, struct local_socket *l,
				   uint32_t number)
{
	struct list *pos;

	list_for_each (pos, &port->owners) {
		struct local_socket *o = list_entry(pos, struct local_socket, port_link);

		if (is_of_group(o, l) && !number--)
			return o;
	}
	return l;
}

struct local_socket *local_group_pick(const struct local_port *port,
				      struct local_socket *l, uint32_t hash,
				      const uint8_t *data, uint32_t size)
{
	struct socket_filter *program = NULL;
	uint32_t count = 0;
	struct list *pos;
	uint32_t number;

	list_for_each (pos, &port->owners) {
		struct local_socket *o = list_entry(pos, struct local_socket, port_link);

		if (!is_of_group(o, l))
			continue;
		count++;
		program = program ? program : o->chooser;
	}
	if (program && data) {
		number = socket_filter_choose(program, data, size);
		if (number < count)
			return member(port, l, number);
	}
	return member(port, l, (uint32_t)((uint64_t)hash * count >> 32));
}

int local_chooser_set(struct local_socket *l, struct socket_filter *program)
{
	struct local_ports *t = local_ports_of(l);
	bool had_one = false;
	struct list *pos;

	if (!l->options.shares_port)
		return -EINVAL;
	lock_take(&t->lock);
	had_one = socket_filter_replace(&l->chooser, program);
	if (l->port) {
		list_for_each (pos, &l->port->owners) {
			struct local_socket *o =
				list_entry(pos, struct local_socket, port_link);

			if (o != l && is_of_group(o, l))
				had_one |= socket_filter_replace(&o->chooser, program);
		}
	}
	lock_drop(&t->lock);
	return program || had_one ? 0 : -ENOENT;
}
