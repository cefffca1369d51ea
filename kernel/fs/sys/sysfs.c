/* SPDX-License-Identifier: MIT */
/* sysfs.c - sysfs: its root, and the directories that programs list and find empty. What
 * lies below devices, class and kernel is made when it is first looked for. */
#include "fs/sys/sysfs.h"

#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"
#include "fs/vfs.h"
#include "lib/printf.h"

#include <stdarg.h>

static struct pseudo_node sysfs_root;
static struct pseudo_node *devices_dir, *class_dir, *kernel_dir;

void sysfs_printf(struct pseudo_node *dir, const char *path, const char *format, ...)
{
	char text[128];
	char *copy;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	copy = kstrdup(text);
	if (copy)
		(void)pseudo_text(dir, path, copy);
}

void sysfs_link(struct pseudo_node *dir, const char *path, const char *target)
{
	char *name = kstrdup(path);
	char *to = kstrdup(target);

	if (name && to)
		(void)pseudo_link(dir, name, to);
}

/* ---- the tree ---- */

static void fill_devices(void)
{
	sysfs_add_cpus(devices_dir);
	sysfs_add_node(devices_dir);
}

static void fill_class(void)
{
	(void)pseudo_dir(class_dir, "block");
	(void)pseudo_dir(class_dir, "mem");
	(void)pseudo_dir(class_dir, "tty");
}

static void fill_kernel(void)
{
	sysfs_add_kernel(kernel_dir);
}

static struct pseudo_node *add_later(const char *name, void (*fill)(void))
{
	struct pseudo_node *dir = pseudo_dir(&sysfs_root, name);

	if (dir)
		pseudo_fill_later(dir, fill);
	return dir;
}

static void add_root(void)
{
	static const char *const empty[] = {
		"block",  "bus",       "dev/block",  "dev/char", "firmware",
		"fs/bpf", "fs/cgroup", "hypervisor", "module",	 "power",
	};

	pseudo_root_init(&sysfs_root);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		(void)pseudo_dir(&sysfs_root, empty[i]);
	devices_dir = add_later("devices", fill_devices);
	class_dir = add_later("class", fill_class);
	kernel_dir = add_later("kernel", fill_kernel);
	if (devices_dir && class_dir)
		sysfs_add_net(devices_dir, class_dir);
}

/* ---- the types ---- */

static int no_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static const struct sb_ops sysfs_sb_ops = {.statfs = no_statfs};

int sysfs_mount_tree(const struct file_system_type *type, uint32_t magic,
		     struct pseudo_node *root, struct superblock **out)
{
	struct superblock *sb = sb_create(type, &sysfs_sb_ops, magic, NULL);
	struct inode *inode = sb ? pseudo_inode_create(sb, root) : NULL;

	if (!inode || sb_set_root(sb, inode)) {
		sb_put(sb);
		return -ENOMEM;
	}
	sb->flags |= SB_NOEXEC | SB_NODEV;
	*out = sb;
	return 0;
}

static struct file_system_type sysfs_type;

static int sysfs_mount(const char *source, const char *options, void *data,
		       struct superblock **out)
{
	(void)source;
	(void)options;
	(void)data;
	return sysfs_mount_tree(&sysfs_type, SYSFS_MAGIC, &sysfs_root, out);
}

static struct file_system_type sysfs_type = {
	.name = "sysfs",
	.flags = FS_NODEV | FS_USERNS,
	.mount = sysfs_mount,
};

void sysfs_init(void)
{
	add_root();
	fs_register(&sysfs_type);
	cgroup_init();
}
