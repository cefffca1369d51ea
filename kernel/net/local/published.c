/* SPDX-License-Identifier: MIT */
/* published.c - see published.h.
 *
 * Limits against Linux: a listener that stops, and then listens on another port, is not
 * reached through that one. */
#include "net/local/published.h"

#include "abi/errno.h"
#include "abi/inet.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "net/local/local.h"
#include "net/net_ns.h"

static const struct published_port *all; /* const after start-up, as all_count */
static uint32_t all_count;

void published_init(const struct published_port *ports, uint32_t count)
{
	all = ports;
	all_count = count;
}

bool published_has(const struct socket *s, uint16_t number)
{
	bool is_udp = s->protocol == IPPROTO_UDP;

	if (likely(!all_count) || s->net != &first_net_ns || first_net_ns.is_host)
		return false;
	for (uint32_t k = 0; k < all_count; k++)
		if (all[k].number == number && all[k].is_udp == is_udp)
			return true;
	return false;
}

/* As the one in memory is bound, with as much of its port shared. */
static int listen_on(struct socket *s, int fd, int backlog)
{
	const struct local_socket *l = local_of(s);
	const int v6only = l->is_v6only;
	const int on = 1;
	struct linux_sockaddr_storage name;
	int len = tcp_name_export(&l->local.name, l->local.is_v4, s->family, &name);
	int err = host_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

	if (!err && l->options.shares_port)
		err = host_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (!err && s->family == AF_INET6)
		err = host_setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	if (!err)
		err = host_bind(fd, &name, len);
	return err ? err : host_listen(fd, backlog);
}

int published_listen(struct socket *s, int backlog)
{
	struct local_socket *l = local_of(s);
	int err;
	int fd;

	if (likely(!published_has(s, l->local.name.port)))
		return 0;
	if (s->host_fd >= 0) {
		err = host_listen(s->host_fd, backlog);
		if (!err)
			tcp_switch_poll(s, s->host_fd);
		return err;
	}
	fd = host_socket(s->family, SOCK_STREAM, IPPROTO_TCP);
	if (fd < 0)
		return fd;
	err = listen_on(s, fd, backlog);
	if (err) {
		(void)host_close(fd);
		/* Nobody forwards to an address that the host's loopback does not have.
		 */
		return err == -EADDRNOTAVAIL ? 0 : err;
	}
	atomic_store(&s->host_fd, fd);
	tcp_switch_poll(s, fd);
	return 0;
}

void published_unlisten(struct socket *s)
{
	if (likely(s->host_fd < 0) || inet_of(s)->outside)
		return;
	(void)host_shutdown(s->host_fd, SHUT_RDWR);
	if (s->file)
		tcp_switch_poll(s, -1);
}
