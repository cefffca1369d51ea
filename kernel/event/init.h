/* SPDX-License-Identifier: MIT */
/* init.h - starts polling, epoll and signalfd. Once, before the first task runs. */
#pragma once

void event_init(void);
