/* SPDX-License-Identifier: MIT */
/* pipe_ring.h - the inside of a pipe, for pipe.c and splice.c. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "base/waitq.h"

struct file;

enum { PIPE_PAGES_INSIDE = 16 }; /* 64 KiB */

struct pipe {
	struct lock lock; /* RANK_OBJECT: all but files */
	uint32_t readers;
	uint32_t writers;
	size_t head;		 /* bytes taken out since it was last empty */
	size_t tail;		 /* bytes put in */
	size_t size;		 /* a power of two of pages */
	void **pages;		 /* size / PAGE_SIZE of them, made when first needed */
	bool is_packet;		 /* const: O_DIRECT */
	uint32_t files;		 /* inode->lock: files that refer to it */
	struct waitq readable;	 /* woken when there is something to read, or no writer */
	struct waitq writable;	 /* woken when there is room again, or no reader */
	struct waitq opened;	 /* woken when somebody opens the FIFO */
	struct list async_files; /* sigio.h */
	uint64_t reader_opens;
	uint64_t writer_opens;
	char *pushback; /* owned: to be read before the ring */
	size_t pushback_off;
	size_t pushback_left;
	void *pages_inside[PIPE_PAGES_INSIDE];
};

/* Waits until there is room (or no reader). False: *err says why not. */
bool pipe_wait_room(struct file *f, bool may_block, ssize_t *err) MUST_CHECK;
size_t pipe_room_now(struct file *f);
/* Puts bytes that were read back to the front. */
void pipe_unread(struct file *f, const void *data, size_t size);
/* Copies without consuming. 0: no writer. */
ssize_t pipe_peek(struct file *f, void *buf, size_t size, bool may_block);
