/* SPDX-License-Identifier: MIT */
/* report.h - what --stats and --report print when the sandbox is over. */
#pragma once

void report_print(void);
