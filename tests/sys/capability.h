/* SPDX-License-Identifier: MIT */
/* capability.h - which capabilities a test has. */
#pragma once

#include "test.h"
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline bool has_cap(int cap)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	return d[cap / 32].effective & (1U << cap % 32);
}
