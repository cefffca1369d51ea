/* SPDX-License-Identifier: MIT */
/* packets.h - the same as relay.h for sockets of messages: each arrives as it was sent.
 */
#pragma once
#include <stdbool.h>

/* Takes both over, outer: of the host's world, inner: the gate's end of a pair. False: no
 * memory: they are closed already. */
bool packets_begin(int outer, int inner);
/* After relay_wait(). */
void packets_free_dead(void);
