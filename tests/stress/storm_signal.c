/* SPDX-License-Identifier: MIT */
/*
 * storm_signal.c - processes send each other real-time signals with values, in a ring.
 * Each receiver handles them asynchronously while it computes; none may be lost, doubled
 * or out of order. Standard signals fly about at the same time.
 */
#include "storm.h"

enum { PROCESSES = 4, WINDOW = 64 };

struct board {
	volatile pid_t pid[PROCESSES];
	volatile long received[PROCESSES];
	volatile int wrong;
	volatile int done;
};

static struct board *board;
static int me;
static volatile sig_atomic_t noise;

static void on_value(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_value.sival_int != (int)board->received[me] ||
	    info->si_pid != board->pid[(me + PROCESSES - 1) % PROCESSES])
		board->wrong = 1;
	board->received[me]++;
}

static void on_noise(int sig)
{
	(void)sig;
	noise++;
}

static void run(long n)
{
	int next = (me + 1) % PROCESSES;
	volatile double x = 1;

	for (int i = 0; i < PROCESSES; i++)
		while (board->pid[i] == 0)
			sched_yield();
	for (long i = 0; i < n; i++) {
		double before = x;

		while (i - board->received[next] >= WINDOW)
			sched_yield();
		while (sigqueue(board->pid[next], SIGRTMIN + 1, (union sigval){(int)i}) !=
		       0)
			MUST(errno == EAGAIN);
		if (i % 8 == 0)
			MUST(kill(board->pid[next], SIGUSR1) == 0);
		x = x * 1.5 + 1;
		MUST(x == before * 1.5 + 1);
		if (x > 1e9)
			x = 1;
	}
	while (board->received[me] < n && !board->wrong)
		usleep(100);
	__sync_fetch_and_add(&board->done, 1);
	while (board->done < PROCESSES && !board->wrong)
		usleep(100); /* the neighbour may still send noise */
	_exit(board->wrong);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 40000);
	double start = seconds();
	struct sigaction sa = {.sa_sigaction = on_value,
			       .sa_flags = SA_SIGINFO | SA_RESTART};
	pid_t pid[PROCESSES];

	board = share(sizeof(*board));
	MUST(sigaction(SIGRTMIN + 1, &sa, NULL) == 0);
	sa = (struct sigaction){.sa_handler = on_noise, .sa_flags = SA_RESTART};
	MUST(sigaction(SIGUSR1, &sa, NULL) == 0);
	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		MUST(pid[i] >= 0);
		if (pid[i] == 0) {
			me = i;
			board->pid[i] = getpid();
			run(n);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		MUST(wait_status(pid[i]) == 0);
	for (int i = 0; i < PROCESSES; i++)
		MUST(board->received[i] == n);
	printf("ok: %ld signals in %.2f s\n", n * PROCESSES, seconds() - start);
	return 0;
}
