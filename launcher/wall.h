/* SPDX-License-Identifier: MIT */
/* wall.h - what a host process gives up before it runs the kernel. */
#pragma once
#include <stdbool.h>

/* Gives up every capability, for good. */
void wall_drop_capabilities(void);

/* No new privileges, and Landlock: below the granted directories only, writing only where
 * -v allows it; is_root_covered: nothing in the root directory needs hiding. Returns
 * whether Landlock is in force. */
bool wall_confine_files(bool is_root_covered);

/* The host's Landlock version, 0: none. */
int wall_landlock_abi(void);
