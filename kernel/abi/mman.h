/* SPDX-License-Identifier: MIT */
/* mman.h - memory mapping, memory policy and memfd calls. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define PROT_NONE      0
#define PROT_READ      0x1
#define PROT_WRITE     0x2
#define PROT_EXEC      0x4
#define PROT_SEM       0x8
#define PROT_GROWSDOWN 0x1000000
#define PROT_GROWSUP   0x2000000

#define MAP_SHARED	    0x1
#define MAP_PRIVATE	    0x2
#define MAP_SHARED_VALIDATE 0x3
#define MAP_DROPPABLE	    0x8
#define MAP_TYPE	    0xf
#define MAP_FIXED	    0x10
#define MAP_ANONYMOUS	    0x20
#define MAP_32BIT	    0x40
#define MAP_ABOVE4G	    0x80
#define MAP_GROWSDOWN	    0x100
#define MAP_DENYWRITE	    0x800
#define MAP_EXECUTABLE	    0x1000
#define MAP_LOCKED	    0x2000
#define MAP_NORESERVE	    0x4000
#define MAP_POPULATE	    0x8000
#define MAP_NONBLOCK	    0x10000
#define MAP_STACK	    0x20000
#define MAP_HUGETLB	    0x40000
#define MAP_SYNC	    0x80000
#define MAP_FIXED_NOREPLACE 0x100000
#define MAP_UNINITIALIZED   0x4000000
#define MAP_HUGE_SHIFT	    26
#define MAP_HUGE_MASK	    0x3f
#define MAP_HUGE_2MB	    0x54000000
#define MAP_HUGE_1GB	    0x78000000

#define MREMAP_MAYMOVE	 1
#define MREMAP_FIXED	 2
#define MREMAP_DONTUNMAP 4
#define MS_ASYNC	 1
#define MS_INVALIDATE	 2
#define MS_SYNC		 4
#define MCL_CURRENT	 1
#define MCL_FUTURE	 2
#define MCL_ONFAULT	 4
#define MLOCK_ONFAULT	 1

#define MADV_NORMAL	     0
#define MADV_RANDOM	     1
#define MADV_SEQUENTIAL	     2
#define MADV_WILLNEED	     3
#define MADV_DONTNEED	     4
#define MADV_FREE	     8
#define MADV_REMOVE	     9
#define MADV_DONTFORK	     10
#define MADV_DOFORK	     11
#define MADV_MERGEABLE	     12
#define MADV_UNMERGEABLE     13
#define MADV_HUGEPAGE	     14
#define MADV_NOHUGEPAGE	     15
#define MADV_DONTDUMP	     16
#define MADV_DODUMP	     17
#define MADV_WIPEONFORK	     18
#define MADV_KEEPONFORK	     19
#define MADV_COLD	     20
#define MADV_PAGEOUT	     21
#define MADV_POPULATE_READ   22
#define MADV_POPULATE_WRITE  23
#define MADV_DONTNEED_LOCKED 24
#define MADV_COLLAPSE	     25
#define MADV_HWPOISON	     100
#define MADV_SOFT_OFFLINE    101
#define MADV_GUARD_INSTALL   102
#define MADV_GUARD_REMOVE    103

#define PKEY_DISABLE_ACCESS 0x1
#define PKEY_DISABLE_WRITE  0x2

#define MFD_CLOEXEC	  0x1
#define MFD_ALLOW_SEALING 0x2
#define MFD_HUGETLB	  0x4
#define MFD_NOEXEC_SEAL	  0x8
#define MFD_EXEC	  0x10
#define MFD_HUGE_SHIFT	  26
#define MFD_HUGE_MASK	  0x3f

#define MPOL_DEFAULT		 0
#define MPOL_PREFERRED		 1
#define MPOL_BIND		 2
#define MPOL_INTERLEAVE		 3
#define MPOL_LOCAL		 4
#define MPOL_PREFERRED_MANY	 5
#define MPOL_WEIGHTED_INTERLEAVE 6
#define MPOL_MAX		 7
#define MPOL_F_STATIC_NODES	 (1 << 15)
#define MPOL_F_RELATIVE_NODES	 (1 << 14)
#define MPOL_F_NUMA_BALANCING	 (1 << 13)
#define MPOL_F_NODE		 0x1
#define MPOL_F_ADDR		 0x2
#define MPOL_F_MEMS_ALLOWED	 0x4
#define MPOL_MF_STRICT		 0x1
#define MPOL_MF_MOVE		 0x2
#define MPOL_MF_MOVE_ALL	 0x4
