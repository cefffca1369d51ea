/* SPDX-License-Identifier: MIT */
/* user.h - who the first program runs as. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { USER_GROUPS_MAX = 1024 };

struct user {
	uint32_t uid;
	uint32_t gid;
	size_t group_count;
	uint32_t groups[USER_GROUPS_MAX];
};

/* The caller: real ids and groups. */
void user_caller(struct user *u);

/* USER[:GROUP], names or numbers; names, the user's own group and further groups come
 * from etc/passwd and etc/group below rootfs. Ends the process with a sentence on an
 * unknown name. */
void user_lookup(struct user *u, const char *text, const char *rootfs);
