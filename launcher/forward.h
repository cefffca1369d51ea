/* SPDX-License-Identifier: MIT */
/* forward.h - forwards connections and datagrams to ports on loopback, for ever.
 *
 * Listeners may be of another network namespace than the process is in now. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

void forward_init(void);
/* What comes to fd, which is non-blocking, goes to that port. */
void forward_add(int fd, uint16_t port, bool is_udp);
_Noreturn void forward_run(void);
