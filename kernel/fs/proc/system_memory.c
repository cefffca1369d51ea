/* SPDX-License-Identifier: MIT */
/* system_memory.c - /proc/{meminfo,vmstat,zoneinfo,buddyinfo,slabinfo}: memory as a
 * whole.
 *
 * The machine is one node with one zone, as large as the sandbox's limit or the host's
 * memory. What is free of it is what was when the sandbox began, less what the kernel has
 * taken; what guests have is not taken off, as only each process' own share is known.
 * Slabs are the kernel's own. */
#include "base/page.h"
#include "base/slab.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/commit.h"
#include "process/system.h"

enum { ORDERS = 11, NAME_MAX_LEN = 17 };

struct kernel_memory { /* bytes */
	uint64_t slab, used;
};

static void figures_get(struct memory_figures *out)
{
	*out = (struct memory_figures){0};
	if (memory_figures_hook)
		memory_figures_hook(out);
}

static void cache_add(const struct slab_cache *c, void *arg)
{
	*(uint64_t *)arg += c->slabs * (PAGE_SIZE << c->order);
}

static void kernel_memory_get(struct kernel_memory *out)
{
	struct page_stats pages;

	page_get_stats(&pages);
	out->slab = 0;
	slab_for_each_cache(cache_add, &out->slab);
	out->used = pages.used * PAGE_SIZE;
}

static void line_kb(struct text *t, const char *name, uint64_t bytes)
{
	size_t start = t->len;

	text_printf(t, "%s:", name);
	while (t->len - start < 16 && !t->is_failed)
		text_putc(t, ' ');
	text_printf(t, "%8lu kB\n", bytes / 1024);
}

/* A NULL ends the names. */
static void lines_zero(struct text *t, const char *const *names)
{
	for (; *names; names++)
		line_kb(t, *names, 0);
}

int meminfo_show(struct text *t, void *arg)
{
	static const char *const caches[] = {"Buffers",	       "Cached",
					     "SwapCached",     "Active",
					     "Inactive",       "Active(anon)",
					     "Inactive(anon)", "Active(file)",
					     "Inactive(file)", "Unevictable",
					     "Mlocked",	       "SwapTotal",
					     "SwapFree",       "Zswap",
					     "Zswapped",       "Dirty",
					     "Writeback",      "AnonPages",
					     "Mapped",	       "Shmem",
					     "KReclaimable",   NULL};
	static const char *const others[] = {
		"KernelStack",	"PageTables", "SecPageTables", "NFS_Unstable", "Bounce",
		"WritebackTmp", NULL};
	static const char *const huge[] = {"Percpu",
					   "AnonHugePages",
					   "ShmemHugePages",
					   "ShmemPmdMapped",
					   "FileHugePages",
					   "FilePmdMapped",
					   NULL};
	struct kernel_memory k;
	struct memory_figures m;

	(void)arg;
	figures_get(&m);
	kernel_memory_get(&k);
	line_kb(t, "MemTotal", m.total);
	line_kb(t, "MemFree", m.free);
	line_kb(t, "MemAvailable", m.free);
	lines_zero(t, caches);
	line_kb(t, "Slab", k.slab);
	line_kb(t, "SReclaimable", 0);
	line_kb(t, "SUnreclaim", k.slab);
	lines_zero(t, others);
	line_kb(t, "CommitLimit", commit_limit() << PAGE_SHIFT);
	line_kb(t, "Committed_AS", commit_total() << PAGE_SHIFT);
	text_puts(t, "VmallocTotal:   34359738367 kB\n");
	line_kb(t, "VmallocUsed", k.used);
	line_kb(t, "VmallocChunk", 0);
	lines_zero(t, huge);
	text_puts(t, "HugePages_Total:       0\nHugePages_Free:        0\n"
		     "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
		     "Hugepagesize:       2048 kB\n");
	line_kb(t, "Hugetlb", 0);
	line_kb(t, "DirectMap4k", 0);
	line_kb(t, "DirectMap2M", m.total);
	return 0;
}

int vmstat_show(struct text *t, void *arg)
{
	static const char *const zeros[] = {
		"nr_zone_inactive_anon",
		"nr_zone_active_anon",
		"nr_zone_inactive_file",
		"nr_zone_active_file",
		"nr_zone_unevictable",
		"nr_zone_write_pending",
		"nr_mlock",
		"numa_hit",
		"numa_miss",
		"numa_foreign",
		"numa_interleave",
		"numa_local",
		"numa_other",
		"nr_inactive_anon",
		"nr_active_anon",
		"nr_inactive_file",
		"nr_active_file",
		"nr_unevictable",
		"nr_slab_reclaimable",
	};
	static const char *const more[] = {
		"nr_isolated_anon",
		"nr_isolated_file",
		"nr_anon_pages",
		"nr_mapped",
		"nr_file_pages",
		"nr_dirty",
		"nr_writeback",
		"nr_shmem",
		"nr_anon_transparent_hugepages",
		"nr_dirtied",
		"nr_written",
		"nr_kernel_stack",
		"nr_page_table_pages",
		"nr_dirty_threshold",
		"nr_dirty_background_threshold",
		"pgpgin",
		"pgpgout",
		"pswpin",
		"pswpout",
		"pgalloc_normal",
		"allocstall_normal",
		"pgfree",
		"pgactivate",
		"pgdeactivate",
		"pgfault",
		"pgmajfault",
		"pgrefill",
		"pgsteal_kswapd",
		"pgsteal_direct",
		"pgscan_kswapd",
		"pgscan_direct",
		"pageoutrun",
		"oom_kill",
	};
	struct kernel_memory k;
	struct memory_figures m;

	(void)arg;
	figures_get(&m);
	kernel_memory_get(&k);
	text_printf(t, "nr_free_pages %lu\n", m.free / PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++)
		text_printf(t, "%s 0\n", zeros[i]);
	text_printf(t, "nr_slab_unreclaimable %lu\n", k.slab / PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		text_printf(t, "%s 0\n", more[i]);
	return 0;
}

int zoneinfo_show(struct text *t, void *arg)
{
	struct memory_figures m;

	(void)arg;
	figures_get(&m);
	text_printf(t,
		    "Node 0, zone   Normal\n  pages free     %lu\n        boost    0\n"
		    "        min      0\n        low      0\n        high     0\n"
		    "        spanned  %lu\n        present  %lu\n        managed  %lu\n"
		    "        cma      0\n        protection: (0, 0, 0, 0, 0)\n"
		    "      nr_free_pages %lu\n  node_unreclaimable:  0\n"
		    "  start_pfn:           0\n",
		    m.free / PAGE_SIZE, m.total / PAGE_SIZE, m.total / PAGE_SIZE,
		    m.total / PAGE_SIZE, m.free / PAGE_SIZE);
	return 0;
}

/* Free memory is not in pieces here: as few blocks as it makes. */
int buddyinfo_show(struct text *t, void *arg)
{
	struct memory_figures m;
	uint64_t pages;

	(void)arg;
	figures_get(&m);
	pages = m.free / PAGE_SIZE;
	text_puts(t, "Node 0, zone   Normal ");
	for (unsigned order = 0; order < ORDERS - 1; order++)
		text_printf(t, "%6lu ", pages >> order & 1);
	text_printf(t, "%6lu \n", pages >> (ORDERS - 1));
	return 0;
}

struct slab_line {
	char name[NAME_MAX_LEN + 1];
	size_t objects, slabs;
	uint32_t size, per_slab, order;
};

struct slab_lines {
	struct slab_line *line;
	size_t count, size;
};

/* Under the registry's lock: nothing is allocated. */
static void cache_copy(const struct slab_cache *c, void *arg)
{
	struct slab_lines *l = arg;
	struct slab_line *out;

	if (l->count == l->size)
		return;
	out = &l->line[l->count++];
	strlcpy(out->name, c->name, sizeof(out->name));
	out->objects = c->objects;
	out->slabs = c->slabs;
	out->size = c->stride;
	out->per_slab = c->per_slab;
	out->order = c->order;
}

static void cache_count(const struct slab_cache *c, void *arg)
{
	(void)c;
	++*(size_t *)arg;
}

int slabinfo_show(struct text *t, void *arg)
{
	struct slab_lines l = {.line = NULL};

	(void)arg;
	slab_for_each_cache(cache_count, &l.size);
	l.line = kmalloc_array(l.size + 1, sizeof(*l.line));
	if (!l.line)
		l.size = 0;
	slab_for_each_cache(cache_copy, &l);
	text_puts(t,
		  "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> "
		  "<objsize> <objperslab> <pagesperslab> : tunables <limit> "
		  "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
		  "<sharedavail>\n");
	for (size_t i = 0; i < l.count; i++)
		text_printf(t,
			    "%-17s %6zu %6zu %6u %4u %4u : tunables    0    0    0 : "
			    "slabdata %6zu %6zu      0\n",
			    l.line[i].name, l.line[i].objects,
			    l.line[i].slabs * l.line[i].per_slab, l.line[i].size,
			    l.line[i].per_slab, 1U << l.line[i].order, l.line[i].slabs,
			    l.line[i].slabs);
	t->is_failed |= !l.line;
	kfree(l.line);
	return 0;
}
