/* SPDX-License-Identifier: MIT */
/* sigio.h - signal-driven I/O: owners of files, and the lists of files with O_ASYNC that
 * pipes keep. See sigio.c. */
#pragma once
#include "abi/types.h"
#include "fs/file.h"
#include "lib/list.h"

/* F_SETOWN_EX. -EINVAL, -ESRCH. */
int file_owner_set(struct file *f, int type, pid_t pid) MUST_CHECK;
/* The current process, unless there is an owner (F_SETLEASE, F_NOTIFY). */
void file_owner_default(struct file *f);
/* The same for another: F_OWNER_*. */
void file_owner_default_to(struct file *f, int type, pid_t pid);
/* Neither owner nor signal. */
void file_owner_clear(struct file *f);
void file_owner_set_signal(struct file *f, int signo);
/* A copy; pid is 0 when the owner is gone. */
struct file_owner file_owner_get(struct file *f);
/* SIGURG to f's owner, with or without O_ASYNC. */
void file_send_sigurg(struct file *f);
/* POLL_MSG for descriptor fd to f's owner, with or without O_ASYNC. */
void file_send_lease_break(struct file *f, int fd);

/* FASYNC is switched on or off through descriptor fd. -ENOTTY: the file does not know of
 * it. */
int file_set_async(struct file *f, int fd, bool on) MUST_CHECK;
/* For file_ops.set_async: puts f on the list, or takes it off. 0. */
int async_list_join(struct list *files, struct file *f, bool on) MUST_CHECK;
/* Sends to the owners of those files that have one of the bits of mode (FMODE_*). */
void async_list_send_slow(struct list *files, uint32_t mode, uint32_t band);

static inline void async_list_send(struct list *files, uint32_t mode, uint32_t band)
{
	if (__builtin_expect(__atomic_load_n(&files->next, __ATOMIC_RELAXED) != files, 0))
		async_list_send_slow(files, mode, band);
}
