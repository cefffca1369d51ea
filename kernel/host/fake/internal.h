/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of the fake host. */
#pragma once

/* The calling pthread can be kicked as host thread tid from now on. */
void fake_sleep_begin(int tid);
void fake_sleep_end(void);
