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
#include "fs/overlay/overlay.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "net/net_ns.h"
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

/* What belongs to processes, and how many of them the kernel itself has at the end: the
 * first process's own. */
static const struct {
	const char *name;
	size_t left;
} owned[] = {
	/* processes */
	{"mm_struct", 0},
	{"vm_area_struct", 0},
	{"filp", 0},
	{"files_cache", 0},
	{"fs_cache", 1},
	{"sighand_cache", 1},
	{"signal_cache", 1},
	{"cred_jar", 1},
	{"pgroup", 1},
	{"session", 1},
	{"sigqueue", 0},
	{"shared_memory", 0},
	/* pipes and IPC */
	{"pipe_inode_info", 0},
	{"sem_undo_list", 0},
	{"shm_segment", 0},
	/* namespaces: the first of each kind is in no cache */
	{"nsproxy", 0},
	{"user_namespace", 0},
	{"time_namespace", 0},
	{"net_namespace", 0},
	{"ns_count", 0},
	/* sockets */
	{"sock_inode_cache", 0},
	{"byte_chunk", 0},
	{"unix_sock", 0},
	{"unix_packet", 0},
	{"unix_mark", 0},
	{"netlink_sock", 0},
	{"PACKET", 0},
	{"inet_sock", 0},
	{"inet_async", 0},
	{"tcp_listener", 0},
	{"tcp_conn", 0},
	{"tw_sock_TCP", 0},
	{"local_TCP", 0},
	{"local_port", 0},
	{"local_seed", 0},
	{"UDP", 0},
	{"skbuff_head_cache", 0},
	{"ip_mc_socklist", 0},
	{"ip_mc_list", 0},
};

static void check_cache(const struct slab_cache *c, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		size_t left = owned[i].left;

		if (strcmp(c->name, owned[i].name) != 0)
			continue;
		if (strcmp(c->name, "filp") == 0)
			left += overlay_upper_files(); /* the data of what was changed */
		if (c->objects > left)
			log_print("leaked: %lu of %s", c->objects - left, c->name);
	}
}

void report_print(void)
{
	sysv_fini(); /* what belonged to no process */
	if (!task_count())
		net_ns_fini();
	if ((boot->flags & BOOT_LEAKS) && task_count())
		log_print("%d tasks have not ended", task_count());
	if (boot->flags & BOOT_LEAKS)
		slab_for_each_cache(check_cache, NULL);
	if (boot->flags & BOOT_STATS)
		print_stats();
	if (boot->flags & BOOT_REPORT)
		dispatch_report();
}
