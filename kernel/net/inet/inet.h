/* SPDX-License-Identifier: MIT */
/* inet.h - AF_INET and AF_INET6: sockets that the host serves. TCP between sockets of the
 * sandbox is in memory: tcp.h.
 *
 * Each has one host socket. Messages go straight between guest memory and the host;
 * addresses, control data and option values go by way of the kernel. A call that may
 * block blocks in the host's own, so that it costs what it costs natively.
 *
 * The guest's O_NONBLOCK reaches the host as MSG_DONTWAIT; connect and accept, which
 * have no such flag, set the host descriptor's own.
 *
 * Limits against Linux: TCP, UDP and, where the host lets its users have them, ICMP echo
 * sockets; no raw ones. SIGIO does not tell of room to write. Options: those of
 * host/socket_options.def. */
#pragma once
#include "abi/socket.h"
#include "abi/types.h"

struct net_ns;
struct roll_cursor;
struct socket;

/* Start-up: registers both families. */
void inet_init(void);

/* SIOCGIF*: what the interfaces are, for sockets of any family. host_fd: an internet
 * socket of the host, or -1: one is made for this call. -ENOTTY: no such request. */
long inet_device_ioctl(int host_fd, unsigned int cmd, uint64_t arg);

/* Start-up, with a network of the sandbox's own: there the host gives any port to
 * anybody, and who may have which is ours to say. */
void inet_port_init(void);
/* May the current task bind a TCP or UDP socket to that address? 0 or -EACCES. */
int inet_port_check(const struct socket *s,
		    const struct linux_sockaddr_storage *addr) MUST_CHECK;

/* The host has taken a filter: TCP in memory would not ask it. */
void inet_filter_attached(struct socket *s);

/* Does getsockopt(2) of that option read what lies at its value? */
bool inet_option_has_question(int level, int name);

/* As /proc/net/tcp and sock_diag(7) have them. */
enum inet_state { INET_ESTABLISHED = 1, INET_CLOSE = 7, INET_LISTEN = 10 };

enum { TCP_INFO_MAX = 256, TCP_INFO_UNACKED = 24, TCP_INFO_SACKED = 28 };

/* What a socket looks like from outside. */
struct inet_view {
	int family, protocol;
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port; /* in the machine's order */
	uint8_t state;
	uint32_t receive_queue, send_queue; /* LISTEN: who waits, how many may */
	uid_t uid;
	uint64_t ino;
	uint32_t lost; /* messages for which there was no room */
	bool is_kept;  /* it has no socket any more (tcp_wait.h), */
	nsec_t left;   /* and is there for so long */
	uint64_t cookie;
	uint32_t tcp_info_size;
	uint8_t tcp_info[TCP_INFO_MAX];
};

/* Instead of a protocol: all raw sockets. */
enum { INET_RAW = -1 };

/* All of a network that have a name, under a lock: visit may only allocate. One that it
 * answers with false is the first of the next time: *at, zero at first, says where
 * that goes on. True: that was the last. */
bool inet_for_each(const struct net_ns *net, int family, int protocol,
		   struct roll_cursor *at,
		   bool (*visit)(const struct inet_view *v, void *arg), void *arg);
