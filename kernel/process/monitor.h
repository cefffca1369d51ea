/* SPDX-License-Identifier: MIT */
/* monitor.h - asking the monitor, which is outside of the wall: host/monitor.h says what
 * it knows. One question at a time; other tasks that ask wait. */
#pragma once
#include "abi/types.h"

struct monitor_box;
struct monitor_query;
struct task;

/* fd: where a byte says that there is a question; without a box there is no monitor. */
void monitor_init(struct monitor_box *box, int fd);
/* Asks, and returns the answer in *data, from kmalloc(): NULL if it is empty. 0; what the
 * monitor says went wrong; -EOPNOTSUPP: there is none; -EIO: it does not answer;
 * -ENOBUFS; -ERESTARTSYS: the task is killed. Locks of a lower rank than RANK_OBJECT may
 * be held. */
int monitor_ask(const struct monitor_query *q, void **data, size_t *size) MUST_CHECK;
/* t is gone: it asks no more. */
void monitor_abandon(struct task *t);
