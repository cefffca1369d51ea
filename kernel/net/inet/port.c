/* SPDX-License-Identifier: MIT */
/* port.c - who may have the ports below net.ipv4.ip_unprivileged_port_start.
 *
 * In the host's network that is the host's to say. A network of the sandbox's own has the
 * limit set to 0 by the launcher, since no host process has a capability. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet/inet.h"
#include "net/net_ns.h"
#include "net/socket.h"
#include "process/creds.h"

static bool has_own; /* const after start-up */

void inet_port_init(void)
{
	has_own = true;
}

int inet_port_check(const struct socket *s, const struct linux_sockaddr_storage *addr)
{
	uint8_t at[2]; /* behind the family, for both */
	int port;

	if (!has_own || (s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_UDP))
		return 0;
	memcpy(at, (const uint8_t *)addr + sizeof(addr->ss_family), sizeof(at));
	port = at[0] << 8 | at[1];
	if (!port || port >= atomic_load_relaxed(&s->net->settings.port_start) ||
	    capable(CAP_NET_BIND_SERVICE))
		return 0;
	return -EACCES;
}
