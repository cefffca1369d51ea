/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of sysfs. */
#pragma once
#include "abi/types.h"

struct file_system_type;
struct pseudo_node;
struct superblock;
struct text;

/* The processors lo to hi as a list ("0-3\n") and as a mask ("f\n"). */
void cpu_list_show(struct text *t, unsigned lo, unsigned hi);
void cpu_mask_show(struct text *t, unsigned lo, unsigned hi);
/* A file that always says the same, made by printf. */
void sysfs_printf(struct pseudo_node *dir, const char *path, const char *format, ...)
	PRINTF(3, 4);

/* A link whose strings are copied. */
void sysfs_link(struct pseudo_node *dir, const char *path, const char *target);

/* A superblock of the type that shows a tree. 0 or -ENOMEM. */
int sysfs_mount_tree(const struct file_system_type *type, uint32_t magic,
		     struct pseudo_node *root, struct superblock **out) MUST_CHECK;

/* Below devices/: */
void sysfs_add_cpus(struct pseudo_node *devices); /* cpu.c */
void sysfs_add_node(struct pseudo_node *devices); /* node.c */
/* net.c: also below class/. */
void sysfs_add_net(struct pseudo_node *devices, struct pseudo_node *class);
/* Below kernel/: */
void sysfs_add_kernel(struct pseudo_node *kernel); /* kernel.c */
void cgroup_init(void);				   /* cgroup.c */
