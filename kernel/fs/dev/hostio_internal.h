/* SPDX-License-Identifier: MIT */
/* hostio_internal.h - shared by hostio.c and hostio_tty.c. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"

struct file;
struct file_ops;
struct tty;

struct hostio {
	struct ref refs;
	int fd;		  /* const: of the host; closed at the end */
	bool is_seekable; /* const: a regular file or block device */
	struct tty *tty;  /* const: NULL: no terminal */
	/* Streams, index 1: writing. See transfer_in_turn(). */
	struct lock lock;     /* RANK_OBJECT */
	bool is_in_turn[2];   /* lock: one of them is at it */
	bool takes_turns[2];  /* atomic: somebody must not block */
	int sleeping[2];      /* lock: calls in the host that may block */
	struct waitq next[2]; /* for the turn */
};

extern const struct file_ops hostio_ops;

/* NULL: no memory. */
struct hostio *hostio_create(int host_fd) MUST_CHECK;
void hostio_put(struct hostio *io);

bool hostio_is_tty(int host_fd);
/* Sets io->tty: the same for all descriptors of one terminal. 0 or -ENOMEM. */
int hostio_tty_find(struct hostio *io) MUST_CHECK;
long hostio_tty_ioctl(struct file *f, struct hostio *io, unsigned int cmd, uint64_t arg);
