/* SPDX-License-Identifier: MIT */
/* init.c - starts the folder. */
#include "event/init.h"

#include "event/epoll.h"
#include "event/signalfd.h"

void event_init(void)
{
	epoll_init();
	signalfd_init();
}
