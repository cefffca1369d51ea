/* SPDX-License-Identifier: MIT */
/* sysctl.h - settings of /proc/sys, most of which are only remembered; for this folder
 * alone. */
#pragma once
#include "abi/types.h"

struct pseudo_node;

struct sysctl_setting {
	const char *path;
	const char *first;
	uint32_t mode;
	char *now; /* settings_lock: NULL: as at first */
};
extern struct sysctl_setting sysctl_settings[];
extern const size_t sysctl_setting_count;

/* Of a directory that there are several of; ends with a NULL. */
struct sysctl_first {
	const char *name, *value;
};
extern const struct sysctl_first sysctl_ipv4_conf[], sysctl_ipv6_conf[];

/* Adds kernel/seccomp. */
void sysctl_add_seccomp(struct pseudo_node *sys);
/* Adds what of user/ is a user namespace's own. */
void sysctl_add_user(struct pseudo_node *sys);
