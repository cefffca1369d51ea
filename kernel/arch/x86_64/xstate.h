/* SPDX-License-Identifier: MIT */
/* xstate.h - the vector and floating-point state of the guest.
 *
 * The kernel never touches these registers, so that at any time they hold what the guest
 * of this host thread left there. Here they move to and from guest memory, for signal
 * frames. */
#pragma once
#include "abi/types.h"

/* Start-up, once: asks the processor for features and sizes. */
void xstate_init(void);

/* Features that signal frames carry: those of XCR0, but AMX tile data, which a program
 * must ask for (arch_prctl(2)) and may not here. */
uint64_t xstate_features(void);
/* All that the processor and the host have on: XCR0. */
uint64_t xstate_supported(void);
/* Bytes that a signal frame's xsave area takes, with the magic number behind it. */
size_t xstate_frame_size(void);
/* What AT_MINSIGSTKSZ says: bytes of the largest signal frame. */
size_t xstate_min_stack(void);

/* Writes the registers to a frame's area at addr, which is 64-byte aligned and of
 * xstate_frame_size() bytes. -EFAULT. */
int xstate_to_frame(uaddr_t addr) MUST_CHECK;
/* Loads the registers from a frame's area; addr 0: their initial values. -EFAULT, also
 * for contents that the processor refuses. */
int xstate_from_frame(uaddr_t addr) MUST_CHECK;
/* Bytes of a plain xsave area, and the registers written to one in kernel memory, which
 * is 64-byte aligned. */
size_t xstate_area_size(void);
void xstate_save(void *area);
/* Gives all registers the values with which a signal handler, or a program, starts. */
void xstate_reset(void);
