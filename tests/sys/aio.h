/* SPDX-License-Identifier: MIT */
/* aio.h - asynchronous I/O without libaio. */
#pragma once
#include "fixture.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>

struct ring {
	unsigned id, nr, head, tail, magic, compat, incompat, header_length;
	struct io_event events[];
};

HELPER long io_setup(unsigned count, aio_context_t *ctx)
{
	return syscall(SYS_io_setup, count, ctx);
}

HELPER long io_destroy(aio_context_t ctx)
{
	return syscall(SYS_io_destroy, ctx);
}

HELPER long io_submit(aio_context_t ctx, long count, struct iocb **list)
{
	return syscall(SYS_io_submit, ctx, count, list);
}

HELPER long io_cancel(aio_context_t ctx, struct iocb *cb)
{
	struct io_event unused;

	return syscall(SYS_io_cancel, ctx, cb, &unused);
}

HELPER long io_getevents(aio_context_t ctx, long min, long max, struct io_event *ev,
			 struct timespec *t)
{
	return syscall(SYS_io_getevents, ctx, min, max, ev, t);
}

HELPER struct ring *ring_of(aio_context_t ctx)
{
	return (struct ring *)ctx;
}

HELPER aio_context_t context(unsigned count)
{
	aio_context_t ctx = 0;

	CHECK(io_setup(count, &ctx) == 0 && ctx);
	return ctx;
}

HELPER long submit(aio_context_t ctx, struct iocb *cb)
{
	return io_submit(ctx, 1, &cb);
}

HELPER struct iocb request(int op, int fd, void *buf, size_t size, long long off)
{
	return (struct iocb){
		.aio_lio_opcode = (uint16_t)op,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = size,
		.aio_offset = off,
	};
}

HELPER struct iocb poll_request(int fd, unsigned events)
{
	return (struct iocb){
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = events,
	};
}

/* The one event that there is. */
HELPER struct io_event event_of(aio_context_t ctx)
{
	struct timespec soon = {5, 0};
	struct io_event ev[2];

	CHECK(io_getevents(ctx, 1, 2, ev, &soon) == 1);
	return ev[0];
}

HELPER bool has_no_event(aio_context_t ctx)
{
	struct timespec now = {0, 0};
	struct io_event ev;

	return io_getevents(ctx, 0, 1, &ev, &now) == 0;
}

/* Submits it: what its event says. */
HELPER long long result_of(aio_context_t ctx, struct iocb *cb)
{
	struct io_event ev;

	CHECK(submit(ctx, cb) == 1);
	ev = event_of(ctx);
	CHECK(ev.obj == (uintptr_t)cb && ev.res2 == 0 && ev.data == cb->aio_data);
	return ev.res;
}
