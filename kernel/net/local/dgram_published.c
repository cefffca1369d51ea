/* SPDX-License-Identifier: MIT */
/* dgram_published.c - UDP sockets on a port that -p publishes: they have a host socket
 * beside, which the launcher's forwarder sends to.
 *
 * What comes to the host socket goes into the queue in memory (dgram_host.c). Whom it
 * came from is remembered: what is sent to those names goes out by the host socket, and
 * to nobody in memory.
 *
 * Limits against Linux: of what comes so, nothing is known but its sender; those that
 * have not been heard of while PEERS_MAX others were are forgotten. */
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/uio.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/local/dgram_host.h"
#include "net/local/dgram_send.h"
#include "net/local/published.h"

enum { PEERS_MAX = 256 };

struct dgram_published {
	struct dgram_host host; /* first */
	uint32_t peer_count;	/* dgram.lock, as the next */
	struct tcp_target peers[PEERS_MAX];
};

static bool same_name(const struct tcp_target *a, const struct tcp_target *b)
{
	return a->is_v4 == b->is_v4 && a->name.port == b->name.port &&
	       !memcmp(a->name.addr, b->name.addr, sizeof(a->name.addr));
}

/* dgram.lock is held. */
static bool is_peer(const struct dgram_published *h, const struct tcp_target *t)
{
	uint32_t count = MIN(h->peer_count, (uint32_t)PEERS_MAX);

	for (uint32_t i = 0; i < count; i++)
		if (same_name(&h->peers[i], t))
			return true;
	return false;
}

static void come(struct dgram_host *host, const struct tcp_target *from,
		 const uint8_t *data, uint32_t size)
{
	struct dgram_published *h = container_of(host, struct dgram_published, host);
	struct dgram *d = host->owner;

	if (!from)
		return;
	lock_take(&d->lock);
	if (!is_peer(h, from))
		h->peers[h->peer_count++ % PEERS_MAX] = *from;
	lock_drop(&d->lock);
	dgram_host_give(host, from, data, size);
}

/* ---- making and ending ---- */

static int bind_host(struct socket *s, int fd)
{
	const struct local_socket *l = local_of(s);
	const int v6only = l->is_v6only;
	const int on = 1;
	struct linux_sockaddr_storage name;
	int len = tcp_name_export(&l->local.name, l->local.is_v4, s->family, &name);
	int err = 0;

	if (atomic_load_relaxed(&s->flags) & SOCKET_REUSEADDR)
		err = host_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!err && l->options.shares_port)
		err = host_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (!err && s->family == AF_INET6)
		err = host_setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	return err ? err : host_bind(fd, &name, len);
}

static int begin(struct socket *s, int fd)
{
	struct dgram *d = dgram_of(s);
	struct dgram_published *h = kmalloc_zeroed(sizeof(*h));
	int err = -ENOMEM;

	if (!h)
		return err;
	err = dgram_host_begin(&h->host, s, fd, come);
	if (!err && !atomic_cas(&d->published, NULL, h))
		err = -EINVAL;
	if (!err)
		return 0;
	host_watch_remove(&h->host.watch);
	kfree(h);
	return err;
}

int dgram_publish(struct socket *s)
{
	int fd;
	int err;

	if (likely(!published_has(s, local_of(s)->local.name.port)) ||
	    dgram_of(s)->published)
		return 0;
	fd = host_socket(s->family, SOCK_DGRAM, IPPROTO_UDP);
	if (fd < 0)
		return fd;
	err = bind_host(s, fd);
	if (!err)
		err = begin(s, fd);
	if (err)
		(void)host_close(fd);
	/* Nobody forwards to an address that the host's loopback does not have. */
	return err == -EADDRNOTAVAIL ? 0 : err;
}

void dgram_unpublish(struct dgram *d)
{
	struct dgram_published *h = d->published;

	if (likely(!h))
		return;
	dgram_host_end(&h->host);
	kfree(h);
	d->published = NULL;
}

/* ---- going out ---- */

bool dgram_goes_outside(struct dgram *d, const struct tcp_target *to)
{
	bool is_outside;

	lock_take(&d->lock);
	is_outside = is_peer(d->published, to);
	lock_drop(&d->lock);
	return is_outside;
}

int dgram_send_outside(struct dgram *d, const struct tcp_target *to,
		       const struct dgram_packet *p)
{
	struct linux_sockaddr_storage name;
	struct linux_iovec piece = {(uaddr_t)p->data, p->size};
	struct linux_msghdr m = {
		.msg_name = (uaddr_t)&name,
		.msg_iov = (uaddr_t)&piece,
		.msg_iovlen = 1,
	};
	long done;

	m.msg_namelen =
		tcp_name_export(&to->name, to->is_v4, dgram_socket(d)->family, &name);
	done = host_sendmsg(d->published->host.fd, &m, MSG_DONTWAIT);
	/* As one that is lost on its way. */
	return done < 0 && done != -EAGAIN && done != -EINTR ? (int)done : 0;
}
