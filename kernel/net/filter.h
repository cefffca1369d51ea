/* SPDX-License-Identifier: MIT */
/* filter.h - filters of sockets (SO_ATTACH_FILTER): classic BPF that runs over each
 * packet as it comes, and says how much of it is kept.
 *
 * Those of families in memory run here, those of internet sockets on the host, which
 * is given the program; what is attached is known here for all. */
#pragma once
#include "abi/types.h"

struct socket;
struct socket_filter;

/* SO_ATTACH_FILTER and its kin. value in kernel memory; what it names is the guest's. */
bool socket_filter_is_option(int name);
int socket_filter_set(struct socket *s, int name, const void *value, int len) MUST_CHECK;
/* SO_GET_FILTER: to guest memory; count: in, room in instructions; out, how many there
 * are. */
int socket_filter_export(struct socket *s, uaddr_t to, uint32_t *count) MUST_CHECK;
bool socket_filter_is_locked(const struct socket *s);

/* The packet of *size bytes has come for s: false: it is to be forgotten; else *size may
 * be less now. s does not end meanwhile. */
bool socket_filter_pass(struct socket *s, const uint8_t *data, uint32_t *size) MUST_CHECK;

/* A frame of a device, for a filter that may look at more than its socket is given. */
struct filter_frame {
	const uint8_t *data; /* from the link's header on */
	uint32_t size;
	uint32_t start;	  /* where what the socket is given begins */
	uint32_t network; /* where what the header brings begins */
	uint16_t protocol;
	uint8_t type; /* PACKET_HOST … */
	bool has_vlan;
	uint16_t vlan_tag, vlan_protocol;
	uint32_t mark;
};

/* The same for one of those: *size counts from start on. */
bool socket_filter_pass_frame(struct socket *s, const struct filter_frame *f,
			      uint32_t *size) MUST_CHECK;

/* Programs that are not a socket's filter: from what a struct sock_fprog, value, names:
 * -EINVAL, -EPERM (s's filter is locked), -ENOMEM, -EFAULT. */
int socket_filter_create(const struct socket *s, const void *value, int len,
			 struct socket_filter **out) MUST_CHECK;
uint32_t socket_filter_run(const struct socket_filter *program,
			   const struct filter_frame *f);
/* The CPU that the caller runs on, just now. */
uint32_t filter_cpu_number(void);
void socket_filter_destroy(struct socket_filter *program); /* NULL is fine */

/* What a program answers to a message that is of no frame. */
uint32_t socket_filter_choose(const struct socket_filter *f, const uint8_t *data,
			      uint32_t size) MUST_CHECK;
/* *at becomes a reference to f, or NULL: was there one? */
bool socket_filter_replace(struct socket_filter **at, struct socket_filter *f);

/* accept(2) of an internet socket: the fresh one has what its listener has. */
void socket_filter_inherit(struct socket *fresh, struct socket *listener);
/* s ends. */
void socket_filter_drop(struct socket *s);
