/* SPDX-License-Identifier: MIT */
/* hostio.h - the caller's own descriptors, as the first process's 0, 1 and 2.
 *
 * Whatever they are on the host, we share their open descriptions with the caller: their
 * flags are never changed, and a regular file's position is the host's. A terminal
 * appears as /dev/console, so that ttyname(3) finds it; its job control is the sandbox's
 * own (tty.h).
 *
 * Limits against Linux: writes from the background never stop (TOSTOP); O_APPEND and
 * O_DIRECT cannot be switched; sockets are byte streams only. */
#pragma once
#include "abi/types.h"

struct file;

/* event/: O_ASYNC of a file on a host descriptor: 0 or -errno; and its end. */
extern int (*hostio_async_hook)(struct file *f, bool on);
extern void (*hostio_release_hook)(struct file *f);

/* A file on a host descriptor, which is taken over on success. Mount /dev before, so that
 * terminals and /dev/null get their names. *out: a reference. */
int hostio_file_create(int host_fd, struct file **out) MUST_CHECK;
