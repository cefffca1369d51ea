/* SPDX-License-Identifier: MIT */
/* dev.h - /dev: a tmpfs that is born with the usual nodes and links. */
#pragma once
#include "abi/types.h"

struct file_system_type;

extern struct file_system_type devfs_type; /* "devtmpfs" */

/* Registers the type and the character devices. Once, at start-up, after tmpfs. */
void dev_init(void);
