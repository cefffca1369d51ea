/* SPDX-License-Identifier: MIT */
/* storm_seccomp.c - processes whose calls others answer, or not, until any of them are
 * killed.
 *
 * Answers are numbers, descriptors of a pipe, "go on" and silence; signals come in
 * between. In the end nobody may hold the pipe any more. */
/* timeout: 300 */
#include "storm.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

enum { CALLERS = 3, THREADS = 2, LISTENERS = 3, PEOPLE = CALLERS + LISTENERS };
enum { NUMBER = 1000000 };

static long *calls; /* shared: answered calls */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static int listen_to_getppid(uint32_t flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, insns};
	long fd;

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
	MUST(fd >= 0);
	return (int)fd;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *call_on(void *arg)
{
	(void)arg;
	for (;;) {
		long ret = syscall(SYS_getppid, NUMBER);

		if (ret == -1) {
			MUST(errno == EINTR || errno == ENOSYS || errno == EMFILE);
			continue;
		}
		/* 0: Linux says so when who sends a descriptor as the answer is
		 * killed in between */
		MUST(ret >= 0);
		__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
		if (ret > 2 && ret < 1000)
			close((int)ret); /* a descriptor, or no harm */
	}
	return NULL;
}

static void caller(void)
{
	pthread_t thread;

	for (int i = 1; i < THREADS; i++)
		MUST(pthread_create(&thread, NULL, call_on, NULL) == 0);
	call_on(NULL);
}

static void listener(int fd, int end, uint32_t seed)
{
	for (;;) {
		struct seccomp_notif n = {0};
		struct seccomp_notif_resp r = {.val = NUMBER + 1};
		struct seccomp_notif_addfd a = {.srcfd = (uint32_t)end};

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n)) {
			MUST(errno == ENOENT || errno == EINTR);
			continue;
		}
		r.id = a.id = n.id;
		switch (next(&seed) % 8) {
		case 0: /* silence: until a signal comes */
			continue;
		case 1:
			r.val = 0;
			r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			break;
		case 2:
		case 3:
			a.flags = SECCOMP_ADDFD_FLAG_SEND;
			(void)!ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
			continue;
		case 4:
			a.flags = SECCOMP_ADDFD_FLAG_SETFD;
			a.newfd = 100 + next(&seed) % 3;
			(void)!ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
			break;
		default:
			break;
		}
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r))
			MUST(errno == ENOENT || errno == EINPROGRESS);
	}
}

/* All of it, in a process of its own, since it cannot be without the filter again. */
static void round_of(uint32_t seed)
{
	struct sigaction sa = {.sa_handler = on_signal,
			       .sa_flags = next(&seed) % 2 ? SA_RESTART : 0};
	pid_t people[PEOPLE];
	int ends[2];
	char c;
	int fd;

	MUST(pipe(ends) == 0 && sigaction(SIGUSR1, &sa, NULL) == 0);
	fd = listen_to_getppid(
		next(&seed) % 2 ? 1U << 5 /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
				: 0);
	for (int i = 0; i < PEOPLE; i++) {
		people[i] = fork();
		MUST(people[i] >= 0);
		if (people[i])
			continue;
		close(ends[0]);
		if (i >= CALLERS)
			listener(fd, ends[1], seed + (uint32_t)i);
		close(fd);
		close(ends[1]);
		caller();
	}
	close(ends[1]);
	if (next(&seed) % 2)
		close(fd);
	for (int i = 0; i < 20; i++) {
		struct timespec t = {0, 300000};

		nanosleep(&t, NULL);
		kill(people[next(&seed) % CALLERS], SIGUSR1);
	}
	/* one by one, in any order */
	for (uint32_t i = 0, at = next(&seed); i < PEOPLE; i++) {
		MUST(kill(people[(at + i) % PEOPLE], SIGKILL) == 0);
		if (next(&seed) % 2)
			sched_yield();
	}
	for (int i = 0; i < PEOPLE; i++)
		MUST(wait_status(people[i]) == SIGKILL);
	MUST(read(ends[0], &c, 1) == 0);
}

int main(int argc, char **argv)
{
	const char *factor = getenv("STRESS");
	long n = rounds(argc, argv, 40) * (factor ? atol(factor) : 1);
	double start = seconds();

	calls = share(sizeof(*calls));
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		MUST(pid >= 0);
		if (pid == 0) {
			round_of((uint32_t)i * 7919 + 1);
			_exit(0);
		}
		MUST(wait_status(pid) == 0);
	}
	MUST(*calls > 0);
	printf("%ld rounds, %ld calls answered, %.1f s\n", n, *calls, seconds() - start);
	return 0;
}
