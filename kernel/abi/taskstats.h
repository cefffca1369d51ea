/* SPDX-License-Identifier: MIT */
/* taskstats.h - the generic netlink family TASKSTATS: what tasks have used. */
#pragma once
#include "abi/types.h"

#define TASKSTATS_VERSION      16
#define TASKSTATS_GENL_NAME    "TASKSTATS"
#define TASKSTATS_GENL_VERSION 1

#define TASKSTATS_CMD_GET 1
#define TASKSTATS_CMD_NEW 2

#define TASKSTATS_CMD_ATTR_PID	1
#define TASKSTATS_CMD_ATTR_TGID 2

#define TASKSTATS_TYPE_PID	 1
#define TASKSTATS_TYPE_TGID	 2
#define TASKSTATS_TYPE_STATS	 3
#define TASKSTATS_TYPE_AGGR_PID	 4
#define TASKSTATS_TYPE_AGGR_TGID 5

struct linux_taskstats {
	uint16_t version;
	uint32_t ac_exitcode;
	uint8_t ac_flag; /* ACCT_* */
	uint8_t ac_nice;
	uint64_t cpu_count ALIGNED(8), cpu_delay_total;
	uint64_t blkio_count, blkio_delay_total;
	uint64_t swapin_count, swapin_delay_total;
	uint64_t cpu_run_real_total, cpu_run_virtual_total; /* ns */
	char ac_comm[32];
	uint8_t ac_sched ALIGNED(8);
	uint8_t ac_pad[3];
	uint32_t ac_uid ALIGNED(8);
	uint32_t ac_gid, ac_pid, ac_ppid;
	uint32_t ac_btime; /* seconds since 1970 */
	/* microseconds */
	uint64_t ac_etime ALIGNED(8), ac_utime, ac_stime;
	uint64_t ac_minflt, ac_majflt;
	uint64_t coremem, virtmem;	  /* MB-microseconds */
	uint64_t hiwater_rss, hiwater_vm; /* KB */
	uint64_t read_char, write_char, read_syscalls, write_syscalls;
	uint64_t read_bytes, write_bytes, cancelled_write_bytes;
	uint64_t nvcsw, nivcsw;
	uint64_t ac_utimescaled, ac_stimescaled, cpu_scaled_run_real_total;
	uint64_t freepages_count, freepages_delay_total;
	uint64_t thrashing_count, thrashing_delay_total;
	uint64_t ac_btime64;
	uint64_t compact_count, compact_delay_total;
	uint32_t ac_tgid;
	uint64_t ac_tgetime ALIGNED(8); /* microseconds */
	uint64_t ac_exe_dev, ac_exe_inode;
	uint64_t wpcopy_count, wpcopy_delay_total;
	uint64_t irq_count, irq_delay_total;
	uint64_t delay_extremes[16];
};

_Static_assert(sizeof(struct linux_taskstats) == 560, "struct taskstats");
