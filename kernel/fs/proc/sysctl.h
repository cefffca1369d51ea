/* SPDX-License-Identifier: MIT */
/* sysctl.h - settings of /proc/sys, most of which are only remembered; for this folder
 * alone. */
#pragma once
#include "abi/types.h"

struct lock;
struct namespace;
struct pseudo_node;
struct pseudo_scope;

struct sysctl_setting {
	const char *path;
	const char *first;
	uint32_t mode;
	/* sysctl_lock: NULL: as at first. Use sysctl_value(). */
	char *now;
};
extern struct lock sysctl_lock; /* RANK_OBJECT */
/* What each network namespace has by itself. */
extern const struct pseudo_scope sysctl_net_scope;
/* Is it such a setting? */
bool sysctl_is_of_net(const struct sysctl_setting *s);
/* Where the value is, in that network namespace: sysctl_lock held. NULL: nowhere yet; or,
 * if is_new, there is no memory. net: NULL: of a setting that all have in common. */
char **sysctl_value(struct sysctl_setting *s, const struct namespace *net, bool is_new);
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
