/* SPDX-License-Identifier: MIT */
/* epoll.h - the object behind epoll(7), for poll(2) and /proc. */
#pragma once
#include "abi/types.h"

struct file;
struct host_set;

bool file_is_epoll(const struct file *f);
/* Adds the host descriptors that an epoll file, or one inside it, watches: 0 or -ENOMEM.
 * When one of them becomes ready file_poll() says what that means. The file's pollers are
 * woken when the set has changed. */
int epoll_collect_host(struct file *f, struct host_set *set) MUST_CHECK;
/* For kcmp(2): which file the epoll f watches, the nth of those that it knows as fd; only
 * to compare. 0, -EINVAL (no epoll), -ENOENT. */
int epoll_watched(struct file *f, int fd, uint32_t nth,
		  const struct file **out) MUST_CHECK;
/* f->host_poll_fd has become another one, or none: epolls that watch f follow, and look
 * at it again. No lock held. */
void epoll_host_fd_changed(struct file *f);
/* Start-up. */
void epoll_init(void);
