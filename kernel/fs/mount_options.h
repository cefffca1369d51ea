/* SPDX-License-Identifier: MIT */
/* mount_options.h - the text of mount(2)'s data: key=value,key,… */
#pragma once
#include "abi/types.h"

/*
 * Calls apply(to, key, value) for each option of text in turn, value being NULL where
 * there is no '='; empty ones are left out, as Linux does. Stops at the first error and
 * returns it. -EINVAL: an option longer than MOUNT_OPTION_MAX. Takes no lock.
 */
enum { MOUNT_OPTION_MAX = 63 };

int mount_options_parse(const char *text,
			int (*apply)(void *to, const char *key, const char *value),
			void *to) MUST_CHECK;
