/* SPDX-License-Identifier: MIT */
/* ids.h - which host users and groups exist in the sandbox's user namespace. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* Maps ids in the user namespace of child: every id to itself if the caller may, else the
 * caller's own alone (*is_full false). False: the host does not let us. */
bool ids_map(pid_t child, bool *is_full);
