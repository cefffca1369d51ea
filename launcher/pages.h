/* SPDX-License-Identifier: MIT */
/* pages.h - the monitor answers the kernel's questions about the memory of its host
 * processes, whose /proc lies outside of the sandbox. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct monitor_query;

/* Before the host's /proc is out of sight. */
void pages_begin(void);
/* The first host process must not have it. */
void pages_close(void);
/* The monitor closes all its descriptors but this one, which it may be. */
void pages_keep(int fd);
/* The child is reaped: its number may be another one's now. */
void pages_forget(pid_t pid);
/* 0 or -errno; *size bytes of data are the answer. */
int pages_answer(const struct monitor_query *q, void *data, size_t room, uint32_t *size);
