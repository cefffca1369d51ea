/* SPDX-License-Identifier: MIT */
/* network.h - the monitor answers the kernel's questions about the host's network. */
#pragma once
#include <stdbool.h>

/* Makes the pipe through which the kernel says that it has a question. SIGIO comes then.
 */
void network_begin(void);
/* The first host process has nothing to read there. */
void network_close(void);
/* The monitor closes all its descriptors but this: the pipe's end goes there, and SIGIO
 * comes from now on. */
void network_keep(int fd);
/* Answers what has been asked, and takes note of what has changed. True: the kernel is to
 * be told. What it opens for that stays open: nobody closes all descriptors after it. */
bool network_answer(void);
