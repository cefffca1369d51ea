/* SPDX-License-Identifier: MIT */
/*
 * mixed.c - all at once: processes whose threads fork, vfork and exec, signal each other,
 * map memory, sleep, write pipes and are killed from outside at any moment.
 */
#include "storm.h"
#include <poll.h>
#include <sys/syscall.h>

enum { WORKERS = 4, THREADS = 4 };

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void fork_and_wait(unsigned int *seed)
{
	int code = rand_r(seed) & 63;
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0)
		_exit(code);
	MUST(wait_status(pid) == code << 8);
}

static void vfork_and_exec(unsigned int *seed)
{
	static char *args[] = {"mixed", "exit", NULL};
	static char *env[] = {NULL};
	pid_t pid = vfork();

	(void)seed;
	if (pid == 0) {
		execve("/proc/self/exe", args, env);
		_exit(127);
	}
	MUST(pid > 0 && wait_status(pid) == 9 << 8);
}

static void kill_a_child(unsigned int *seed)
{
	static const int sigs[] = {SIGKILL, SIGTERM, SIGALRM};
	int sig = sigs[rand_r(seed) % 3];
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		signal(sig, SIG_DFL);
		for (;;)
			syscall(SYS_getppid);
	}
	if (rand_r(seed) & 1)
		usleep(200);
	MUST(kill(pid, sig) == 0);
	MUST(wait_status(pid) == sig);
}

static void stop_a_child(unsigned int *seed)
{
	int status;
	pid_t pid = fork();

	(void)seed;
	MUST(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	MUST(kill(pid, SIGSTOP) == 0);
	while (waitpid(pid, &status, WUNTRACED) == -1)
		MUST(errno == EINTR);
	MUST(WIFSTOPPED(status));
	MUST(kill(pid, SIGCONT) == 0 && kill(pid, SIGKILL) == 0);
	MUST(wait_status(pid) == SIGKILL);
}

static void map_and_copy(unsigned int *seed)
{
	size_t size = 4096u << (rand_r(seed) & 7);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	pid_t pid;

	MUST(p != MAP_FAILED);
	memset(p, 7, size);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		_exit(p[size - 1]);
	memset(p, 8, size);
	MUST(munmap(p, size) == 0);
	MUST(wait_status(pid) == 7 << 8);
}

static void through_a_pipe(unsigned int *seed)
{
	struct pollfd pfd;
	int p[2];
	char c = 0;
	pid_t pid;
	ssize_t n;

	(void)seed;
	MUST(pipe2(p, O_CLOEXEC) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0)
		_exit(write(p[1], "p", 1) != 1);
	pfd = (struct pollfd){.fd = p[0], .events = POLLIN};
	while (poll(&pfd, 1, -1) == -1)
		MUST(errno == EINTR);
	do
		n = read(p[0], &c, 1);
	while (n == -1 && errno == EINTR);
	MUST(n == 1 && c == 'p');
	close(p[0]);
	close(p[1]);
	MUST(wait_status(pid) == 0);
}

static void signal_the_process(unsigned int *seed)
{
	for (int i = rand_r(seed) & 15; i >= 0; i--)
		MUST(kill(getpid(), SIGUSR1) == 0);
	usleep(50);
}

static void (*const acts[])(unsigned int *) = {
	fork_and_wait, vfork_and_exec, kill_a_child,	   stop_a_child,
	map_and_copy,  through_a_pipe, signal_the_process,
};

static long n;
static int worker;

static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(worker * 100 + (long)arg);

	for (long i = 0; i < n; i++)
		acts[(size_t)rand_r(&seed) % (sizeof(acts) / sizeof(acts[0]))](&seed);
	return NULL;
}

static void run(int i)
{
	worker = i;
	in_threads(THREADS, work, 0);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};
	double start = seconds();

	if (argc == 2 && strcmp(argv[1], "exit") == 0)
		return 9;
	n = rounds(argc, argv, 500);
	MUST(sigaction(SIGUSR1, &sa, NULL) == 0);
	in_processes(WORKERS, run);
	printf("ok: %ld acts in %.2f s\n", n * WORKERS * THREADS, seconds() - start);
	return 0;
}
