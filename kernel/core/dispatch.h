/* SPDX-License-Identifier: MIT */
/* dispatch.h - from registers to handlers and back. */
#pragma once
#include "abi/types.h"

struct task;

/* Prints, for --report, the calls that were asked for and are not implemented. */
void dispatch_report(void);
/* Counts calls by number when set (BOOT_STATS): see core/stats.c. */
extern bool dispatch_counts;
/* carbyne trace: called around each call when set. */
extern void (*dispatch_trace)(struct task *t, uint64_t nr, const uint64_t arg[6],
			      long ret, bool before);
