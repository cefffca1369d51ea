/* SPDX-License-Identifier: MIT */
/* net_ns.c - see net_ns.h. */
#include "net/net_ns.h"

#include "abi/errno.h"
#include "abi/sched.h"
#include "base/panic.h"
#include "base/slab.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "net/inet/tcp_wait.h"
#include "net/local/local.h"
#include "net/netfilter/netfilter.h"
#include "process/task.h"
#include "process/user_ns.h"

#define FIRST_SETTINGS                                                                   \
	{                                                                                \
		.port_start = 1024, .port_first = 32768, .port_last = 60999,             \
		.ping_first = 1, .ping_last = 0, .somaxconn = 4096, .tw_reuse = 2,       \
		.max_waits = 131072, .fin_timeout = 60,                                  \
	}

struct net_ns first_net_ns = {
	.ns = {.refs = {1},
	       .kind = CLONE_NEWNET,
	       .ino = NAMESPACE_INO_FIRST + 6,
	       .owner = &first_user_ns},
	.is_host = true,
	.cookie = 1,
	.settings = FIRST_SETTINGS,
};

static SLAB_CACHE(net_ns_slab, "net_namespace", sizeof(struct net_ns), 64);
static uint64_t last_cookie = 1; /* atomic */

static void net_ns_free(struct namespace *ns)
{
	struct net_ns *net = net_ns_of(ns);

	proc_forget_net(ns);
	lo_fini(&net->lo);
	tcp_waits_destroy(net->waits);
	local_net_destroy(net->local);
	netfilter_destroy(net->netfilter);
	namespace_fini(ns);
	slab_free(&net_ns_slab, net);
}

static int net_ns_create(struct user_ns *owner, struct namespace **out)
{
	struct net_ns *net = slab_alloc_zeroed(&net_ns_slab);
	int err = -ENOMEM;

	if (!net)
		return err;
	net->local = local_net_create();
	if (net->local)
		err = namespace_init(&net->ns, CLONE_NEWNET, owner, current_creds()->euid,
				     net_ns_free);
	if (err) {
		local_net_destroy(net->local);
		slab_free(&net_ns_slab, net);
		return err;
	}
	net->settings = (struct net_settings)FIRST_SETTINGS;
	lo_init(&net->lo);
	net->cookie = atomic_add(&last_cookie, 1) + 1;
	*out = &net->ns;
	return 0;
}

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
	namespace_create_net = net_ns_create;
}

void net_ns_fini(void)
{
	tcp_waits_destroy(atomic_xchg(&first_net_ns.waits, NULL));
}

void net_ns_keep_in_memory(void)
{
	first_net_ns.is_host = false;
	first_net_ns.local = local_net_create();
	if (!first_net_ns.local)
		panic("no memory for the ports");
	lo_set_up(&first_net_ns.lo, true);
}
