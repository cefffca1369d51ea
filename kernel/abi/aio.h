/* SPDX-License-Identifier: MIT */
/* aio.h - io_setup(2), io_submit(2) and their kin. */
#pragma once
#include "abi/types.h"

enum {
	IOCB_CMD_PREAD = 0,
	IOCB_CMD_PWRITE = 1,
	IOCB_CMD_FSYNC = 2,
	IOCB_CMD_FDSYNC = 3,
	IOCB_CMD_POLL = 5,
	IOCB_CMD_NOOP = 6, /* unknown to Linux as well */
	IOCB_CMD_PREADV = 7,
	IOCB_CMD_PWRITEV = 8,
};

enum {
	IOCB_FLAG_RESFD = 1 << 0,
	IOCB_FLAG_IOPRIO = 1 << 1,
};

struct linux_iocb {
	uint64_t aio_data;
	uint32_t aio_key; /* set by the kernel: IOCB_KEY */
	int32_t aio_rw_flags;
	uint16_t aio_lio_opcode;
	uint16_t aio_reqprio;
	uint32_t aio_fildes;
	uint64_t aio_buf;
	uint64_t aio_nbytes;
	int64_t aio_offset;
	uint64_t aio_reserved2;
	uint32_t aio_flags;
	uint32_t aio_resfd;
};

enum { IOCB_KEY = 0 };

struct linux_io_event {
	uint64_t data;
	uint64_t obj;
	int64_t res;
	int64_t res2;
};

/* Mapped into the process; a context's id is its address. */
struct linux_aio_ring {
	uint32_t id; /* for the kernel */
	uint32_t nr; /* of events that it holds, less one */
	uint32_t head;
	uint32_t tail;
	uint32_t magic;
	uint32_t compat_features;
	uint32_t incompat_features;
	uint32_t header_length;
	struct linux_io_event events[];
};

#define AIO_RING_MAGIC 0xa10a10a1U

struct linux_aio_sigset {
	uint64_t sigmask; /* an address */
	uint64_t sigsetsize;
};
