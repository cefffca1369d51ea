/* SPDX-License-Identifier: MIT */
/* pipe_fork.c - pipelines of forked stages; each adds one to every number it passes on.
 */
#include "storm.h"

enum { STAGES = 6, NUMBERS = 2000 };

static void read_all(int fd, void *buf, size_t size)
{
	for (size_t n = 0; n < size;) {
		ssize_t got = read(fd, (char *)buf + n, size - n);

		MUST(got > 0);
		n += (size_t)got;
	}
}

static void stage(int in, int out)
{
	int x;
	ssize_t got;

	while ((got = read(in, &x, sizeof(x))) == sizeof(x)) {
		x++;
		MUST(write(out, &x, sizeof(x)) == sizeof(x));
	}
	MUST(got == 0);
	_exit(0);
}

static void one_pipeline(void)
{
	pid_t pid[STAGES + 1];
	int first[2];
	int in;

	MUST(pipe(first) == 0);
	in = first[0];
	for (int i = 0; i < STAGES; i++) {
		int next[2];

		MUST(pipe(next) == 0);
		pid[i] = fork();
		MUST(pid[i] >= 0);
		if (pid[i] == 0) {
			close(first[1]);
			close(next[0]);
			stage(in, next[1]);
		}
		close(in);
		close(next[1]);
		in = next[0];
	}
	pid[STAGES] = fork();
	MUST(pid[STAGES] >= 0);
	if (pid[STAGES] == 0) {
		close(in);
		for (int x = 0; x < NUMBERS; x++)
			MUST(write(first[1], &x, sizeof(x)) == sizeof(x));
		_exit(0);
	}
	close(first[1]);
	for (int i = 0; i < NUMBERS; i++) {
		int x;

		read_all(in, &x, sizeof(x));
		MUST(x == i + STAGES);
	}
	MUST(read(in, &in, 1) == 0);
	close(in);
	for (int i = 0; i <= STAGES; i++)
		MUST(wait_status(pid[i]) == 0);
}

int main(int argc, char **argv)
{
	long n = rounds(argc, argv, 200);
	double start = seconds();

	for (long r = 0; r < n; r++)
		one_pipeline();
	printf("ok: %ld pipelines in %.2f s\n", n, seconds() - start);
	return 0;
}
