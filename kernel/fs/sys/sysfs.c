/* SPDX-License-Identifier: MIT */
/* sysfs.c - sysfs: processors, one memory node, the loopback device, and empty
 * directories that programs list. Also "cgroup2" with the root group's files, which say
 * that nothing is limited. */
#include "fs/sys/sysfs.h"

#include "abi/errno.h"
#include "abi/statfs.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "process/system.h"

static struct pseudo_node sysfs_root;
static struct pseudo_node cgroup_root;

/* ---- files ---- */

static int cpu_range_show(struct text *t, void *arg)
{
	unsigned count = proc_cpu_count();

	(void)arg;
	text_printf(t, count > 1 ? "0-%u\n" : "0\n", count - 1);
	return 0;
}

/* The bits [from, from + count) in groups of 32. */
static void mask_show(struct text *t, unsigned from, unsigned count)
{
	unsigned groups = (proc_cpu_count() + 31) / 32;

	for (unsigned g = groups; g-- > 0;) {
		uint32_t bits = 0;

		for (unsigned i = 0; i < 32; i++)
			if (g * 32 + i >= from && g * 32 + i < from + count)
				bits |= 1U << i;
		text_printf(t, groups > 1 ? "%08x%s" : "%x%s", bits, g ? "," : "\n");
	}
}

static int cpu_mask_show(struct text *t, void *arg)
{
	(void)arg;
	mask_show(t, 0, proc_cpu_count());
	return 0;
}

static int own_mask_show(struct text *t, void *arg)
{
	mask_show(t, (unsigned)(uintptr_t)arg, 1);
	return 0;
}

static int number_show(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", (unsigned long)(uintptr_t)arg);
	return 0;
}

static int node_meminfo_show(struct text *t, void *arg)
{
	struct memory_figures m = {0};

	(void)arg;
	if (memory_figures_hook)
		memory_figures_hook(&m);
	text_printf(t,
		    "Node 0 MemTotal:       %8lu kB\nNode 0 MemFree:        %8lu kB\n"
		    "Node 0 MemUsed:        %8lu kB\n",
		    m.total / 1024, m.free / 1024, (m.total - m.free) / 1024);
	return 0;
}

/* ---- the tree ---- */

static void add(struct pseudo_node *dir, const char *path,
		int (*show)(struct text *t, void *arg), unsigned long arg)
{
	(void)pseudo_file(dir, path, 0444, show, NULL, (void *)arg);
}

static void add_cpu(struct pseudo_node *cpus, unsigned i)
{
	char name[16];
	char *copy; /* the tree borrows it for ever */
	struct pseudo_node *dir;

	(void)scnprintf(name, sizeof(name), "cpu%u", i);
	copy = kstrdup(name);
	dir = copy ? pseudo_dir(cpus, copy) : NULL;
	if (!dir)
		return;
	add(dir, "online", number_show, 1);
	add(dir, "topology/core_id", number_show, i);
	add(dir, "topology/physical_package_id", number_show, 0);
	add(dir, "topology/die_id", number_show, 0);
	add(dir, "topology/cluster_id", number_show, 0);
	add(dir, "topology/core_cpus", own_mask_show, i);
	add(dir, "topology/core_cpus_list", number_show, i);
	add(dir, "topology/thread_siblings", own_mask_show, i);
	add(dir, "topology/thread_siblings_list", number_show, i);
	add(dir, "topology/core_siblings", cpu_mask_show, 0);
	add(dir, "topology/core_siblings_list", cpu_range_show, 0);
	add(dir, "topology/package_cpus", cpu_mask_show, 0);
	add(dir, "topology/package_cpus_list", cpu_range_show, 0);
}

static void add_cpus(void)
{
	struct pseudo_node *cpus = pseudo_dir(&sysfs_root, "devices/system/cpu");

	if (!cpus)
		return;
	add(cpus, "online", cpu_range_show, 0);
	add(cpus, "possible", cpu_range_show, 0);
	add(cpus, "present", cpu_range_show, 0);
	(void)pseudo_text(cpus, "offline", "\n");
	(void)pseudo_text(cpus, "isolated", "\n");
	(void)pseudo_text(cpus, "kernel_max", "8191\n");
	(void)pseudo_text(cpus, "smt/active", "0\n");
	(void)pseudo_text(cpus, "smt/control", "notsupported\n");
	for (unsigned i = 0; i < proc_cpu_count(); i++)
		add_cpu(cpus, i);
}

static void add_node(void)
{
	struct pseudo_node *nodes = pseudo_dir(&sysfs_root, "devices/system/node");
	static const char *const lists[] = {"online", "possible", "has_cpu", "has_memory",
					    "has_normal_memory"};

	if (!nodes)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		(void)pseudo_text(nodes, lists[i], "0\n");
	add(nodes, "node0/cpulist", cpu_range_show, 0);
	add(nodes, "node0/cpumap", cpu_mask_show, 0);
	add(nodes, "node0/meminfo", node_meminfo_show, 0);
	(void)pseudo_text(nodes, "node0/distance", "10\n");
	(void)pseudo_text(nodes, "node0/numastat",
			  "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit "
			  "0\nlocal_node 0\n"
			  "other_node 0\n");
}

static void add_loopback(void)
{
	static const char *const files[][2] = {
		{"address", "00:00:00:00:00:00\n"},
		{"addr_len", "6\n"},
		{"broadcast", "00:00:00:00:00:00\n"},
		{"carrier", "1\n"},
		{"dev_id", "0x0\n"},
		{"dormant", "0\n"},
		{"flags", "0x9\n"},
		{"ifindex", "1\n"},
		{"iflink", "1\n"},
		{"link_mode", "0\n"},
		{"mtu", "65536\n"},
		{"operstate", "unknown\n"},
		{"tx_queue_len", "1000\n"},
		{"type", "772\n"},
		{"uevent", "INTERFACE=lo\nIFINDEX=1\n"},
		{"statistics/rx_bytes", "0\n"},
		{"statistics/rx_packets", "0\n"},
		{"statistics/tx_bytes", "0\n"},
		{"statistics/tx_packets", "0\n"},
	};
	struct pseudo_node *lo = pseudo_dir(&sysfs_root, "devices/virtual/net/lo");

	for (size_t i = 0; lo && i < ARRAY_SIZE(files); i++)
		(void)pseudo_text(lo, files[i][0], files[i][1]);
	(void)pseudo_link(&sysfs_root, "class/net/lo", "../../devices/virtual/net/lo");
}

static void sysfs_build(void)
{
	static const char *const empty[] = {
		"block",     "bus",	 "class/block",	 "class/tty",
		"dev/block", "dev/char", "firmware",	 "fs/cgroup",
		"module",    "power",	 "kernel/debug", "kernel/security"};

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		(void)pseudo_dir(&sysfs_root, empty[i]);
	add_cpus();
	add_node();
	add_loopback();
	(void)pseudo_text(&sysfs_root, "kernel/mm/transparent_hugepage/enabled",
			  "always [madvise] never\n");
	(void)pseudo_text(&sysfs_root, "kernel/mm/transparent_hugepage/defrag",
			  "always defer defer+madvise [madvise] never\n");
	(void)pseudo_text(&sysfs_root, "kernel/mm/transparent_hugepage/shmem_enabled",
			  "always within_size advise [never] deny force\n");
	(void)pseudo_text(&sysfs_root, "kernel/mm/transparent_hugepage/hpage_pmd_size",
			  "2097152\n");
	(void)pseudo_text(&sysfs_root,
			  "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
	(void)pseudo_text(&sysfs_root,
			  "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n");
	(void)pseudo_text(&sysfs_root, "kernel/cpu_byteorder", "little\n");
}

static void cgroup_build(void)
{
	static const char *const files[][2] = {
		{"cgroup.controllers", "\n"},
		{"cgroup.procs", ""},
		{"cgroup.subtree_control", "\n"},
		{"cgroup.threads", ""},
		{"cgroup.max.depth", "max\n"},
		{"cgroup.max.descendants", "max\n"},
		{"cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n"},
	};

	pseudo_root_init(&cgroup_root);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)pseudo_text(&cgroup_root, files[i][0], files[i][1]);
}

/* ---- the types ---- */

static int no_statfs(struct superblock *sb, struct linux_statfs *out)
{
	(void)sb;
	(void)out;
	return 0;
}

static const struct sb_ops sysfs_sb_ops = {.statfs = no_statfs};

static int mount_tree(const struct file_system_type *type, uint32_t magic,
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
static struct file_system_type cgroup_type;

static int sysfs_mount(const char *source, const char *options, void *data,
		       struct superblock **out)
{
	(void)source;
	(void)options;
	(void)data;
	return mount_tree(&sysfs_type, SYSFS_MAGIC, &sysfs_root, out);
}

static int cgroup_mount(const char *source, const char *options, void *data,
			struct superblock **out)
{
	(void)source;
	(void)options;
	(void)data;
	return mount_tree(&cgroup_type, CGROUP2_SUPER_MAGIC, &cgroup_root, out);
}

static struct file_system_type sysfs_type = {
	.name = "sysfs",
	.flags = FS_NODEV | FS_USERNS,
	.mount = sysfs_mount,
};

static struct file_system_type cgroup_type = {
	.name = "cgroup2",
	.flags = FS_NODEV,
	.mount = cgroup_mount,
};

void sysfs_init(void)
{
	pseudo_root_init(&sysfs_root);
	pseudo_fill_later(&sysfs_root, sysfs_build);
	cgroup_build();
	fs_register(&sysfs_type);
	fs_register(&cgroup_type);
}
