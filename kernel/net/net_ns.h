/* SPDX-License-Identifier: MIT */
/* net_ns.h - network namespaces (network_namespaces(7)): what a socket, and who asks for
 * interfaces, addresses and ports, belongs to. */
#pragma once
#include "abi/types.h"
#include "net/lo.h"
#include "process/namespace.h"

struct local_net;

struct net_ns {
	struct namespace ns; /* first */
	bool is_host;	     /* const: its sockets are the host's, and its network is */
	uint64_t cookie;     /* const: SO_NETNS_COOKIE */
	struct lo_device lo; /* of one that is not the host's */
	struct local_net
		*local; /* const: its ports; NULL while is_host: net/local/local.h */
};
extern struct net_ns first_net_ns;

static inline void net_ns_get(struct net_ns *net)
{
	namespace_get(&net->ns);
}
static inline void net_ns_put(struct net_ns *net)
{
	if (net)
		namespace_put(&net->ns);
}
static inline struct net_ns *net_ns_of(struct namespace *ns)
{
	return container_of(ns, struct net_ns, ns);
}
/* That of the current task, which has it for as long as it does not change it itself. */
struct net_ns *current_net_ns(void);

/* Start-up. */
void net_ns_init(void);
