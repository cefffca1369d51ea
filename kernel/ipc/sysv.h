/* SPDX-License-Identifier: MIT */
/* sysv.h - System V IPC (sysvipc(7)) for the rest of the kernel: start and end, and what
 * tasks have of it. */
#pragma once
#include "abi/types.h"

struct task;

/* Once, at start-up, before the first look at /proc. */
void sysv_init(void);
/* All objects go, as they do with their namespace's last process. */
void sysv_fini(void);

/* clone(2) with CLONE_SYSVSEM: child shares what the end of the last of them takes back
 * (SEM_UNDO). -ENOMEM. */
int sysv_share(struct task *child, struct task *parent) MUST_CHECK;
/* The task ends, or unshare(2) with CLONE_SYSVSEM: semaphores get back what it took with
 * SEM_UNDO, unless others share that. */
void sysv_unshare(struct task *t);
/* The task has ended and let go of its memory: segments that it made are nobody's. */
void sysv_orphan(struct task *t);
