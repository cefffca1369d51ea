/* SPDX-License-Identifier: MIT */
/* storm_thread.c - threads come and go, lock, map memory and call, in several processes.
 */
#include "storm.h"
#include <sys/syscall.h>

enum { PROCESSES = 8, THREADS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;
static __thread long own;

static void *work(void *arg)
{
	long id = (long)arg;
	char *p;

	own = id;
	MUST(syscall(SYS_gettid) != getpid());
	for (int i = 0; i < 20; i++) {
		p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
		MUST(p != MAP_FAILED);
		memset(p, (int)id, 16384);
		pthread_mutex_lock(&lock);
		total++;
		pthread_mutex_unlock(&lock);
		MUST(p[16383] == (char)id && own == id);
		MUST(munmap(p, 16384) == 0);
	}
	if (id & 1)
		pthread_exit((void *)id);
	return (void *)id;
}

static long n;

static void run(int process)
{
	(void)process;
	for (long r = 0; r < n; r++) {
		pthread_t t[THREADS];

		for (long i = 0; i < THREADS; i++)
			MUST(pthread_create(&t[i], NULL, work, (void *)i) == 0);
		for (long i = 0; i < THREADS; i++) {
			void *result;

			MUST(pthread_join(t[i], &result) == 0 && result == (void *)i);
		}
	}
	MUST(total == n * THREADS * 20);
}

int main(int argc, char **argv)
{
	double start = seconds();

	n = rounds(argc, argv, 350);
	in_processes(PROCESSES, run);
	printf("ok: %ld threads in %.2f s\n", n * THREADS * PROCESSES, seconds() - start);
	return 0;
}
