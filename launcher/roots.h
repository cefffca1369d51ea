/* SPDX-License-Identifier: MIT */
/* roots.h - the host directories that a sandbox sees, and nothing else. */
#pragma once
#include <stdbool.h>

#include "launch.h"

/* In a new mount namespace: makes a tree that holds only the root directory and the -v
 * ones, and moves into it. False: the host does not let us mount; nothing has changed
 * then. */
bool roots_build(const struct launch *l);

/* Opens the root, the -v directories and the working directory and writes their
 * descriptors to the boot parameters. With namespaces: in the tree of roots_build. */
void roots_open(const struct launch *l);
