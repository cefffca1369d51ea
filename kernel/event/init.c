/* SPDX-License-Identifier: MIT */
/* init.c - starts the folder. */
#include "event/init.h"

#include "event/aio.h"
#include "event/epoll.h"
#include "event/host_async.h"
#include "event/signalfd.h"
#include "event/userfaultfd.h"

void event_init(void)
{
	aio_init();
	epoll_init();
	host_async_init();
	signalfd_init();
	userfaultfd_init();
}
