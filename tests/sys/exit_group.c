/* SPDX-License-Identifier: MIT */
/* calls: exit exit_group */
/* exit_group.c - the end of a thread, and of all of them, from every place. */
#include "proc.h"
#include <linux/futex.h>

static int idle_pipe[2];

static void *in_pause(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *in_read(void *arg)
{
	char c;

	CHECK(read(idle_pipe[0], &c, 1) == 0);
	return arg;
}

static void *in_futex(void *arg)
{
	int word = 0;

	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return arg;
}

static void *in_sleep(void *arg)
{
	sleep_ms(1000000);
	return arg;
}

static void *in_loop(void *arg)
{
	for (;;)
		__asm__ volatile("pause");
	return arg;
}

static void *in_calls(void *arg)
{
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

static void *in_wait(void *arg)
{
	CHILD(pid)
	{
		char c;

		close(idle_pipe[1]); /* so that it ends after its parent */
		_exit((int)read(idle_pipe[0], &c, 1));
	}
	waitpid(pid, NULL, 0);
	return arg;
}

static void *in_vfork(void *arg)
{
	if (vfork() == 0) {
		struct timespec t = {0, 100000000};

		nanosleep(&t, NULL);
		_exit(0);
	}
	return arg;
}

static void *(*const places[])(void *) = {in_pause, in_read,  in_futex, in_sleep,
					  in_loop,  in_calls, in_wait,	in_vfork};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void start_everywhere(void)
{
	pthread_t t;

	CHECK(pipe(idle_pipe) == 0);
	for (int i = 0; i < PLACES; i++)
		thread_start(&t, places[i], NULL);
	sleep_ms(5);
}

static void codes_keep_eight_bits(void)
{
	static const int codes[] = {0, 1, 127, 255, 256, -1, 0x7fffff42};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		CHILD(group)
		{
			syscall(SYS_exit_group, codes[i]);
		}
		WAIT_EXIT(group, codes[i] & 255);
		CHILD(single)
		{
			syscall(SYS_exit, codes[i]);
		}
		WAIT_EXIT(single, codes[i] & 255);
	}
}

static void leader_ends_threads_everywhere(void)
{
	for (int round = 0; round < 3; round++) {
		CHILD(pid)
		{
			start_everywhere();
			syscall(SYS_exit_group, 51);
		}
		WAIT_EXIT(pid, 51);
	}
}

static void *exit_52(void *arg)
{
	syscall(SYS_exit_group, 52);
	return arg;
}

static void thread_ends_threads_everywhere(void)
{
	for (int round = 0; round < 3; round++) {
		CHILD(pid)
		{
			pthread_t t;

			start_everywhere();
			thread_start(&t, exit_52, NULL);
			in_pause(NULL);
		}
		WAIT_EXIT(pid, 52);
	}
}

static void a_fatal_signal_ends_threads_everywhere(void)
{
	static const int sigs[] = {SIGKILL, SIGTERM, SIGSEGV};

	for (int round = 0; round < 3; round++) {
		CHILD(pid)
		{
			start_everywhere();
			kill(getpid(), sigs[round]);
			in_pause(NULL);
		}
		WAIT_SIGNAL(pid, sigs[round]);
	}
}

static void returning_from_main_ends_all(void)
{
	CHILD(pid)
	{
		start_everywhere();
		exit(53);
	}
	WAIT_EXIT(pid, 53);
}

static void racing_exits_give_one_of_the_codes(void)
{
	for (int round = 0; round < 20; round++) {
		int status;

		CHILD(pid)
		{
			pthread_t t;

			for (int i = 0; i < 4; i++)
				thread_start(&t, exit_52, NULL);
			syscall(SYS_exit_group, 54);
		}
		status = wait_status(pid);
		CHECK(status == 52 << 8 || status == 54 << 8);
	}
}

static void *start_more(void *arg)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		pthread_t t;

		if (pthread_create(&t, &attr, in_calls, NULL) != 0)
			break;
		sched_yield();
	}
	return arg;
}

static void exit_races_with_new_threads(void)
{
	for (int round = 0; round < 10; round++) {
		CHILD(pid)
		{
			pthread_t t;

			thread_start(&t, start_more, NULL);
			sleep_ms(1);
			syscall(SYS_exit_group, 55);
		}
		WAIT_EXIT(pid, 55);
	}
}

static void *exit_only_self(void *arg)
{
	syscall(SYS_exit, 77);
	return arg;
}

static void exit_ends_only_one_thread(void)
{
	pthread_t t;

	thread_start(&t, exit_only_self, NULL);
	thread_join(t); /* CLEARTID told us */
	CHILD(pid)
	{
		thread_start(&t, exit_only_self, NULL);
		thread_join(t);
		_exit(56);
	}
	WAIT_EXIT(pid, 56);
}

static void *end_when_told(void *arg)
{
	char c;

	if (read(*(int *)arg, &c, 1) == 0)
		syscall(SYS_exit_group, 57);
	return NULL;
}

/* The first thread has ended. */
static bool has_leader_ended(void)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	return strstr(text, ") Z ");
}

static void *end_later(void *arg)
{
	while (!has_leader_ended())
		sleep_ms(1);
	syscall(SYS_exit, 9);
	return arg;
}

static void process_outlives_its_leader(void)
{
	int p[2];

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		pthread_t t;

		close(p[1]);
		thread_start(&t, end_when_told, &p[0]);
		syscall(SYS_exit, 1);
	}
	sleep_ms(10);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	CHECK(close(p[1]) == 0);
	WAIT_EXIT(pid, 57);
	CHECK(close(p[0]) == 0);
}

static void status_is_the_last_threads_when_all_exit_singly(void)
{
	CHILD(pid)
	{
		pthread_t t;

		thread_start(&t, end_later, NULL);
		thread_start(&t, end_later, NULL);
		syscall(SYS_exit, 58);
	}
	WAIT_EXIT(pid, 9); /* since Linux 5.17; the leader's 58 before */
}

static void a_process_without_leader_can_be_killed(void)
{
	CHILD(pid)
	{
		pthread_t t;

		thread_start(&t, in_pause, NULL);
		syscall(SYS_exit, 1);
	}
	sleep_ms(10);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	CHECK(kill(pid, SIGTERM) == 0);
	WAIT_SIGNAL(pid, SIGTERM);
}

static void atexit_text(void)
{
	CHECK(write(1, "# bye\n", 6) == 6);
}

static void library_exit_runs_handlers(void)
{
	char buf[16] = "";
	int p[2];

	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		dup2(p[1], 1);
		atexit(atexit_text);
		exit(59);
	}
	close(p[1]);
	WAIT_EXIT(pid, 59);
	CHECK(read(p[0], buf, sizeof(buf)) == 6 && !strcmp(buf, "# bye\n"));
	close(p[0]);
}

static void end_closes_descriptors_and_drops_locks(void)
{
	char name[64];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int p[2];
	int fd;
	char c;

	snprintf(name, sizeof(name), "exit-%d", getpid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && unlink(name) == 0);
	CHECK(pipe(p) == 0);
	CHILD(pid)
	{
		CHECK(fcntl(fd, F_SETLK, &lock) == 0);
		CHECK(write(p[1], "l", 1) == 1);
		in_pause(NULL);
	}
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1);
	FAILS(EAGAIN, fcntl(fd, F_SETLK, &lock));
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(read(p[0], &c, 1) == 0);
	WAIT_SIGNAL(pid, SIGKILL);
	CHECK(fcntl(fd, F_SETLK, &lock) == 0);
	close(fd);
	close(p[0]);
}

RUN(TEST(codes_keep_eight_bits), TEST(leader_ends_threads_everywhere),
    TEST(thread_ends_threads_everywhere), TEST(a_fatal_signal_ends_threads_everywhere),
    TEST(returning_from_main_ends_all), TEST(racing_exits_give_one_of_the_codes),
    TEST(exit_races_with_new_threads), TEST(exit_ends_only_one_thread),
    TEST(process_outlives_its_leader),
    TEST(status_is_the_last_threads_when_all_exit_singly),
    TEST(a_process_without_leader_can_be_killed), TEST(library_exit_runs_handlers),
    TEST(end_closes_descriptors_and_drops_locks))
