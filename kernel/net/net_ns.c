/* SPDX-License-Identifier: MIT */
/* net_ns.c - see net_ns.h. */
#include "net/net_ns.h"

#include "abi/sched.h"
#include "process/task.h"
#include "process/user_ns.h"

struct net_ns first_net_ns = {
	.ns = {.refs = {1},
	       .kind = CLONE_NEWNET,
	       .ino = NAMESPACE_INO_FIRST + 6,
	       .owner = &first_user_ns},
	.is_host = true,
	.cookie = 1,
};

struct net_ns *current_net_ns(void)
{
	const struct nsproxy *n = current()->ns;

	/* Who is ending has left it. */
	return n ? net_ns_of(n->net) : &first_net_ns;
}

void net_ns_init(void)
{
	lo_init(&first_net_ns.lo);
	namespace_get(&first_net_ns.ns);
	first_nsproxy.net = &first_net_ns.ns;
}
