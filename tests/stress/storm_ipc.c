/* SPDX-License-Identifier: MIT */
/*
 * storm_ipc.c - eight processes take tokens out of a message queue, a pipe and a counter
 * and put them back, while some of them are killed at any moment. There are fewer tokens
 * than processes, so that most of them wait; a wake-up that is lost is a hang, which ends
 * the test. A token that a killed process had goes back; one that has vanished must have
 * been on its way to or from a process that was killed.
 */
#include "storm.h"

#include <mqueue.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>

enum kind { QUEUE, PIPE, COUNTER, KINDS };
enum phase { IDLE, TAKING, HOLDING, PUTTING };
enum { PROCESSES = 8, TOKENS = 5, STUCK = 60 };

static const char *const names[KINDS] = {"queue", "pipe", "counter"};

struct token {
	uint32_t id;
	uint32_t check;
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
} * board;

static int ends[2], counter;
static mqd_t queue;
static pid_t pids[PROCESSES];
static long kills, unclear[KINDS], put_back[KINDS];

static uint32_t check_of(uint32_t id)
{
	return id * 2654435761U ^ 0x5a5a5a5a;
}

/* ---- tokens ---- */

static uint32_t token_take(enum kind k)
{
	struct token t = {0, check_of(0)};
	uint64_t one = 0;

	if (k == QUEUE)
		MUST(mq_receive(queue, (char *)&t, sizeof(t), NULL) == sizeof(t));
	else if (k == PIPE)
		MUST(read(ends[0], &t, sizeof(t)) == sizeof(t));
	else
		MUST(read(counter, &one, sizeof(one)) == sizeof(one) && one == 1);
	MUST(t.id < TOKENS && t.check == check_of(t.id));
	return t.id;
}

static void token_put(enum kind k, uint32_t id)
{
	struct token t = {id, check_of(id)};
	uint64_t one = 1;

	if (k == QUEUE)
		MUST(mq_send(queue, (char *)&t, sizeof(t), 0) == 0);
	else if (k == PIPE)
		MUST(write(ends[1], &t, sizeof(t)) == sizeof(t));
	else
		MUST(write(counter, &one, sizeof(one)) == sizeof(one));
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
	while (!is_over()) {
		enum kind k = (enum kind)(rand_r(&seed) % KINDS);

		s->kind = k;
		now_at(s, TAKING);
		s->token = token_take(k);
		now_at(s, HOLDING);
		if (k != COUNTER)
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
	if (s->phase == HOLDING) {
		token_put((enum kind)s->kind, s->token);
	} else if (s->phase != IDLE) {
		unclear[s->kind]++;
		if (s->kind == COUNTER) /* one too many does no harm */
			token_put(COUNTER, 0);
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

static void watch(void)
{
	long last = -1;
	double moved = seconds();
	unsigned seed = 7;

	while (!is_over()) {
		long sum = board->done[QUEUE] + board->done[PIPE] + board->done[COUNTER];

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
		look_for_lost(QUEUE);
		look_for_lost(PIPE);
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
			look_for_lost(QUEUE);
			look_for_lost(PIPE);
			MUST(poll(NULL, 0, 1) == 0);
		}
		MUST(status == 0);
	}
}

/* Each token is there, but for those that explain themselves. */
static void count(enum kind k)
{
	long there = 0;

	if (k == COUNTER)
		MUST(fcntl(counter, F_SETFL, O_NONBLOCK) == 0);
	for (;;) {
		struct pollfd p = {k == QUEUE  ? queue
				   : k == PIPE ? ends[0]
					       : counter,
				   POLLIN, 0};

		if (poll(&p, 1, 0) == 0)
			break;
		(void)token_take(k);
		there++;
	}
	if (there < TOKENS - unclear[k] || there > TOKENS + unclear[k]) {
		fprintf(stderr, "%s: %ld tokens of %d, %ld unclear\n", names[k], there,
			TOKENS, unclear[k]);
		_exit(1);
	}
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
	printf("ok: %ld operations, %ld kills, %ld unclear, %ld put back\n", board->limit,
	       kills, unclear[QUEUE] + unclear[PIPE] + unclear[COUNTER],
	       put_back[QUEUE] + put_back[PIPE]);
	return 0;
}
