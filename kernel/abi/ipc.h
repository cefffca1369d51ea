/* SPDX-License-Identifier: MIT */
/* ipc.h - System V and POSIX message queues, semaphores, shared memory. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define IPC_PRIVATE 0
#define IPC_CREAT   01000
#define IPC_EXCL    02000
#define IPC_NOWAIT  04000
#define IPC_RMID    0
#define IPC_SET	    1
#define IPC_STAT    2
#define IPC_INFO    3
#define IPC_64	    0x100

struct linux_ipc_perm { /* ipc64_perm */
	int32_t key;
	uint32_t uid;
	uint32_t gid;
	uint32_t cuid;
	uint32_t cgid;
	uint32_t mode;
	uint16_t seq;
	uint16_t pad0;
	uint64_t unused[2];
};

_Static_assert(sizeof(struct linux_ipc_perm) == 48, "struct ipc64_perm");

/* Semaphores. */
#define GETPID	     11
#define GETVAL	     12
#define GETALL	     13
#define GETNCNT	     14
#define GETZCNT	     15
#define SETVAL	     16
#define SETALL	     17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20
#define SEM_UNDO     0x1000
#define SEMMNI	     32000
#define SEMMSL	     32000
#define SEMMNS	     1024000000
#define SEMOPM	     500
#define SEMVMX	     32767

struct linux_sembuf {
	uint16_t sem_num;
	int16_t sem_op;
	int16_t sem_flg;
};

struct linux_semid_ds { /* semid64_ds */
	struct linux_ipc_perm sem_perm;
	int64_t sem_otime;
	uint64_t unused1;
	int64_t sem_ctime;
	uint64_t unused2;
	uint64_t sem_nsems;
	uint64_t unused3[2];
};

_Static_assert(sizeof(struct linux_semid_ds) == 104, "struct semid64_ds");

struct linux_seminfo {
	int32_t semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx,
		semaem;
};

/* Shared memory. */
#define SHM_LOCK      11
#define SHM_UNLOCK    12
#define SHM_STAT      13
#define SHM_INFO      14
#define SHM_STAT_ANY  15
#define SHM_R	      0400
#define SHM_W	      0200
#define SHM_HUGETLB   04000
#define SHM_NORESERVE 010000
#define SHM_RDONLY    010000
#define SHM_RND	      020000
#define SHM_REMAP     040000
#define SHM_EXEC      0100000
#define SHM_DEST      01000
#define SHM_LOCKED    02000

struct linux_shmid_ds { /* shmid64_ds */
	struct linux_ipc_perm shm_perm;
	uint64_t shm_segsz;
	int64_t shm_atime;
	int64_t shm_dtime;
	int64_t shm_ctime;
	int32_t shm_cpid;
	int32_t shm_lpid;
	uint64_t shm_nattch;
	uint64_t unused[2];
};

_Static_assert(sizeof(struct linux_shmid_ds) == 112, "struct shmid64_ds");

struct linux_shminfo { /* shminfo64 */
	uint64_t shmmax, shmmin, shmmni, shmseg, shmall;
	uint64_t unused[4];
};

struct linux_shm_info {
	int32_t used_ids;
	uint64_t shm_tot;
	uint64_t shm_rss;
	uint64_t shm_swp;
	uint64_t swap_attempts;
	uint64_t swap_successes;
};

/* Message queues. */
#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13
#define MSG_NOERROR  010000
#define MSG_EXCEPT   020000
#define MSG_COPY     040000
#define MSGMNI	     32000
#define MSGMAX	     8192
#define MSGMNB	     16384

struct linux_msqid_ds { /* msqid64_ds */
	struct linux_ipc_perm msg_perm;
	int64_t msg_stime;
	int64_t msg_rtime;
	int64_t msg_ctime;
	uint64_t msg_cbytes;
	uint64_t msg_qnum;
	uint64_t msg_qbytes;
	int32_t msg_lspid;
	int32_t msg_lrpid;
	uint64_t unused[2];
};

_Static_assert(sizeof(struct linux_msqid_ds) == 120, "struct msqid64_ds");

struct linux_msginfo {
	int32_t msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	uint16_t msgseg;
};

/* POSIX message queues. */
struct linux_mq_attr {
	int64_t mq_flags;
	int64_t mq_maxmsg;
	int64_t mq_msgsize;
	int64_t mq_curmsgs;
	int64_t reserved[4];
};

_Static_assert(sizeof(struct linux_mq_attr) == 64, "struct mq_attr");
