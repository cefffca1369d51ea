/* SPDX-License-Identifier: MIT */
/* sysv.h - what tests of System V IPC need: objects that are gone when the test ends,
 * also when it fails, for natively they are the machine's. */
#pragma once
#include "asleep.h"
#include "fixture.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

union semun {
	int val;
	void *buf;
	unsigned short *array;
	struct seminfo *info;
};

/* What is to be removed at the end: ids, by kind. */
enum { KEEP_MAX = 256 };
static int kept_sems[KEEP_MAX], kept_queues[KEEP_MAX], kept_segments[KEEP_MAX];
static int sem_count, queue_count, segment_count;
static pid_t keeper;

HELPER void remove_all(void)
{
	if (getpid() != keeper)
		return;
	while (sem_count)
		(void)semctl(kept_sems[--sem_count], 0, IPC_RMID);
	while (queue_count)
		(void)msgctl(kept_queues[--queue_count], IPC_RMID, NULL);
	while (segment_count)
		(void)shmctl(kept_segments[--segment_count], IPC_RMID, NULL);
}

HELPER int keep(int id, int *kept, int *count)
{
	CHECK(id >= 0);
	if (!keeper) {
		keeper = getpid();
		CHECK(atexit(remove_all) == 0);
	}
	if (getpid() == keeper && *count < KEEP_MAX)
		kept[(*count)++] = id;
	return id;
}

HELPER int made_set(int count)
{
	return keep(semget(IPC_PRIVATE, count, 0600), kept_sems, &sem_count);
}

HELPER int made_queue(void)
{
	return keep(msgget(IPC_PRIVATE, 0600), kept_queues, &queue_count);
}

HELPER int made_segment(size_t size)
{
	return keep(shmget(IPC_PRIVATE, size, 0600), kept_segments, &segment_count);
}

/* A key of this process's own. */
HELPER key_t own_key(int n)
{
	return (key_t)(0x5a000000 ^ (getpid() << 4) ^ n);
}

HELPER int sem_set(int id, int num, int value)
{
	return semctl(id, num, SETVAL, (union semun){.val = value});
}

HELPER int sem_get(int id, int num)
{
	return semctl(id, num, GETVAL);
}

HELPER int sem_do(int id, int num, int op, int flags)
{
	struct sembuf b = {(unsigned short)num, (short)op, (short)flags};

	return semop(id, &b, 1);
}

/* Until so many wait for it: -1 after 10 seconds. */
HELPER int sem_await(int id, int num, int cmd, int count)
{
	for (int i = 0; i < 10000; i++) {
		if (semctl(id, num, cmd) == count)
			return 0;
		sleep_ms(1);
	}
	return -1;
}

/* One line of /proc/sysvipc/NAME: that of the id in its second column. */
HELPER const char *ipc_line(const char *name, int id)
{
	static char line[512];
	FILE *f = fopen(name, "re");
	int key, found;

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%d %d", &key, &found) == 2 && found == id) {
			CHECK(fclose(f) == 0);
			return line;
		}
	CHECK(fclose(f) == 0);
	return NULL;
}
