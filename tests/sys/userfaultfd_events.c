/* SPDX-License-Identifier: MIT */
/* What is told of registered memory: forks, moves, removals. */
/* calls: userfaultfd */
#include "uffd.h"
#include <sys/resource.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static volatile int busy; /* somebody is about to do what is told of */

static void *discard(void *p)
{
	CHECK(madvise((char *)p + PAGE, 2 * PAGE, MADV_DONTNEED) == 0);
	busy = 0;
	return NULL;
}

static void removal_is_told(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_EVENT_REMOVE);
	struct pollfd f = {fd, POLLIN, 0};
	char *p = pages(4);
	struct uffd_msg m;
	pthread_t t;

	memset(p, 'r', 4 * PAGE);
	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	busy = 1;
	CHECK(pthread_create(&t, NULL, discard, p) == 0);
	CHECK(poll(&f, 1, -1) == 1 && f.revents == POLLIN);
	sleep_ms(20);
	CHECK(busy && p[PAGE] == 'r'); /* it waits */
	FAILS(EAGAIN, uffd_copy(fd, p, page_of('x'), 1, 0));
	m = uffd_read(fd);
	CHECK(m.event == UFFD_EVENT_REMOVE);
	CHECK(m.arg.remove.start == (uintptr_t)p + PAGE &&
	      m.arg.remove.end == (uintptr_t)p + 3 * PAGE);
	CHECK(pthread_join(t, NULL) == 0 && !busy);
	CHECK(uffd_copy(fd, p + PAGE, page_of('n'), 1, 0) == 0 && p[PAGE] == 'n');
	CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p, 4) == 0 && p[2 * PAGE] == 0);
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

static void *unmap(void *p)
{
	CHECK(munmap(p, 2 * PAGE) == 0);
	return NULL;
}

static void unmapping_is_told(void)
{
	int fd = uffd_open(0, UFFD_FEATURE_EVENT_UNMAP);
	char *p = pages(4);
	struct uffd_msg m;
	pthread_t t;

	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, unmap, p) == 0);
	m = uffd_read(fd);
	CHECK(m.event == UFFD_EVENT_UNMAP && m.arg.remove.start == (uintptr_t)p &&
	      m.arg.remove.end == (uintptr_t)p + 2 * PAGE);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(close(fd) == 0 && munmap(p + 2 * PAGE, 2 * PAGE) == 0);
}

static char *new_place;

static void *move(void *p)
{
	CHECK(mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, new_place) ==
	      new_place);
	return NULL;
}

static void moving_is_told(void)
{
	int fd = uffd_open(0, UFFD_FEATURE_EVENT_REMAP);
	char *p = pages(4);
	struct uffd_msg m;
	pthread_t t;

	new_place = pages(4);
	p[0] = 'm';
	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(pthread_create(&t, NULL, move, p) == 0);
	m = uffd_read(fd);
	CHECK(m.event == UFFD_EVENT_REMAP && m.arg.remap.from == (uintptr_t)p &&
	      m.arg.remap.to == (uintptr_t)new_place && m.arg.remap.len == 4 * PAGE);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(new_place[0] == 'm'); /* still registered: what was there is, no more */
	CHECK(uffd_copy(fd, new_place + PAGE, page_of('c'), 1, 0) == 0);
	CHECK(new_place[PAGE] == 'c');
	FAILS(EEXIST, uffd_copy(fd, new_place, page_of('c'), 1, 0));
	FAILS(ENOENT, uffd_copy(fd, p, page_of('c'), 1, 0));
	CHECK(close(fd) == 0 && new_place[2 * PAGE] == 0);
	CHECK(munmap(new_place, 4 * PAGE) == 0);
}

static void untold_moves_leave_plain_memory(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(4), *q;
	struct pager pager;

	p[0] = 'm';
	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	q = mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(q != MAP_FAILED && q != p);
	CHECK(q[0] == 'm' && q[PAGE] == 0);
	q[2 * PAGE] = 'x';
	pager_start(&pager, fd, p); /* the old place is still looked after */
	CHECK(p[0] == 'a' && p[3 * PAGE] == 'd' && pager.faults == 2);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0 && munmap(q, 4 * PAGE) == 0);
}

static void a_grown_area_has_missing_pages(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(8);
	struct pager pager;

	CHECK(munmap(p + 2 * PAGE, 6 * PAGE) == 0);
	p[0] = '0';
	CHECK(uffd_register(fd, p, 2, UFFDIO_REGISTER_MODE_MISSING) == 0);
	CHECK(mremap(p, 2 * PAGE, 8 * PAGE, 0) == p);
	pager_start(&pager, fd, p);
	CHECK(p[0] == '0' && p[7 * PAGE] == 'h' && pager.faults == 1);
	CHECK(mremap(p, 8 * PAGE, PAGE, 0) == p && p[0] == '0');
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, PAGE) == 0);
}

/* ---- fork ---- */

static char *forked_area;

static void use_plain_memory(void)
{
	CHECK(forked_area[0] == 'f' && forked_area[PAGE] == 0);
	forked_area[2 * PAGE] = 'x';
	CHECK(forked_area[2 * PAGE] == 'x' && forked_area[3 * PAGE] == 'd');
}

static void children_get_plain_memory(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	struct pager pager;
	char *p = pages(4);

	p[0] = 'f';
	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[3 * PAGE] == 'd');
	forked_area = p;
	CHECK(in_child(use_plain_memory) == 0 && pager.faults == 1);
	CHECK(p[PAGE] == 'b' && p[2 * PAGE] == 'c' && pager.faults == 3);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

static void use_served_memory(void)
{
	CHECK(forked_area[0] == 'f' && forked_area[PAGE] == 'b');
	CHECK(forked_area[2 * PAGE] == 'c');
}

static void *fork_one(void *arg)
{
	*(pid_t *)arg = child_start(use_served_memory);
	return NULL;
}

static void forks_are_told(void)
{
	int fd, child_fd, err;
	struct rlimit limit;
	struct pager pager;
	struct uffd_msg m;
	pthread_t t;
	pid_t pid;
	char *p;

	if (!is_root())
		return;
	fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_EVENT_FORK);
	p = pages(4);
	p[0] = 'f';
	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	forked_area = p;
	CHECK(pthread_create(&t, NULL, fork_one, &pid) == 0);
	do {
		struct pollfd f = {fd, POLLIN, 0};

		CHECK(poll(&f, 1, -1) == 1);
		CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
		CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}) == 0);
		err = read(fd, &m, sizeof(m)) < 0 ? errno : 0;
		CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		CHECK(err == EMFILE || err == EAGAIN);
	} while (err != EMFILE);
	CHECK(read(fd, &m, sizeof(m)) == sizeof(m)); /* it can be had later */
	CHECK(m.event == UFFD_EVENT_FORK);
	child_fd = (int)m.arg.fork.ufd;
	CHECK(fcntl(child_fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(child_fd, F_GETFL) & O_NONBLOCK);
	pager_start(&pager, child_fd, p);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(child_wait(pid) == 0 && pager.faults >= 2);
	pager_stop(&pager);
	FAILS(ESRCH, uffd_copy(child_fd, p, page_of('n'), 1, 0));
	CHECK(uffd_copy(fd, p + PAGE, page_of('n'), 1, 0) == 0 && p[PAGE] == 'n');
	CHECK(close(fd) == 0 && close(child_fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

static void told_to_nobody(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_EVENT_REMOVE);
	char *p = pages(4);

	CHECK(uffd_register(fd, p, 4, UFFDIO_REGISTER_MODE_MISSING) == 0);
	(void)madvise(p, PAGE, MADV_DONTNEED);
	_exit(1);
}

static void who_waits_to_be_heard_can_be_killed(void)
{
	pid_t pid = child_start(told_to_nobody);

	sleep_ms(30);
	CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
}

/* 64 TiB, of which no page is there, nor known. */
static void register_again_and_again(void)
{
	size_t size = 64UL << 40;
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	for (;;) {
		CHECK(uffd_register(fd, p, size / PAGE, UFFDIO_REGISTER_MODE_WP) == 0);
		CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p, size / PAGE) == 0);
	}
}

static void huge_ranges_can_be_killed(void)
{
	for (int i = 0; i < 4; i++) {
		pid_t pid = child_start(register_again_and_again);

		sleep_ms(20 + 200 * i);
		CHECK(kill(pid, SIGKILL) == 0);
		alarm(30); /* which nobody catches */
		CHECK(child_wait(pid) == SIGKILL);
		alarm(0);
	}
}

static void huge_ranges_are_one_area(void)
{
	size_t size = 3UL << 30;
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
	char line[400], want[64];
	int count = 0;
	FILE *f;

	CHECK(p != MAP_FAILED);
	p[0] = p[size - 1] = 1;
	CHECK(uffd_register(fd, p, size / PAGE, UFFDIO_REGISTER_MODE_WP) == 0);
	for (int i = 0; i < 2; i++) {
		f = fopen("/proc/self/maps", "r");
		CHECK(f);
		(void)snprintf(want, sizeof(want), "%lx-%lx ", (unsigned long)p,
			       (unsigned long)p + size);
		while (fgets(line, sizeof(line), f))
			count += strncmp(line, want, strlen(want)) == 0;
		(void)fclose(f);
		if (!i)
			CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p, size / PAGE) == 0);
	}
	CHECK(count >= 1);
	CHECK(p[0] == 1 && p[size - 1] == 1 && p[size / 2] == 0);
	CHECK(close(fd) == 0 && munmap(p, size) == 0);
}

RUN(TEST(removal_is_told), TEST(unmapping_is_told), TEST(moving_is_told),
    TEST(untold_moves_leave_plain_memory), TEST(a_grown_area_has_missing_pages),
    TEST(children_get_plain_memory), TEST(forks_are_told),
    TEST(who_waits_to_be_heard_can_be_killed), TEST(huge_ranges_can_be_killed),
    TEST(huge_ranges_are_one_area))
