/* SPDX-License-Identifier: MIT */
/* files */
/* One file seen by several processes: through mappings and descriptors, by position and
 * at its end. */
/* calls: mmap write read ftruncate */
#include "fixture.h"

#include <sys/resource.h>
#include <sys/socket.h>

enum { WRITERS = 4, LINES = 300, LINE = 16 };

static int f, sk[2];
static char *map;

static void file_open(void)
{
	f = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(f >= 0);
}

/* ---- appending ---- */

static int writer;

static void append_lines(void)
{
	char line[LINE + 1];
	int fd = open("shared", O_WRONLY | O_APPEND);

	for (int i = 0; i < LINES; i++) {
		CHECK(snprintf(line, sizeof(line), "%03d %011d\n", writer, i) == LINE);
		CHECK(write(fd, line, LINE) == LINE);
		CHECK(lseek(fd, 0, SEEK_CUR) % LINE == 0);
	}
}

static void appending_loses_and_mixes_nothing(void)
{
	int next[WRITERS] = {0}, who, count;
	pid_t pids[WRITERS];
	char line[LINE + 1] = "";

	file_open();
	for (writer = 0; writer < WRITERS; writer++)
		pids[writer] = child_start(append_lines);
	for (int i = 0; i < WRITERS; i++)
		CHECK(child_wait(pids[i]) == 0);
	for (int i = 0; i < WRITERS * LINES; i++) {
		CHECK(read(f, line, LINE) == LINE);
		CHECK(sscanf(line, "%d %d\n", &who, &count) == 2);
		CHECK(who < WRITERS && next[who]++ == count);
	}
	CHECK(read(f, line, LINE) == 0 && close(f) == 0);
}

/* ---- positions ---- */

static void read_three(void)
{
	char b[3];

	CHECK(read(f, b, 3) == 3 && memcmp(b, "012", 3) == 0);
}

static void send_it(void)
{
	char b = 'x', space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = {&b, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	struct cmsghdr *c;
	int fd = open("shared", O_RDWR);

	CHECK(fd >= 0 && lseek(fd, 5, SEEK_SET) == 5);
	m.msg_control = space;
	m.msg_controllen = sizeof(space);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK(sendmsg(sk[0], &m, 0) == 1);
	CHECK(read(sk[0], &b, 1) == 1 && lseek(fd, 0, SEEK_CUR) == 7);
	CHECK(ftruncate(fd, 4) == 0 && lseek(fd, 0, SEEK_END) == 4);
	CHECK(write(sk[0], "y", 1) == 1 && read(sk[0], &b, 1) == 1);
}

static int take_it(void)
{
	char b, space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = {&b, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	int fd;

	m.msg_control = space;
	m.msg_controllen = sizeof(space);
	CHECK(recvmsg(sk[1], &m, 0) == 1 && CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void a_position_is_shared_by_all_who_got_it(void)
{
	char b[4];
	pid_t pid;
	int fd;

	file_open();
	CHECK(write(f, "0123456789", 10) == 10 && lseek(f, 0, SEEK_SET) == 0);
	CHECK(in_child(read_three) == 0 && lseek(f, 0, SEEK_CUR) == 3);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sk) == 0);
	pid = child_start(send_it);
	fd = take_it();
	CHECK(read(fd, b, 2) == 2 && memcmp(b, "56", 2) == 0);
	CHECK(write(sk[1], "x", 1) == 1 && read(sk[1], b, 1) == 1);
	CHECK(lseek(fd, 0, SEEK_CUR) == 4 && read(fd, b, 1) == 0);
	CHECK(write(fd, "ab", 2) == 2 && file_is("shared", "0123ab"));
	CHECK(write(sk[1], "x", 1) == 1 && child_wait(pid) == 0);
	CHECK(close(fd) == 0 && close(f) == 0 && close(sk[0]) == 0 && close(sk[1]) == 0);
}

/* ---- mappings ---- */

static void change_and_cut(void)
{
	char b[4];
	int fd = open("shared", O_RDWR);

	CHECK(memcmp(map, "mapped", 6) == 0 && pread(fd, b, 4, PAGE) == 4);
	CHECK(memcmp(b, "page", 4) == 0);
	CHECK(pwrite(fd, "other", 5, 0) == 5 && memcmp(map, "otherd", 6) == 0);
	map[PAGE + 4] = '2';
	CHECK(ftruncate(fd, PAGE + 6) == 0 && ftruncate(fd, 3 * PAGE) == 0);
	CHECK(map[PAGE + 4] == '2' && map[PAGE + 6] == 0 && map[2 * PAGE] == 0);
	CHECK(ftruncate(fd, PAGE) == 0);
}

static void touch_behind(void)
{
	*(volatile char *)(map + PAGE) = 1;
}

static void look_behind(void)
{
	(void)*(volatile char *)(map + 2 * PAGE);
}

static void mappings_show_what_is_written_and_end_at_the_end(void)
{
	char b[8];

	file_open();
	CHECK(ftruncate(f, 3 * PAGE) == 0);
	map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	CHECK(map != MAP_FAILED);
	memcpy(map, "mapped", 6);
	memcpy(map + PAGE, "page and more", 13);
	CHECK(pread(f, b, 6, 0) == 6 && memcmp(b, "mapped", 6) == 0);
	CHECK(in_child(change_and_cut) == 0);
	CHECK(memcmp(map, "otherd", 6) == 0);
	/* Here and in a process that inherits the mapping. */
	CHECK(WTERMSIG(in_child(touch_behind)) == SIGBUS);
	CHECK(WTERMSIG(in_child(look_behind)) == SIGBUS);
	FAILS(EFAULT, write(f, map + PAGE, 1));
	FAILS(EFAULT, pread(f, map + 2 * PAGE, 1, 0));
	CHECK(pwrite(f, "z", 1, PAGE) == 1 && map[PAGE] == 'z');
	CHECK(munmap(map, 3 * PAGE) == 0 && close(f) == 0);
}

/* ---- limits ---- */

static volatile sig_atomic_t exceeded;

static void on_exceeded(int sig)
{
	exceeded += sig == SIGXFSZ;
}

static void the_size_limit_signals(void)
{
	struct rlimit old, few = {100, 0};

	file_open();
	CHECK(signal(SIGXFSZ, on_exceeded) != SIG_ERR);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	few.rlim_max = old.rlim_max;
	CHECK(setrlimit(RLIMIT_FSIZE, &few) == 0);
	CHECK(ftruncate(f, 100) == 0 && pwrite(f, "xxxx", 4, 98) == 2 && !exceeded);
	FAILS(EFBIG, ftruncate(f, 101));
	CHECK(exceeded == 1);
	FAILS(EFBIG, truncate("shared", 101));
	CHECK(exceeded == 2);
	FAILS(EFBIG, pwrite(f, "x", 1, 100));
	CHECK(exceeded == 3);
	FAILS(EFBIG, fallocate(f, 0, 50, 100));
	CHECK(exceeded == 4 && fallocate(f, 0, 50, 50) == 0);
	CHECK(pwrite(f, "x", 0, 200) == 0 && exceeded == 4);
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0 && close(f) == 0);
}

RUN(TEST(appending_loses_and_mixes_nothing), TEST(a_position_is_shared_by_all_who_got_it),
    TEST(mappings_show_what_is_written_and_end_at_the_end), TEST(the_size_limit_signals))
