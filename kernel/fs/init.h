/* SPDX-License-Identifier: MIT */
/* init.h - starts the VFS: internal superblocks and tmpfs. Once, before the first mount.
 */
#pragma once
#include "abi/types.h"

int vfs_init(void) MUST_CHECK;
