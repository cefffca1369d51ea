/* SPDX-License-Identifier: MIT */
/* dgram_host.c - see dgram_host.h. A host socket's watcher has the kernel thread take
 * what has come. */
#include "net/local/dgram_host.h"

#include "abi/epoll.h"
#include "abi/errno.h"
#include "abi/inet.h"
#include "abi/uio.h"
#include "base/slab.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/string.h"

enum { AT_ONCE_MAX = 64 };

void dgram_host_give(struct dgram_host *h, const struct tcp_target *from,
		     const uint8_t *data, uint32_t size)
{
	struct dgram *d = h->owner;
	struct dgram_packet *p;

	if (!dgram_is_from_peer(d, from))
		return;
	p = dgram_packet_create(size);
	if (!p)
		return;
	memcpy(p->data, data, size);
	p->from = *from;
	p->to = d->local.local;
	p->to.is_v4 = from->is_v4;
	p->protocol = IPPROTO_UDP;
	p->ttl = IP_DEFAULT_TTL;
	p->has_sum = true;
	(void)dgram_give(d, p);
}

/* One message: false: there is none. */
static bool take(struct dgram_host *h, uint8_t *data)
{
	struct linux_sockaddr_storage name = {0};
	struct linux_iovec piece = {(uaddr_t)data, IP_SIZE_MAX};
	struct linux_msghdr m = {
		.msg_name = (uaddr_t)&name,
		.msg_namelen = sizeof(name),
		.msg_iov = (uaddr_t)&piece,
		.msg_iovlen = 1,
	};
	long got = host_recvmsg(h->fd, &m, MSG_DONTWAIT);
	int len = MIN(MAX(m.msg_namelen, 0), (int)sizeof(name));
	struct tcp_target from;
	bool has_name;

	if (got < 0) /* errors are of messages sent: the next may be one that came */
		return got != -EAGAIN && got != -ENOTCONN && got != -EBADF;
	has_name = tcp_name_import(&from, &name, len);
	h->come(h, has_name ? &from : NULL, data, (uint32_t)MIN(got, (long)IP_SIZE_MAX));
	return true;
}

static void work_run(struct deferred *w)
{
	struct dgram_host *h = container_of(w, struct dgram_host, work);
	struct file *f = h->file;
	uint8_t *data = kmalloc(IP_SIZE_MAX);
	bool is_more = data;

	for (int i = 0; i < AT_ONCE_MAX && is_more; i++)
		is_more = take(h, data);
	kfree(data);
	/* Others want the kernel thread, too. */
	if (!is_more || !deferred_queue(&h->work))
		file_put(f);
}

static void on_host_event(struct host_watch *w, uint32_t events)
{
	struct dgram_host *h = container_of(w, struct dgram_host, watch);

	(void)events;
	/* A reference is never put here: see inet/async.c. */
	if (deferred_is_queued(&h->work) || !ref_get_unless_zero(&h->file->refs))
		return;
	(void)deferred_queue(&h->work);
}

int dgram_host_begin(struct dgram_host *h, struct socket *s, int fd,
		     void (*come)(struct dgram_host *h, const struct tcp_target *from,
				  const uint8_t *data, uint32_t size))
{
	h->fd = fd;
	h->owner = dgram_of(s);
	h->file = s->file;
	h->come = come;
	host_watch_init(&h->watch, on_host_event);
	deferred_init(&h->work, work_run);
	return host_watch_add(&h->watch, fd, EPOLLIN | EPOLLET);
}

void dgram_host_end(struct dgram_host *h)
{
	host_watch_remove(&h->watch);
	(void)host_close(h->fd);
}
