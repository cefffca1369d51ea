/* SPDX-License-Identifier: MIT */
/* packets.h - the same as relay.h for sockets of messages: each arrives as it was sent.
 */
#pragma once
#include <stdbool.h>

/* Takes both over, outer: of the host's world, inner: the gate's end of a pair. False: no
 * memory: they are closed already. */
bool packets_begin(int outer, int inner);
unsigned int packets_count(void);
/* After relay_wait(). */
void packets_after_wait(void);
