/* SPDX-License-Identifier: MIT */
/* filter.h - filters of sockets (SO_ATTACH_FILTER): classic BPF that runs over each
 * packet as it comes, and says how much of it is kept.
 *
 * Those of families in memory run here, those of internet sockets on the host, which
 * is given the program; what is attached is known here for all. */
#pragma once
#include "abi/types.h"

struct socket;

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

/* accept(2) of an internet socket: the fresh one has what its listener has. */
void socket_filter_inherit(struct socket *fresh, struct socket *listener);
/* s ends. */
void socket_filter_drop(struct socket *s);
