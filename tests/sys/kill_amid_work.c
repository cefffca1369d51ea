/* SPDX-License-Identifier: MIT */
/* calls: getrandom read write sendfile fallocate kill */
/* Who is killed amid a call that would go on for long, without a sleep, ends soon: it
 * does not first have all that it asked for. */
#include "fixture.h"

#include <sys/random.h>
#include <sys/sendfile.h>

#define HUGE_SIZE (1UL << 30)
#define RW	  (PROT_READ | PROT_WRITE)

/* What the child is about to fill: memory that it shares with its parent, or a file. */
static char *memory;
static int file, source;

static bool is_resident(const char *p)
{
	unsigned char in = 0;

	CHECK(mincore((void *)(uintptr_t)p, PAGE, &in) == 0);
	return in & 1;
}

/* Kills a child that runs fn once the first page of memory is there. True if it ended
 * before the last one was; tries again where the machine is so busy that the kill comes
 * too late. */
static bool ends_soon(void (*fn)(void))
{
	bool done = true;

	for (int i = 0; i < 10 && done; i++) {
		pid_t pid;

		file = memfd_create("memory", MFD_CLOEXEC);
		CHECK(file >= 0 && ftruncate(file, (off_t)HUGE_SIZE) == 0);
		memory = mmap(NULL, HUGE_SIZE, RW, MAP_SHARED, file, 0);
		CHECK(memory != MAP_FAILED);
		pid = child_start(fn);
		while (!is_resident(memory))
			sleep_ms(1);
		CHECK(kill(pid, SIGKILL) == 0);
		(void)child_wait(pid);
		done = is_resident(memory + HUGE_SIZE - PAGE);
		CHECK(munmap(memory, HUGE_SIZE) == 0 && close(file) == 0);
	}
	return !done;
}

static void ask_for_random_bytes(void)
{
	(void)!getrandom(memory, HUGE_SIZE, 0);
}

static void read_zeroes(void)
{
	int fd = open("/dev/zero", O_RDONLY);

	(void)!read(fd, memory, HUGE_SIZE);
}

static void read_source(void)
{
	(void)!read(source, memory, HUGE_SIZE);
}

static void write_memory(void)
{
	char *zeroes = mmap(NULL, HUGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)!write(file, zeroes, HUGE_SIZE);
}

static void send_source(void)
{
	(void)!sendfile(file, source, NULL, HUGE_SIZE);
}

static void random_bytes(void)
{
	CHECK(ends_soon(ask_for_random_bytes));
}

static void zeroes(void)
{
	CHECK(ends_soon(read_zeroes));
}

static void files_without_data(void)
{
	source = open("sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(source >= 0 && ftruncate(source, (off_t)HUGE_SIZE) == 0);
	CHECK(ends_soon(read_source));
	CHECK(ends_soon(send_source));
	CHECK(close(source) == 0 && unlink("sparse") == 0);
}

static void writing_to_memory(void)
{
	CHECK(ends_soon(write_memory));
}

static void allocate(void)
{
	*memory = 1;
	(void)!fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)HUGE_SIZE);
}

/* What it has got already cannot be seen meanwhile. */
static void allocating(void)
{
	bool done = true;

	memory = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (int i = 0; i < 10 && done; i++) {
		struct stat st;
		pid_t pid;

		*memory = 0;
		file = memfd_create("memory", MFD_CLOEXEC);
		CHECK(file >= 0);
		pid = child_start(allocate);
		while (!*(volatile char *)memory)
			sleep_ms(1);
		sleep_ms(2);
		CHECK(kill(pid, SIGKILL) == 0);
		(void)child_wait(pid);
		CHECK(fstat(file, &st) == 0 && close(file) == 0);
		done = st.st_blocks >= (blkcnt_t)(HUGE_SIZE / 512);
	}
	CHECK(!done && munmap(memory, PAGE) == 0);
}

/* A signal with a handler ends some of them as well, with what has been done. */
static void signals_cut_them_short(void)
{
	char *p = mmap(NULL, HUGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);
	struct interrupter in;
	ssize_t n;

	CHECK(p != MAP_FAILED);
	interrupt_start(&in, SA_RESTART, -1);
	n = getrandom(p, HUGE_SIZE, 0);
	CHECK(n > 0 && n < (ssize_t)HUGE_SIZE && n % (ssize_t)PAGE == 0);
	interrupt_stop(&in);
	CHECK(munmap(p, HUGE_SIZE) == 0);
}

RUN(TEST(random_bytes), TEST(zeroes), TEST(files_without_data), TEST(writing_to_memory),
    TEST(allocating), TEST(signals_cut_them_short))
