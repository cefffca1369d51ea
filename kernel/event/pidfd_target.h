/* SPDX-License-Identifier: MIT */
/* pidfd_target.h - what pidfd.c and pidfd_info.c have in common: whom a pidfd names. */
#pragma once
#include "event/pidfd.h"

struct pidfd_target {
	struct process *process; /* ref */
	struct task *task;	 /* ref: a thread but the first, else NULL */
	uint32_t flags;		 /* of the file */
};

/* Of a thread but the first: its id is no other's yet, as it has neither ended nor become
 * the first by exec. */
bool thread_is_there(const struct task *t);
/* The task: a reference, or NULL when there is nobody of that name any more. */
struct task *target_task(const struct pidfd_target *g);

/* pidfd_info.c: the ioctl PIDFD_GET_INFO, size as the command has it. */
bool pidfd_is_get_info(unsigned int cmd);
long pidfd_get_info(const struct pidfd_target *g, uaddr_t arg, size_t size);
