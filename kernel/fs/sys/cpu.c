/* SPDX-License-Identifier: MIT */
/* cpu.c - /sys/devices/system/cpu.
 *
 * Processors are those that the sandbox may use, numbered from 0. All are taken for cores
 * of their own in one package: which of them are threads of one core only each could
 * tell. Caches are what the processor says (CPUID); a cache that n processors share is
 * shared by n with consecutive numbers. */
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"
#include "lib/printf.h"

#include <cpuid.h>

enum { LEAF_INTEL = 4, LEAF_AMD = 0x8000001d, CACHES_MAX = 8 };

struct cache {
	unsigned type, level, sharing;
	unsigned line, parts, ways, sets;
};

/* ---- lists and masks ---- */

void cpu_list_show(struct text *t, unsigned lo, unsigned hi)
{
	text_printf(t, hi > lo ? "%u-%u\n" : "%u\n", lo, hi);
}

/* In groups of 32. */
void cpu_mask_show(struct text *t, unsigned lo, unsigned hi)
{
	unsigned count = proc_cpu_count();
	unsigned groups = (count + 31) / 32;

	for (unsigned g = groups; g-- > 0;) {
		uint32_t bits = 0;

		for (unsigned i = 0; i < 32; i++)
			if (g * 32 + i >= lo && g * 32 + i <= hi)
				bits |= 1U << i;
		text_printf(t, groups > 1 ? "%08x%s" : "%x%s", bits, g ? "," : "\n");
	}
}

static int all_list(struct text *t, void *arg)
{
	(void)arg;
	cpu_list_show(t, 0, proc_cpu_count() - 1);
	return 0;
}

static int all_mask(struct text *t, void *arg)
{
	(void)arg;
	cpu_mask_show(t, 0, proc_cpu_count() - 1);
	return 0;
}

struct cpu_range {
	unsigned lo, hi;
};

static int some_list(struct text *t, void *arg)
{
	const struct cpu_range *r = arg;

	cpu_list_show(t, r->lo, r->hi);
	return 0;
}

static int some_mask(struct text *t, void *arg)
{
	const struct cpu_range *r = arg;

	cpu_mask_show(t, r->lo, r->hi);
	return 0;
}

static void add_some(struct pseudo_node *dir, const char *list, const char *mask,
		     unsigned lo, unsigned hi)
{
	struct cpu_range *r = kmalloc(sizeof(*r)); /* for ever, as the tree */

	if (!r)
		return;
	*r = (struct cpu_range){lo, hi};
	(void)pseudo_file(dir, list, 0444, some_list, NULL, r);
	(void)pseudo_file(dir, mask, 0444, some_mask, NULL, r);
}

static void add_all(struct pseudo_node *dir, const char *list, const char *mask)
{
	(void)pseudo_file(dir, list, 0444, all_list, NULL, NULL);
	(void)pseudo_file(dir, mask, 0444, all_mask, NULL, NULL);
}

/* ---- caches ---- */

/* The leaf that describes them, or 0. */
static unsigned cache_leaf(void)
{
	unsigned a;
	unsigned b;
	unsigned c;
	unsigned d;

	if (__get_cpuid_max(0x80000000, NULL) >= LEAF_AMD) {
		__cpuid(0x80000001, a, b, c, d);
		if (c >> 22 & 1) /* topology extensions */
			return LEAF_AMD;
	}
	return __get_cpuid_max(0, NULL) >= LEAF_INTEL ? LEAF_INTEL : 0;
}

static unsigned caches_get(struct cache out[CACHES_MAX])
{
	unsigned leaf = cache_leaf();
	unsigned count = 0;

	while (leaf && count < CACHES_MAX) {
		unsigned a;
		unsigned b;
		unsigned c;
		unsigned d;

		__cpuid_count(leaf, count, a, b, c, d);
		if (!(a & 31))
			break;
		out[count++] = (struct cache){
			.type = a & 31,
			.level = a >> 5 & 7,
			.sharing = (a >> 14 & 0xfff) + 1,
			.line = (b & 0xfff) + 1,
			.parts = (b >> 12 & 0x3ff) + 1,
			.ways = (b >> 22) + 1,
			.sets = c + 1,
		};
	}
	return count;
}

static void add_cache(struct pseudo_node *cpu, unsigned i, unsigned index,
		      const struct cache *c)
{
	static const char *const types[] = {"", "Data", "Instruction", "Unified"};
	unsigned span = 1;
	unsigned last = proc_cpu_count() - 1;
	struct pseudo_node *dir;
	char name[32];
	char *copy; /* the tree borrows it for ever */

	while (span < c->sharing) /* as numbers of processors are given out */
		span <<= 1;
	(void)scnprintf(name, sizeof(name), "cache/index%u", index);
	copy = kstrdup(name);
	dir = copy ? pseudo_dir(cpu, copy) : NULL;
	if (!dir || c->type >= ARRAY_SIZE(types))
		return;
	sysfs_printf(dir, "coherency_line_size", "%u\n", c->line);
	sysfs_printf(dir, "id", "%u\n", i / span);
	sysfs_printf(dir, "level", "%u\n", c->level);
	sysfs_printf(dir, "number_of_sets", "%u\n", c->sets);
	sysfs_printf(dir, "physical_line_partition", "%u\n", c->parts);
	add_some(dir, "shared_cpu_list", "shared_cpu_map", i / span * span,
		 MIN(i / span * span + span - 1, last));
	sysfs_printf(dir, "size", "%luK\n",
		     (unsigned long)c->line * c->parts * c->ways * c->sets / 1024);
	sysfs_printf(dir, "type", "%s\n", types[c->type]);
	sysfs_printf(dir, "ways_of_associativity", "%u\n", c->ways);
	(void)pseudo_text(dir, "uevent", "");
}

/* ---- processors ---- */

static void add_cpu(struct pseudo_node *cpus, unsigned i, const struct cache *caches,
		    unsigned cache_count)
{
	struct pseudo_node *dir;
	char name[16];
	char *copy; /* the tree borrows it for ever */

	(void)scnprintf(name, sizeof(name), "cpu%u", i);
	copy = kstrdup(name);
	dir = copy ? pseudo_dir(cpus, copy) : NULL;
	if (!dir)
		return;
	if (i)
		(void)pseudo_text(dir, "online", "1\n");
	sysfs_printf(dir, "topology/core_id", "%u\n", i);
	(void)pseudo_text(dir, "topology/physical_package_id", "0\n");
	(void)pseudo_text(dir, "topology/die_id", "0\n");
	(void)pseudo_text(dir, "topology/cluster_id", "65535\n");
	add_some(dir, "topology/core_cpus_list", "topology/core_cpus", i, i);
	add_some(dir, "topology/thread_siblings_list", "topology/thread_siblings", i, i);
	add_some(dir, "topology/cluster_cpus_list", "topology/cluster_cpus", i, i);
	add_all(dir, "topology/core_siblings_list", "topology/core_siblings");
	add_all(dir, "topology/package_cpus_list", "topology/package_cpus");
	add_all(dir, "topology/die_cpus_list", "topology/die_cpus");
	for (unsigned k = 0; k < cache_count; k++)
		add_cache(dir, i, k, &caches[k]);
	(void)pseudo_link(dir, "node0", "../../node/node0");
	(void)pseudo_text(dir, "uevent", "");
}

void sysfs_add_cpus(struct pseudo_node *devices)
{
	static const char *const ranges[] = {"online", "possible", "present"};
	struct pseudo_node *cpus = pseudo_dir(devices, "system/cpu");
	struct cache caches[CACHES_MAX];
	unsigned count = caches_get(caches);

	if (!cpus)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		(void)pseudo_file(cpus, ranges[i], 0444, all_list, NULL, NULL);
	(void)pseudo_text(cpus, "offline", "\n");
	(void)pseudo_text(cpus, "isolated", "\n");
	(void)pseudo_text(cpus, "kernel_max", "8191\n");
	(void)pseudo_text(cpus, "smt/active", "0\n");
	(void)pseudo_text(cpus, "smt/control", "notsupported\n");
	(void)pseudo_text(cpus, "uevent", "");
	for (unsigned i = 0; i < proc_cpu_count(); i++)
		add_cpu(cpus, i, caches, count);
}
