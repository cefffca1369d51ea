/* SPDX-License-Identifier: MIT */
/* dispatch.h - from registers to handlers and back. */
#pragma once
#include "abi/types.h"

/* Prints, for --report, the calls that were asked for and are not implemented. */
void dispatch_report(void);
/* carbyne trace: calls go through trace_call(). Set once, at start. */
extern bool dispatch_traces;
/* What a call without a handler answers, which is counted: -ENOSYS. */
long dispatch_missing(uint64_t nr);
