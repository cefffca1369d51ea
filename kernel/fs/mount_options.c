/* SPDX-License-Identifier: MIT */
/* mount_options.c - takes the text of mount(2)'s data apart. */
#include "fs/mount_options.h"

#include "abi/errno.h"
#include "lib/string.h"

int mount_options_parse(const char *text,
			int (*apply)(void *to, const char *key, const char *value),
			void *to)
{
	char one[MOUNT_OPTION_MAX + 1];
	int err = 0;

	while (*text && !err) {
		size_t len = 0;
		char *value;

		while (text[len] && text[len] != ',')
			len++;
		if (len > MOUNT_OPTION_MAX)
			return -EINVAL;
		memcpy(one, text, len);
		one[len] = '\0';
		value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		err = *one ? apply(to, one, value) : 0;
		text += len + (text[len] != '\0');
	}
	return err;
}
