/* SPDX-License-Identifier: MIT */
/* net_ns.h - network namespaces (network_namespaces(7)): what a socket, and who asks for
 * interfaces, addresses and ports, belongs to. */
#pragma once
#include "abi/types.h"
#include "net/lo.h"
#include "process/namespace.h"

struct local_net;
struct netfilter;
struct tcp_waits;

/* Of /proc/sys/net, what the kernel heeds. Atomic, each for itself. */
struct net_settings {
	int port_start;		   /* net.ipv4.ip_unprivileged_port_start */
	int port_first, port_last; /* net.ipv4.ip_local_port_range */
	/* net.ipv4.ping_group_range, as the kernel numbers groups: who may have ICMP
	 * sockets */
	uint32_t ping_first, ping_last;
	int somaxconn; /* net.core.somaxconn */
	/* net.ipv4.tcp_tw_reuse, tcp_max_tw_buckets, tcp_fin_timeout (seconds) */
	int tw_reuse, max_waits, fin_timeout;
};

struct net_ns {
	struct namespace ns; /* first */
	/* const: its sockets are the host's, and its network is. Else it is a network in
	 * memory, which has a loopback device and nothing else. */
	bool is_host;
	uint64_t cookie;	 /* const: SO_NETNS_COOKIE */
	struct lo_device lo;	 /* of one that is not the host's */
	struct local_net *local; /* const: its ports: net/local/local.h; NULL: is_host */
	struct net_settings settings;
	struct tcp_waits *waits; /* atomic, set once: net/inet/tcp_wait.h; NULL: none */
	/* Atomic, set once: its packet filters: net/netfilter/netfilter.h. NULL: nobody
	 * has asked for a table, or is_host. */
	struct netfilter *netfilter;
	uint32_t filters; /* atomic: the tables whose rules a program has given */
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
/* The sandbox ends: what belongs to no socket goes. */
void net_ns_fini(void);
/* Start-up: the first one is not the host's. Its loopback device is up. */
void net_ns_keep_in_memory(void);
