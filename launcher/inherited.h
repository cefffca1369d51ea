/* SPDX-License-Identifier: MIT */
/* inherited.h - descriptors of the caller beyond stderr, for the program. */
#pragma once
#include <stdbool.h>

struct boot_params;

/* How many, from 3 on: as LISTEN_FDS and LISTEN_PID say, which is changed for the
 * program. */
unsigned inherited_count(void);

/* Keeps these and closes those above; every number is taken then. */
void inherited_keep(unsigned count);

/* Says to the kernel what they are; ends the process, with a sentence, if one must not
 * be passed. With a network of the sandbox's own none may be of the host's. */
void inherited_fill(struct boot_params *p, unsigned count, bool has_own_network);

/* In the first host process. */
void inherited_close_gaps(const struct boot_params *p);
