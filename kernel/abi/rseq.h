/* SPDX-License-Identifier: MIT */
/* rseq.h - restartable sequences. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define RSEQ_FLAG_UNREGISTER		   0x1
#define RSEQ_CPU_ID_UNINITIALIZED	   (-1)
#define RSEQ_CPU_ID_REGISTRATION_FAILED	   (-2)
#define RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT 0x1
#define RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL  0x2
#define RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE 0x4

struct linux_rseq_cs {
	uint32_t version;
	uint32_t flags;
	uint64_t start_ip;
	uint64_t post_commit_offset;
	uint64_t abort_ip;
} ALIGNED(32);

struct linux_rseq {
	uint32_t cpu_id_start;
	uint32_t cpu_id;
	uint64_t rseq_cs;
	uint32_t flags;
	uint32_t node_id;
	uint32_t mm_cid;
} ALIGNED(32);

_Static_assert(sizeof(struct linux_rseq) == 32, "struct rseq");
