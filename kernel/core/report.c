/* SPDX-License-Identifier: MIT */
/* report.c - see report.h. */
#include "core/report.h"

#include "arch/x86_64/patch.h"
#include "base/log.h"
#include "base/page.h"
#include "base/slab.h"
#include "core/boot.h"
#include "core/dispatch.h"
#include "core/host_process.h"
#include "process/cpu_pool.h"
#include "process/task_life.h"

static void print_cache(const struct slab_cache *c, void *arg)
{
	(void)arg;
	log_print("objects: %-24s %6lu of %u bytes", c->name, c->objects, c->size);
}

static void print_stats(void)
{
	struct patch_stats patch;
	struct page_stats pages;
	uint64_t fast;
	uint64_t slow;

	cpu_calls(&fast, &slow);
	patch_get_stats(&patch);
	page_get_stats(&pages);
	log_print("calls: %lu fast, %lu trapped (%lu.%02lu %% fast)", fast, slow,
		  fast + slow ? fast * 100 / (fast + slow) : 0,
		  fast + slow ? fast * 10000 / (fast + slow) % 100 : 0);
	log_print("patches: %lu of kind A, %lu of kind B, %lu page copies; %lu traps at "
		  "sites left alone",
		  patch.sites_a, patch.sites_b, patch.pages, patch.refused);
	log_print("kernel memory: %lu KiB in use, %lu KiB at most", pages.used * 4,
		  pages.peak * 4);
	log_print("tasks: %d, processes: %d", task_count(), process_count());
	slab_for_each_cache(print_cache, NULL);
}

void report_print(void)
{
	if (boot->flags & BOOT_STATS)
		print_stats();
	if (boot->flags & BOOT_REPORT)
		dispatch_report();
}
