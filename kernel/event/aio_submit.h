/* SPDX-License-Identifier: MIT */
/* aio_submit.h - one request of io_submit(2). */
#pragma once
#include "abi/types.h"

struct aio_context;

/* The request whose iocb is at address: 0 when its event is or will be in the ring. May
 * sleep, if its file does. */
int aio_submit_one(struct aio_context *c, uaddr_t address) MUST_CHECK;
