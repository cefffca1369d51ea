/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of net/netlink/ alone.
 *
 * Locks: netlink_lock (RANK_OBJECT) guards who is bound where and in which groups; a
 * socket's own lock (RANK_OBJECT2) its queue and its error. */
#pragma once
#include "abi/netlink.h"
#include "abi/socket.h"
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/list.h"
#include "net/inet/tcp_wait.h"
#include "net/lo.h"
#include "net/netlink/netlink.h"
#include "net/roll.h"
#include "net/socket.h"

enum { NETLINK_GROUPS_MAX = 64, NETLINK_GROUP_WORDS = NETLINK_GROUPS_MAX / 32 };

struct net_ns;
struct netlink_dump;
struct netlink_request;

struct netlink_packet {
	struct list link;
	uint32_t size;
	uint32_t charge;	  /* counted in the receiver's queued */
	uint32_t from;		  /* the sender's port */
	uint32_t group;		  /* 0: none */
	struct linux_ucred creds; /* of the sender */
	uint8_t data[] ALIGNED(8);
};

struct netlink_socket {
	struct ref refs; /* its file, notices, and whoever is sending to it */
	const struct netlink_protocol *protocol; /* const */
	struct net_ns *net;    /* const: of its socket, as long as that lives */
	struct socket *socket; /* lock: NULL after release */
	/* netlink_lock */
	struct list link;   /* of its protocol */
	bool is_bound;	    /* atomic to read */
	uint32_t port;	    /* set once, before is_bound */
	uint32_t peer_port; /* of connect(2), as the next two: atomic to read */
	uint32_t peer_group;
	bool is_connected;
	uint32_t group_count; /* how many groups it has room for; 0 before the first */
	uint32_t groups[NETLINK_GROUP_WORDS];

	uint32_t options; /* atomic: enum netlink_options */
	/* lock */
	struct lock lock; /* RANK_OBJECT2 */
	struct list packets;
	struct netlink_dump *dump; /* what it is told in parts: dump.c; or NULL */
	bool is_filling;	   /* somebody makes the next part, and nobody else may */
	uint64_t queued;
	uint32_t drops;
	bool is_congested; /* it has lost messages and not read all others since */
	int error;	   /* positive: SO_ERROR */
	struct waitq readable;
	struct waitq room; /* senders wait here */
};

enum netlink_options {
	OPTION_PKTINFO = 1 << 0,
	OPTION_BROADCAST_ERROR = 1 << 1,
	OPTION_NO_ENOBUFS = 1 << 2,
	OPTION_LISTEN_ALL_NSID = 1 << 3,
	OPTION_CAP_ACK = 1 << 4,
	OPTION_EXT_ACK = 1 << 5,
	OPTION_STRICT = 1 << 6,
	OPTION_PASSCRED = 1 << 7,
};

/* Messages in the making. After a failed allocation it stays as it is. */
struct netlink_buffer {
	uint8_t *data;
	size_t len;
	size_t room;
	bool is_failed;
};

/* How far a dump has come; zero: to nothing. What it means is who tells it to say, but
 * for seq. */
struct netlink_cursor {
	uint64_t number;
	uint32_t stage;
	uint32_t seq; /* netlink_dump_check() */
	struct roll_cursor roll;
	struct tcp_wait_cursor wait;
};

/* What somebody asks the kernel. */
struct netlink_request {
	struct netlink_socket *from;
	uint32_t options; /* of from */
	struct linux_ucred creds;
	const struct linux_nlmsghdr *header; /* and its payload, in kernel memory */
	/* An answer's messages; all but those of a dump go to the socket as they are. */
	struct netlink_buffer out;
	bool is_dump;  /* out is one: NLMSG_DONE is to follow; see more, too */
	bool is_split; /* … in a message of its own, if out is not empty */
	int dump_error;
	/* A dump that is made as it is read. It is called for each part with cursor set,
	 * and adds to out as many messages as netlink_part_takes(): false: there may be
	 * more. NULL: out has them all. */
	bool (*more)(struct netlink_request *r);
	struct netlink_cursor *cursor;
	uint32_t seq;	     /* of what is told of: another one after a change; 0: none */
	const char *why;     /* for NLMSGERR_ATTR_MSG, or NULL */
	uint32_t bad_offset; /* for NLMSGERR_ATTR_OFFS, or 0 */
};

struct netlink_protocol {
	int number;
	uint32_t group_count;
	bool may_receive, may_send; /* groups, by who has no CAP_NET_ADMIN */
	bool has_kernel;	    /* is somebody there to answer? */
	/* 0 or what the acknowledgement says. NULL with has_kernel: refusal. */
	int (*answer)(struct netlink_request *r);
	int refusal;
	/* Before n joins a group: 0 or -errno. Or NULL. */
	int (*join)(struct netlink_socket *n, uint32_t group);
};

/* ---- socket.c ---- */

extern struct lock netlink_lock;
extern struct list netlink_sockets[NETLINK_PROTOCOLS];

static inline struct netlink_socket *netlink_of(const struct socket *s)
{
	return s->private;
}
void netlink_get(struct netlink_socket *n);
void netlink_put(struct netlink_socket *n);
int netlink_autobind(struct netlink_socket *n) MUST_CHECK;
/* Who of n's protocol and network is bound to port: a reference, or NULL. */
struct netlink_socket *netlink_find(const struct netlink_socket *n,
				    uint32_t port) MUST_CHECK;
bool netlink_is_member(const struct netlink_socket *n, uint32_t group);
/* May the current task have messages of groups with n, or send to others than the kernel?
 */
bool netlink_may(const struct netlink_socket *n, bool is_free);
/* Have both the current task and who opened n's file that capability over its network? */
bool netlink_capable(const struct netlink_socket *n, int cap);
int netlink_take_error(struct netlink_socket *n);
/* What an answer tells of a user: as who opened the asking file sees him, whoever reads.
 */
uid_t netlink_uid_out(const struct netlink_request *r, uid_t uid);

/* ---- option.c ---- */
int netlink_set_option(struct socket *s, int level, int name, const void *value, int len);
int netlink_get_option(struct socket *s, int level, int name, void *value, int *len);
uint32_t netlink_receive_size(const struct netlink_socket *n);

/* ---- message.c ---- */
ssize_t netlink_send(struct socket *s, struct message *m);
ssize_t netlink_receive(struct socket *s, struct message *m);
struct netlink_packet *netlink_packet_create(size_t size) MUST_CHECK;
void netlink_packets_purge(struct list *packets);
/* From the kernel: takes p; it is lost when the queue is full. 0 or -EAGAIN. */
int netlink_deliver(struct netlink_socket *n, struct netlink_packet *p);
/* A part of a dump: takes p. n's lock is held. */
void netlink_enqueue_part(struct netlink_socket *n, struct netlink_packet *p);
/* From the kernel to all of p's group in a network, with copies of p. */
void netlink_broadcast(const struct net_ns *net, const struct netlink_protocol *to,
		       const struct netlink_packet *p);
/* Who is in any group there has lost something. */
void netlink_overrun_all(const struct net_ns *net,
			 const struct netlink_protocol *protocol);
/* Has n's queue room? What is lost when not is counted. */
bool netlink_has_room(struct netlink_socket *n);

/* ---- dump.c ---- */
/* r->more, or r->out, which is taken, is told. 0, -EBUSY, -ENOBUFS. */
int netlink_dump_begin(struct netlink_request *r);
/* Somebody has received: the next part comes if there is room. */
void netlink_dump_continue(struct netlink_socket *n);
bool netlink_is_dumping(struct netlink_socket *n);
/* Fine for NULL. */
void netlink_dump_destroy(struct netlink_dump *d);
/* The message from start on is whole. False: it does not fit into the part, which ends
 * before it. Any fits if it is no dump. */
bool netlink_part_takes(struct netlink_request *r, size_t start) MUST_CHECK;
/* NLM_F_DUMP_INTR if r->seq is another one than it was, else 0. */
uint16_t netlink_dump_check(struct netlink_request *r);

/* ---- request.c ---- */
/* Messages from a socket to the kernel. */
void netlink_ask_kernel(struct netlink_socket *from, struct netlink_packet *p);
/* A message in b; returns where it begins. netlink_message_end() closes it. r: NULL: it
 * answers nobody. */
size_t netlink_message_begin(struct netlink_buffer *b, uint16_t type, uint16_t flags,
			     const struct netlink_request *r);
void netlink_message_end(struct netlink_buffer *b, size_t start);
void netlink_buffer_put(struct netlink_buffer *b, const void *data, size_t size);
void netlink_attribute(struct netlink_buffer *b, int type, const void *data, size_t size);
void netlink_attribute_u32(struct netlink_buffer *b, int type, uint32_t value);
void netlink_attribute_u16(struct netlink_buffer *b, int type, uint16_t value);
void netlink_attribute_u8(struct netlink_buffer *b, int type, uint8_t value);
void netlink_attribute_string(struct netlink_buffer *b, int type, const char *s);
size_t netlink_nest_begin(struct netlink_buffer *b, int type);
void netlink_nest_end(struct netlink_buffer *b, size_t start);
/* The payload behind the request's header. */
static inline const void *netlink_payload(const struct netlink_request *r, size_t *size)
{
	*size = r->header->nlmsg_len - sizeof(*r->header);
	return r->header + 1;
}
/* The next attribute of the size bytes at data, from *off on, or NULL. */
const struct linux_nlattr *netlink_next_attribute(const void *data, size_t size,
						  size_t *off);
/* The last attribute of that type after the first head bytes, or NULL; *len: of its
 * data. */
const void *netlink_find_attribute(const void *data, size_t size, size_t head, int type,
				   size_t *len);

/* ---- protocols.c ---- */
const struct netlink_protocol *netlink_protocol_find(int number);

/* ---- host.c ---- */

struct monitor_box;
struct monitor_query;
/* Asks the monitor, sleeping: fills out with the host's messages, which are whole and
 * complete, and is to be freed in any case. 0, -errno as the host says, -ERESTARTSYS. */
int netlink_host_ask(const struct monitor_query *q,
		     struct netlink_buffer *out) MUST_CHECK;
/* All messages of a type (RTM_GET…) and family. */
int netlink_host_dump(uint16_t type, uint8_t family,
		      struct netlink_buffer *out) MUST_CHECK;
/* The same of any network: of one in memory, what its loopback device has. */
int netlink_dump(struct net_ns *net, uint16_t type, uint8_t family,
		 struct netlink_buffer *out) MUST_CHECK;
/* The next message of an answer, from *off on, or NULL. */
struct linux_nlmsghdr *netlink_next_message(const struct netlink_buffer *b, size_t *off);

/* ---- notice.c ---- */
void netlink_notice_init(struct monitor_box *b);
int netlink_join_route(struct netlink_socket *n, uint32_t group);

/* ---- lo_change.c, lo_get.c, lo_notice.c: networks in memory ---- */

/* NEW, SET and DEL requests to a network in memory. */
int netlink_lo_change(struct netlink_request *r);
/* RTM_GETROUTE of one address there. */
int netlink_lo_get_route(struct netlink_request *r);
void netlink_lo_changed(struct lo_device *lo, enum lo_event event,
			const struct lo_address *a);

/* ---- links.c ---- */

struct host_link;
/* For host_links_get. */
int netlink_links_get(bool is_readers, struct host_link **out, size_t *count);

/* ---- tables.c: of /proc/net ---- */

struct text;
int netlink_show_routes(struct text *t, void *arg);
int netlink_show_routes6(struct text *t, void *arg);
int netlink_show_addresses6(struct text *t, void *arg);
int netlink_show_arp(struct text *t, void *arg);

/* ---- show.c ---- */

/* /proc/net/netlink. */
int netlink_show_all(struct text *t, void *arg);

/* ---- what the protocols answer ---- */
int netlink_route_answer(struct netlink_request *r);
int netlink_diag_answer(struct netlink_request *r);
int netlink_diag_packet(struct netlink_request *r);
int netlink_generic_answer(struct netlink_request *r);
/* The family TASKSTATS, TASKSTATS_CMD_GET. */
int netlink_taskstats_get(struct netlink_request *r);
