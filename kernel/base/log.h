/* SPDX-License-Identifier: MIT */
/* log.h - messages of the kernel itself, to the host's standard error. */
#pragma once
#include "abi/types.h"

/* Where messages go: a host descriptor. */
void log_init(int host_fd);
/* One message; a newline is added. Safe anywhere, also with locks held; at most 1 KiB. */
void log_print(const char *fmt, ...) PRINTF(1, 2);
/* The same without newline or prefix, for reports. */
void log_raw(const char *fmt, ...) PRINTF(1, 2);
