/* SPDX-License-Identifier: MIT */
/* unix.h - AF_UNIX sockets (unix(7)): all in kernel memory, without a host call. */
#pragma once

/* Start-up: registers the family. */
void unix_init(void);
