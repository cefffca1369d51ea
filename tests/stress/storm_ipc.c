/* SPDX-License-Identifier: MIT */
/*
 * storm_ipc.c - eight processes take tokens out of message queues, pipes, a counter and
 * semaphores and put them back, while some of them are killed at any moment. There are
 * fewer tokens than processes, so that most of them wait; a wake-up that is lost is a
 * hang, which ends the test. A token that a killed process had goes back; one that has
 * vanished must have been on its way to or from a process that was killed. Units of a
 * semaphore with SEM_UNDO are all there, whatever happens.
 */
#define _GNU_SOURCE
#include "storm.h"

#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

enum kind { QUEUE, PIPE, COUNTER, MESSAGES, SPLICE, POSTS, UNDO, KINDS };
enum phase { IDLE, TAKING, HOLDING, PUTTING };
enum { PROCESSES = 8, TOKENS = 5, STUCK = 60 };

static const char *const names[KINDS] = {"queue",  "pipe",  "counter", "messages",
					 "splice", "posts", "undo"};

struct token {
	uint32_t id;
	uint32_t check;
};

struct message {
	long type;
	struct token token;
};

struct seat { /* what a process is about */
	int phase;
	int kind;
	uint32_t token;
};

static struct board {
	struct seat seats[PROCESSES];
	double seen[KINDS][TOKENS]; /* when each token was held last */
	long done[KINDS];
	long limit;
	sem_t posts;
} * board;

static int ends[2], far[2], own[2], counter, messages, units;
static mqd_t queue;
static pid_t pids[PROCESSES];
static long kills, unclear[KINDS], put_back[KINDS];

static uint32_t check_of(uint32_t id)
{
	return id * 2654435761U ^ 0x5a5a5a5a;
}

/* ---- tokens ---- */

/* Of the others all tokens are the same. */
static bool has_ids(enum kind k)
{
	return k == QUEUE || k == PIPE || k == MESSAGES || k == SPLICE;
}

static void unit(short op)
{
	struct sembuf b = {0, op, SEM_UNDO};

	MUST(semop(units, &b, 1) == 0);
}

static void move(int from, int to)
{
	MUST(splice(from, NULL, to, NULL, sizeof(struct token), 0) ==
	     sizeof(struct token));
}

static uint32_t token_take(enum kind k)
{
	struct token t = {0, check_of(0)};
	struct message m;
	uint64_t one = 0;

	if (k == QUEUE) {
		MUST(mq_receive(queue, (char *)&t, sizeof(t), NULL) == sizeof(t));
	} else if (k == PIPE) {
		MUST(read(ends[0], &t, sizeof(t)) == sizeof(t));
	} else if (k == SPLICE) {
		move(far[0], own[1]);
		MUST(read(own[0], &t, sizeof(t)) == sizeof(t));
	} else if (k == MESSAGES) {
		MUST(msgrcv(messages, &m, sizeof(t), 0, 0) == sizeof(t));
		t = m.token;
	} else if (k == POSTS) {
		MUST(sem_wait(&board->posts) == 0);
	} else if (k == UNDO) {
		unit(-1);
	} else {
		MUST(read(counter, &one, sizeof(one)) == sizeof(one) && one == 1);
	}
	MUST(t.id < TOKENS && t.check == check_of(t.id));
	return t.id;
}

static void token_put(enum kind k, uint32_t id)
{
	struct token t = {id, check_of(id)};
	struct message m = {1 + (long)id, t};
	uint64_t one = 1;

	if (k == QUEUE) {
		MUST(mq_send(queue, (char *)&t, sizeof(t), 0) == 0);
	} else if (k == PIPE) {
		MUST(write(ends[1], &t, sizeof(t)) == sizeof(t));
	} else if (k == SPLICE) {
		MUST(write(own[1], &t, sizeof(t)) == sizeof(t));
		move(own[0], far[1]);
	} else if (k == MESSAGES) {
		MUST(msgsnd(messages, &m, sizeof(t), 0) == 0);
	} else if (k == POSTS) {
		MUST(sem_post(&board->posts) == 0);
	} else if (k == UNDO) {
		unit(1);
	} else {
		MUST(write(counter, &one, sizeof(one)) == sizeof(one));
	}
}

static void now_at(struct seat *s, enum phase p)
{
	__atomic_store_n(&s->phase, p, __ATOMIC_SEQ_CST);
}

static bool is_over(void)
{
	long sum = 0;

	for (int k = 0; k < KINDS; k++)
		sum += __atomic_load_n(&board->done[k], __ATOMIC_RELAXED);
	return sum >= board->limit;
}

static _Noreturn void work(struct seat *s, unsigned seed)
{
	MUST(close(own[0]) == 0 && close(own[1]) == 0 && pipe(own) == 0);
	while (!is_over()) {
		enum kind k = (enum kind)(rand_r(&seed) % KINDS);

		s->kind = k;
		now_at(s, TAKING);
		s->token = token_take(k);
		now_at(s, HOLDING);
		if (has_ids(k))
			board->seen[k][s->token] = seconds();
		__atomic_fetch_add(&board->done[k], 1, __ATOMIC_RELAXED);
		if (rand_r(&seed) % 64 == 0)
			sched_yield();
		now_at(s, PUTTING);
		token_put(k, s->token);
		now_at(s, IDLE);
	}
	_exit(0);
}

static void start(int i)
{
	static unsigned seed = 1;

	board->seats[i].phase = IDLE;
	seed++;
	pids[i] = fork();
	MUST(pids[i] >= 0);
	if (pids[i] == 0)
		work(&board->seats[i], seed);
}

/* ---- the killer ---- */

static void kill_one(int i)
{
	struct seat *s = &board->seats[i];
	int status;

	MUST(kill(pids[i], SIGKILL) == 0);
	status = wait_status(pids[i]);
	MUST(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	kills++;
	if (s->kind == UNDO) {
		; /* the kernel has put it back, if it had any */
	} else if (s->phase == HOLDING) {
		token_put((enum kind)s->kind, s->token);
	} else if (s->phase != IDLE) {
		unclear[s->kind]++;
		if (!has_ids((enum kind)s->kind)) /* one too many does no harm */
			token_put((enum kind)s->kind, 0);
	}
	start(i);
}

static bool is_held(enum kind k, uint32_t id)
{
	for (int i = 0; i < PROCESSES; i++) {
		const struct seat *s = &board->seats[i];
		int phase = __atomic_load_n(&s->phase, __ATOMIC_SEQ_CST);

		if (s->kind == (int)k && (phase == HOLDING || phase == PUTTING) &&
		    s->token == id)
			return true;
	}
	return false;
}

/* Puts back what went with somebody. */
static void look_for_lost(enum kind k)
{
	double now = seconds();

	for (uint32_t id = 0; id < TOKENS; id++) {
		if (now - board->seen[k][id] < 1 || is_held(k, id) ||
		    put_back[k] >= unclear[k])
			continue;
		put_back[k]++;
		board->seen[k][id] = now;
		token_put(k, id);
	}
}

static void look_for_all(void)
{
	for (int k = 0; k < KINDS; k++)
		if (has_ids((enum kind)k))
			look_for_lost((enum kind)k);
}

static void watch(void)
{
	long last = -1;
	double moved = seconds();
	unsigned seed = 7;

	while (!is_over()) {
		long sum = 0;

		for (int k = 0; k < KINDS; k++)
			sum += board->done[k];
		if (sum != last)
			moved = seconds();
		last = sum;
		if (seconds() - moved > STUCK) {
			for (int i = 0; i < PROCESSES; i++)
				fprintf(stderr, "process %d: phase %d of %s\n", i,
					board->seats[i].phase,
					names[board->seats[i].kind]);
			MUST(!"somebody waits for ever");
		}
		kill_one(rand_r(&seed) % PROCESSES);
		look_for_all();
		MUST(poll(NULL, 0, 1) == 0);
	}
}

/* Those who wait still find a token, as whoever has one puts it back. */
static void end_all(void)
{
	for (int i = 0; i < PROCESSES; i++) {
		double from = seconds();
		int status;

		while (waitpid(pids[i], &status, WNOHANG) == 0) {
			MUST(seconds() - from < STUCK);
			look_for_all();
			MUST(poll(NULL, 0, 1) == 0);
		}
		MUST(status == 0);
	}
}

static bool is_empty(enum kind k)
{
	struct pollfd p = {k == QUEUE	 ? queue
			   : k == PIPE	 ? ends[0]
			   : k == SPLICE ? far[0]
					 : counter,
			   POLLIN, 0};
	struct msqid_ds ds;
	int value;

	if (k == MESSAGES)
		return msgctl(messages, IPC_STAT, &ds) == 0 && !ds.msg_qnum;
	if (k == UNDO)
		return semctl(units, 0, GETVAL) == 0;
	if (k == POSTS)
		return sem_getvalue(&board->posts, &value) == 0 && value == 0;
	return poll(&p, 1, 0) == 0;
}

/* Each token is there, but for those that explain themselves. */
static void count(enum kind k)
{
	long there = 0;

	for (; !is_empty(k); there++)
		(void)token_take(k);
	if (there < TOKENS - unclear[k] || there > TOKENS + unclear[k]) {
		fprintf(stderr, "%s: %ld tokens of %d, %ld unclear\n", names[k], there,
			TOKENS, unclear[k]);
		_exit(1);
	}
}

static long sum(const long *counts)
{
	long all = 0;

	for (int k = 0; k < KINDS; k++)
		all += counts[k];
	return all;
}

static void make_others(void)
{
	MUST(pipe(far) == 0 && pipe(own) == 0 && sem_init(&board->posts, 1, 0) == 0);
	messages = msgget(IPC_PRIVATE, 0600);
	units = semget(IPC_PRIVATE, 1, 0600);
	MUST(messages >= 0 && units >= 0);
	MUST(semctl(units, 0, SETVAL, 0) == 0);
}

int main(int argc, char **argv)
{
	struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = sizeof(struct token)};
	char name[64];

	board = share(sizeof(*board));
	board->limit = rounds(argc, argv, 200000);
	snprintf(name, sizeof(name), "/storm_ipc-%d", getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	MUST(queue >= 0 && mq_unlink(name) == 0 && pipe(ends) == 0);
	counter = eventfd(0, EFD_SEMAPHORE);
	MUST(counter >= 0);
	make_others();
	for (int k = 0; k < KINDS; k++)
		for (uint32_t id = 0; id < TOKENS; id++) {
			board->seen[k][id] = seconds();
			token_put((enum kind)k, id);
		}
	for (int i = 0; i < PROCESSES; i++)
		start(i);
	watch();
	end_all();
	for (int k = 0; k < KINDS; k++)
		count((enum kind)k);
	printf("ok: %ld operations, %ld kills, %ld unclear, %ld put back\n",
	       2 * board->limit, kills, sum(unclear), sum(put_back));
	MUST(semctl(units, 0, IPC_RMID) == 0 && msgctl(messages, IPC_RMID, NULL) == 0);
	return 0;
}
