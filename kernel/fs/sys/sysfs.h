/* SPDX-License-Identifier: MIT */
/* sysfs.h - sysfs: start-up. */
#pragma once

/* Registers the types "sysfs" and "cgroup2". Once, before the first mount. */
void sysfs_init(void);
