/* SPDX-License-Identifier: MIT */
/* pipe.h - pipes and FIFOs (pipe(7)). */
#pragma once
#include "abi/types.h"

struct file;
struct file_ops;
struct inode;
struct pipe;

extern const struct file_ops pipe_file_ops; /* FIFO inodes' files get these too */

/* Both ends. flags: O_NONBLOCK, O_DIRECT. References. */
int pipe_create_files(uint32_t flags, struct file **reader,
		      struct file **writer) MUST_CHECK;
/* F_GETPIPE_SZ, F_SETPIPE_SZ; -EBADF if f is no pipe. */
long pipe_get_size(struct file *f);
long pipe_set_size(struct file *f, uint64_t size);
bool file_is_pipe(const struct file *f);
void pipe_destroy(struct pipe *p);
