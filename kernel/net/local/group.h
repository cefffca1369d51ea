/* SPDX-License-Identifier: MIT */
/* group.h - multicast groups of a socket (group.c), and the options that change them
 * (group_option.c): between the files of this folder. */
#pragma once
#include "net/local/local.h"

enum group_change_kind {
	GROUP_JOIN,
	GROUP_LEAVE,
	GROUP_JOIN_SOURCE,
	GROUP_LEAVE_SOURCE,
	GROUP_BLOCK,
	GROUP_UNBLOCK,
};

struct group_request {
	enum group_change_kind what;
	struct tcp_target group, source, own;
};

enum { GROUP_SOURCES_MAX = 10 };

/* 0, -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS, -EINVAL. */
int group_change(struct local_socket *l, const struct group_request *q) MUST_CHECK;
/* All sources at once. */
int group_filter_set(struct local_socket *l, const struct tcp_target *group,
		     bool is_exclude, const uint8_t (*sources)[16],
		     uint32_t count) MUST_CHECK;
/* count: room for sources, then how many there are. */
int group_filter_get(struct local_socket *l, const struct tcp_target *group,
		     bool *is_exclude, uint8_t (*sources)[16],
		     uint32_t *count) MUST_CHECK;
void group_leave_all(struct local_socket *l);

/* ---- group_option.c ---- */

bool group_is_option(int level, int name);
int group_set_option(struct socket *s, int level, int name, const void *value,
		     int len) MUST_CHECK;
int group_get_option(struct socket *s, int level, int name, void *value,
		     int *len) MUST_CHECK;
