/* SPDX-License-Identifier: MIT */
/* procmap.h - PROCMAP_QUERY, an ioctl of /proc/PID/maps. */
#pragma once
#include "abi/types.h"

#define PROCMAP_QUERY 0xc0686611U

#define PROCMAP_QUERY_VMA_READABLE	   0x1
#define PROCMAP_QUERY_VMA_WRITABLE	   0x2
#define PROCMAP_QUERY_VMA_EXECUTABLE	   0x4
#define PROCMAP_QUERY_VMA_SHARED	   0x8
#define PROCMAP_QUERY_VMA_FLAGS		   0xf
#define PROCMAP_QUERY_COVERING_OR_NEXT_VMA 0x10
#define PROCMAP_QUERY_FILE_BACKED_VMA	   0x20
#define PROCMAP_QUERY_FLAGS		   0x3f

struct procmap_query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

#define PROCMAP_QUERY_SIZE_MIN 24U /* up to query_addr */
