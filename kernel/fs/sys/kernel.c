/* SPDX-License-Identifier: MIT */
/* kernel.c - /sys/kernel. Huge pages are the host's business: what is
 * said of them is Linux's default. Same-page merging is off. */
#include "fs/proc/generated.h"
#include "fs/proc/pseudo.h"
#include "fs/sys/internal.h"

void sysfs_add_kernel(struct pseudo_node *kernel)
{
	static const char *const files[][2] = {
		{"address_bits", "64\n"},
		{"cpu_byteorder", "little\n"},
		{"fscaps", "1\n"},
		{"oops_count", "0\n"},
		{"profiling", "0\n"},
		{"rcu_expedited", "0\n"},
		{"rcu_normal", "0\n"},
		{"uevent_seqnum", "0\n"},
		{"warn_count", "0\n"},
		{"mm/hugepages/hugepages-2048kB/free_hugepages", "0\n"},
		{"mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n"},
		{"mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages", "0\n"},
		{"mm/hugepages/hugepages-2048kB/resv_hugepages", "0\n"},
		{"mm/hugepages/hugepages-2048kB/surplus_hugepages", "0\n"},
		{"mm/ksm/full_scans", "0\n"},
		{"mm/ksm/max_page_sharing", "256\n"},
		{"mm/ksm/merge_across_nodes", "1\n"},
		{"mm/ksm/pages_shared", "0\n"},
		{"mm/ksm/pages_sharing", "0\n"},
		{"mm/ksm/pages_to_scan", "100\n"},
		{"mm/ksm/pages_unshared", "0\n"},
		{"mm/ksm/pages_volatile", "0\n"},
		{"mm/ksm/run", "0\n"},
		{"mm/ksm/sleep_millisecs", "20\n"},
		{"mm/ksm/use_zero_pages", "0\n"},
		{"mm/numa/demotion_enabled", "false\n"},
		{"mm/swap/vma_ra_enabled", "true\n"},
		{"mm/transparent_hugepage/defrag",
		 "always defer defer+madvise [madvise] never\n"},
		{"mm/transparent_hugepage/enabled", "always [madvise] never\n"},
		{"mm/transparent_hugepage/hpage_pmd_size", "2097152\n"},
		{"mm/transparent_hugepage/khugepaged/defrag", "1\n"},
		{"mm/transparent_hugepage/khugepaged/max_ptes_none", "511\n"},
		{"mm/transparent_hugepage/khugepaged/pages_collapsed", "0\n"},
		{"mm/transparent_hugepage/khugepaged/pages_to_scan", "4096\n"},
		{"mm/transparent_hugepage/shmem_enabled",
		 "always within_size advise [never] deny force\n"},
		{"mm/transparent_hugepage/use_zero_page", "1\n"},
	};
	static const char *const empty[] = {"config", "debug", "security", "tracing"};

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		(void)pseudo_dir(kernel, empty[i]);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)pseudo_text(kernel, files[i][0], files[i][1]);
}
