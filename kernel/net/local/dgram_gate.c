/* SPDX-License-Identifier: MIT */
/* dgram_gate.c - datagrams of sockets that are not connected, to destinations that
 * --allow-connect opens: each destination gets a connection of the gate's
 * (inet/outside.c), and what comes back on it seems to come from there.
 *
 * Limits against Linux: a socket has DESTINATIONS_MAX of them at most (ENOBUFS), until it
 * is closed. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram_host.h"
#include "net/local/dgram_send.h"

enum { DESTINATIONS_MAX = 16 };

struct dgram_gate {
	struct dgram_host host;	 /* first */
	struct dgram_gate *next; /* const */
	struct tcp_target peer;	 /* const */
};

static void come(struct dgram_host *h, const struct tcp_target *from, const uint8_t *data,
		 uint32_t size)
{
	(void)from;
	dgram_host_give(h, &container_of(h, struct dgram_gate, host)->peer, data, size);
}

bool dgram_gate_takes(struct socket *s, const struct message *m)
{
	return m->name && inet_outside_takes(s, m->name, m->name_len);
}

/* The one that leads to t, or NULL; count: how many there are. */
static struct dgram_gate *find(struct dgram *d, const struct tcp_target *t, int *count)
{
	struct dgram_gate *g = atomic_load(&d->gates);

	for (*count = 0; g; g = g->next, ++*count)
		if (g->peer.is_v4 == t->is_v4 && g->peer.name.port == t->name.port &&
		    !memcmp(g->peer.name.addr, t->name.addr, sizeof(t->name.addr)))
			return g;
	return NULL;
}

static int open_one(struct socket *s, const struct message *m, const struct tcp_target *t,
		    struct dgram_gate **out)
{
	struct dgram *d = dgram_of(s);
	struct dgram_gate *g = kmalloc_zeroed(sizeof(*g));
	int err = -ENOMEM;
	int fd;

	if (!g)
		return err;
	err = inet_outside_ask(s, m->name, &fd);
	if (err)
		goto out;
	g->peer = *t;
	err = dgram_host_begin(&g->host, s, fd, come);
	if (err) {
		(void)host_close(fd);
		goto out;
	}
	g->next = atomic_load(&d->gates);
	while (!atomic_try_cas(&d->gates, &g->next, g))
		;
	*out = g;
	return 0;
out:
	kfree(g);
	return err;
}

ssize_t dgram_gate_send(struct socket *s, struct message *m)
{
	struct dgram_send w = {.d = dgram_of(s), .s = s, .m = m};
	size_t size = m->data->left;
	struct dgram_packet *p;
	struct dgram_gate *g;
	struct tcp_target t;
	int count;
	long done;
	int err = 0;

	if (!tcp_name_import(&t, m->name, m->name_len))
		return -EINVAL;
	if (!w.d->local.port)
		err = local_port_take_any(&w.d->local);
	g = find(w.d, &t, &count);
	if (!err && !g)
		err = count >= DESTINATIONS_MAX ? -ENOBUFS : open_one(s, m, &t, &g);
	if (!err)
		err = dgram_read_data(&w, 0, &p);
	if (err)
		return err;
	done = host_send(g->host.fd, (uaddr_t)p->data, p->size, MSG_DONTWAIT);
	dgram_packet_destroy(p);
	if (done == -EAGAIN || done == -EINTR) /* as one that is lost on its way */
		return (ssize_t)size;
	return done < 0 ? done : (ssize_t)size;
}

void dgram_gate_end(struct dgram *d)
{
	struct dgram_gate *g = d->gates;

	while (g) {
		struct dgram_gate *next = g->next;

		dgram_host_end(&g->host);
		kfree(g);
		g = next;
	}
	d->gates = NULL;
}
