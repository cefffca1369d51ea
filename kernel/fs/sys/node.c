/* SPDX-License-Identifier: MIT */
/* node.c - /sys/devices/system/node: the machine is one node with all memory. */
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"
#include "lib/printf.h"
#include "process/system.h"

static int cpulist_show(struct text *t, void *arg)
{
	(void)arg;
	cpu_list_show(t, 0, proc_cpu_count() - 1);
	return 0;
}

static int cpumap_show(struct text *t, void *arg)
{
	(void)arg;
	cpu_mask_show(t, 0, proc_cpu_count() - 1);
	return 0;
}

static void line_kb(struct text *t, const char *name, uint64_t bytes)
{
	size_t start = t->len;

	text_printf(t, "Node 0 %s:", name);
	while (t->len - start < 23 && !t->is_failed)
		text_putc(t, ' ');
	text_printf(t, "%8lu kB\n", bytes / 1024);
}

static int meminfo_show(struct text *t, void *arg)
{
	static const char *const zeros[] = {
		"SwapCached",	  "Active",	  "Inactive",	    "Active(anon)",
		"Inactive(anon)", "Active(file)", "Inactive(file)", "Unevictable",
		"Mlocked",	  "Dirty",	  "Writeback",	    "FilePages",
		"Mapped",	  "AnonPages",	  "Shmem",	    "KernelStack",
		"PageTables",	  "Bounce",	  "Slab",	    "AnonHugePages",
	};
	struct memory_figures m = {0};

	(void)arg;
	if (memory_figures_hook)
		memory_figures_hook(&m);
	line_kb(t, "MemTotal", m.total);
	line_kb(t, "MemFree", m.free);
	line_kb(t, "MemUsed", m.total - m.free);
	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++)
		line_kb(t, zeros[i], 0);
	text_puts(t, "Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\n"
		     "Node 0 HugePages_Surp:      0\n");
	return 0;
}

void sysfs_add_node(struct pseudo_node *devices)
{
	static const char *const lists[] = {"online", "possible", "has_cpu", "has_memory",
					    "has_normal_memory"};
	struct pseudo_node *nodes = pseudo_dir(devices, "system/node");

	if (!nodes)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		(void)pseudo_text(nodes, lists[i], "0\n");
	(void)pseudo_text(nodes, "has_generic_initiator", "\n");
	(void)pseudo_file(nodes, "node0/cpulist", 0444, cpulist_show, NULL, NULL);
	(void)pseudo_file(nodes, "node0/cpumap", 0444, cpumap_show, NULL, NULL);
	(void)pseudo_file(nodes, "node0/meminfo", 0444, meminfo_show, NULL, NULL);
	(void)pseudo_text(nodes, "node0/distance", "10\n");
	(void)pseudo_text(nodes, "node0/numastat",
			  "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\n"
			  "local_node 0\nother_node 0\n");
	for (unsigned i = 0; i < proc_cpu_count(); i++) {
		char path[32];
		char target[32];

		(void)scnprintf(path, sizeof(path), "node0/cpu%u", i);
		(void)scnprintf(target, sizeof(target), "../../cpu/cpu%u", i);
		sysfs_link(nodes, path, target);
	}
}
