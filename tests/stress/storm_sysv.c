/* SPDX-License-Identifier: MIT */
/* storm_sysv.c - processes use System V semaphores, queues and segments at random while
 * they are killed at random and replaced.
 *
 * At the end each semaphore has the value that it had, all messages that were sent have
 * come once and in order, but for those that a killed process held in its hands, nobody
 * waits any more, and removed segments are gone. */
/* timeout: 300 */
#include "storm.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum {
	WORKERS = 8,
	SEMS = 5, /* the first is a lock, the others have several units */
	UNITS = 3,
	TYPES = 3,
	POISON = TYPES + 1,
	POOL = 6,     /* segments that come and go */
	SLOTS = 4096, /* processes that there may be in all */
	END_SECONDS = 60,
};

struct note {
	long type;
	uint32_t slot, number;
	char fill[200];
};

/* Of one process, which has one place for its whole life. */
struct slot {
	_Atomic uint32_t sending, sent; /* the number of its last message */
	_Atomic uint32_t receiving;	/* 1: one may be in its hands */
	_Atomic uint32_t counted;	/* messages that it has received */
};

static struct shared {
	_Atomic int stop;
	_Atomic uint32_t received[SLOTS]; /* of each sender: from whom it came */
	_Atomic int pool[POOL];
	_Atomic int doomed; /* a set that is removed now and then */
	struct slot slot[SLOTS];
} * shared;

static struct common { /* in a segment */
	volatile pid_t inside;
	volatile long count;
} * common;

static int set, queue, segment;
static uint32_t seen[SLOTS][TYPES]; /* own: the last number from each sender */
static uint32_t self;
static unsigned seed;

static unsigned any(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void operate(int id, struct sembuf *ops, size_t count)
{
	int ret;

	do
		ret = semop(id, ops, count);
	while (ret < 0 && errno == EINTR);
	MUST(ret == 0 || errno == EAGAIN);
	if (ret < 0)
		ops[0].sem_num = USHRT_MAX;
}

/* One unit or several, all or none, held for a moment. */
static void use_units(void)
{
	struct sembuf take[3], give[3];
	size_t count = 1 + any(3);
	short flags = (short)(SEM_UNDO | (any(3) ? 0 : IPC_NOWAIT));

	for (size_t i = 0; i < count; i++) {
		unsigned short num = (unsigned short)(1 + any(SEMS - 1));
		short units = (short)(1 + any(2));

		if (i) /* upwards, so that nobody waits in a circle */
			num = (unsigned short)(take[i - 1].sem_num % (SEMS - 1) + 1);
		take[i] = (struct sembuf){num, (short)-units, flags};
		give[i] = (struct sembuf){num, units, SEM_UNDO};
	}
	operate(set, take, count);
	if (take[0].sem_num == USHRT_MAX)
		return;
	if (!any(4))
		sched_yield();
	operate(set, give, count);
}

static void use_lock(void)
{
	struct sembuf take = {0, -1, SEM_UNDO};
	struct sembuf give = {0, 1, SEM_UNDO};

	operate(set, &take, 1);
	common->inside = getpid();
	common->count++;
	for (int i = (int)any(50); i > 0; i--)
		MUST(common->inside == getpid());
	operate(set, &give, 1);
}

static void send(void)
{
	struct slot *own = &shared->slot[self];
	struct note n = {.type = 1 + (long)any(TYPES), .slot = self};
	size_t size = sizeof(n) - sizeof(n.type) - any(sizeof(n.fill));

	n.number = own->sent + 1;
	own->sending = n.number;
	if (msgsnd(queue, &n, size, any(2) ? IPC_NOWAIT : 0) == 0)
		own->sent = n.number;
	else
		MUST(errno == EAGAIN || errno == EINTR);
	own->sending = own->sent;
}

static void count(const struct note *n)
{
	if (n->type > TYPES)
		return;
	MUST(n->slot < SLOTS && n->number > seen[n->slot][n->type - 1]);
	seen[n->slot][n->type - 1] = n->number;
	(void)atomic_fetch_add(&shared->received[n->slot], 1);
}

static bool receive(long type, int flags)
{
	struct slot *own = &shared->slot[self];
	struct note n;
	ssize_t len;

	own->receiving = 1;
	len = msgrcv(queue, &n, sizeof(n) - sizeof(n.type), type, flags);
	if (len >= 0)
		count(&n);
	else
		MUST(errno == ENOMSG || errno == EINTR);
	own->receiving = 0;
	return len >= 0;
}

static void receive_any(void)
{
	if (!any(8))
		(void)receive(0, 0); /* whatever: poison too */
	else
		(void)receive(any(2) ? -(long)TYPES : 1 + (long)any(TYPES), IPC_NOWAIT);
}

static void use_segment(void)
{
	int id = shared->pool[any(POOL)];
	volatile char *p = shmat(id, NULL, any(2) ? 0 : SHM_RDONLY);

	if (p == (void *)-1) {
		MUST(errno == EINVAL || errno == EIDRM);
		return;
	}
	(void)p[any(8192)];
	if (any(2))
		MUST(shmdt((const void *)p) == 0);
	else
		MUST(munmap((void *)p, 4096) == 0 && shmdt((const void *)p) == 0);
}

static void wait_for_doom(void)
{
	struct sembuf op = {0, (short)(any(2) ? -1 : 1), (short)(any(2) ? SEM_UNDO : 0)};

	if (semop(shared->doomed, &op, 1) < 0)
		MUST(errno == EIDRM || errno == EINVAL || errno == EINTR ||
		     errno == ERANGE);
}

static _Noreturn void work(void)
{
	while (!shared->stop) {
		switch (any(8)) {
		case 0:
		case 1:
			use_units();
			break;
		case 2:
			use_lock();
			break;
		case 3:
		case 4:
			send();
			break;
		case 5:
			receive_any();
			break;
		case 6:
			if (any(4))
				receive_any();
			else
				wait_for_doom();
			break;
		default:
			use_segment();
			break;
		}
	}
	_exit(0);
}

/* ---- the one that kills ---- */

static uint32_t next_slot;

static pid_t start(void)
{
	pid_t pid;

	MUST(next_slot < SLOTS - 1);
	self = ++next_slot;
	seed = seed * 7 + self;
	pid = fork();
	MUST(pid >= 0);
	if (!pid)
		work();
	return pid;
}

static void renew_segment(unsigned i)
{
	int old = shared->pool[i];
	int id = shmget(IPC_PRIVATE, 8192, 0600);

	MUST(id >= 0);
	shared->pool[i] = id;
	if (old >= 0)
		MUST(shmctl(old, IPC_RMID, NULL) == 0);
}

static void renew_doomed(void)
{
	int old = shared->doomed;
	int id = semget(IPC_PRIVATE, 1, 0600);

	MUST(id >= 0);
	shared->doomed = id;
	if (old >= 0)
		MUST(semctl(old, 0, IPC_RMID) == 0);
}

static void pause_us(long us)
{
	struct timespec t = {0, us * 1000};

	nanosleep(&t, NULL);
}

/* Ends all, and takes what is left in the queue. */
static void finish(pid_t *pid)
{
	double end = seconds() + END_SECONDS;
	struct note poison = {.type = POISON};
	int left = WORKERS;

	self = 0;
	shared->stop = 1;
	while (left) {
		MUST(seconds() < end); /* somebody waits for ever */
		renew_doomed();
		while (receive(0, IPC_NOWAIT))
			;
		(void)msgsnd(queue, &poison, 1, IPC_NOWAIT);
		pause_us(500);
		for (int i = 0; i < WORKERS; i++) {
			int status;

			if (pid[i] && waitpid(pid[i], &status, WNOHANG) == pid[i]) {
				MUST(status == 0);
				left--;
				pid[i] = 0;
			}
		}
	}
	while (receive(0, IPC_NOWAIT))
		;
}

/* One that was killed may have sent its last message or not, and may have had one in its
 * hands. */
static void check_messages(void)
{
	long sure = 0, maybe = 0, held = 0, came = 0;

	for (uint32_t i = 0; i <= next_slot; i++) {
		struct slot *s = &shared->slot[i];

		sure += s->sent;
		maybe += s->sending - s->sent;
		held += s->receiving;
		came += shared->received[i];
	}
	MUST(came >= sure - held && came <= sure + maybe);
}

static void check_rest(void)
{
	struct shmid_ds ds;
	unsigned short values[SEMS];

	MUST(semctl(set, 0, GETALL, values) == 0);
	for (int i = 0; i < SEMS; i++) {
		MUST(values[i] == (i ? UNITS : 1));
		MUST(semctl(set, i, GETNCNT) == 0 && semctl(set, i, GETZCNT) == 0);
	}
	MUST(shmctl(segment, IPC_STAT, &ds) == 0 && ds.shm_nattch == 2);
	for (int i = 0; i < POOL; i++) {
		MUST(shmctl(shared->pool[i], IPC_STAT, &ds) == 0 && ds.shm_nattch == 0);
		MUST(shmctl(shared->pool[i], IPC_RMID, NULL) == 0);
	}
}

static void remove_all(void)
{
	(void)semctl(set, 0, IPC_RMID);
	(void)semctl(shared->doomed, 0, IPC_RMID);
	(void)msgctl(queue, IPC_RMID, NULL);
	(void)shmctl(segment, IPC_RMID, NULL);
}

static void set_up(void)
{
	unsigned short values[SEMS] = {1, UNITS, UNITS, UNITS, UNITS};

	shared = share(sizeof(*shared));
	set = semget(IPC_PRIVATE, SEMS, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	segment = shmget(IPC_PRIVATE, sizeof(*common), 0600);
	MUST(set >= 0 && queue >= 0 && segment >= 0);
	MUST(semctl(set, 0, SETALL, values) == 0);
	common = shmat(segment, NULL, 0);
	MUST(common != (void *)-1);
	shared->doomed = -1;
	renew_doomed();
	for (unsigned i = 0; i < POOL; i++) {
		shared->pool[i] = -1;
		renew_segment(i);
	}
}

/* In a child, so that what it has is removed also when it fails. */
static void storm(long n)
{
	pid_t pid[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		pid[i] = start();
	while (n--) {
		unsigned i = any(WORKERS);

		pause_us((long)any(3000));
		MUST(kill(pid[i], SIGKILL) == 0);
		MUST(wait_status(pid[i]) == SIGKILL);
		pid[i] = start();
		renew_segment(any(POOL));
		if (!any(4))
			renew_doomed();
	}
	pause_us(2000);
	finish(pid);
	check_messages();
	check_rest();
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 300);
	pid_t pid;
	int status;

	MUST(n < SLOTS - WORKERS - 1);
	seed = (unsigned)getpid();
	set_up();
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		storm(n);
		_exit(0);
	}
	status = wait_status(pid);
	remove_all();
	if (!status)
		printf("%ld killed, %ld times in the lock\n", n, common->count);
	return status != 0;
}
