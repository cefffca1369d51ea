/* SPDX-License-Identifier: MIT */
/* uffd.h - what the tests of userfaultfd(2) share. */
#pragma once
#include "fixture.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>

/* What older headers lack. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
#define _UFFDIO_POISON	    0x08
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, _UFFDIO_POISON, struct uffdio_poison)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)
#define _UFFDIO_MOVE	  0x05
struct uffdio_move {
	__u64 dst, src, len, mode;
	__s64 move;
};
#define UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES ((__u64)1 << 1)
#define UFFDIO_MOVE			 _IOWR(UFFDIO, _UFFDIO_MOVE, struct uffdio_move)
#endif

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

HELPER bool is_root(void)
{
	return geteuid() == 0;
}

/* Who is not root gets one that deals with faults of programs alone. */
HELPER int uffd_new(int flags)
{
	return (int)syscall(SYS_userfaultfd,
			    flags | (is_root() ? 0 : UFFD_USER_MODE_ONLY));
}

HELPER int uffd_open(int flags, uint64_t features)
{
	int fd = uffd_new(O_CLOEXEC | flags);
	struct uffdio_api a = {.api = UFFD_API, .features = features};

	CHECK(fd >= 0);
	CHECK(ioctl(fd, UFFDIO_API, &a) == 0);
	return fd;
}

HELPER char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

HELPER int uffd_register(int fd, void *p, size_t n, uint64_t mode)
{
	struct uffdio_register r = {{(uintptr_t)p, n * PAGE}, mode, 0};

	return ioctl(fd, UFFDIO_REGISTER, &r);
}

HELPER int uffd_range(int fd, unsigned long cmd, void *p, size_t n)
{
	struct uffdio_range r = {(uintptr_t)p, n * PAGE};

	return ioctl(fd, cmd, &r);
}

HELPER int uffd_copy(int fd, void *to, const void *from, size_t n, uint64_t mode)
{
	struct uffdio_copy c = {(uintptr_t)to, (uintptr_t)from, n * PAGE, mode, 0};

	return ioctl(fd, UFFDIO_COPY, &c);
}

HELPER int uffd_zero(int fd, void *to, size_t n)
{
	struct uffdio_zeropage z = {{(uintptr_t)to, n * PAGE}, 0, 0};

	return ioctl(fd, UFFDIO_ZEROPAGE, &z);
}

HELPER int uffd_wp(int fd, void *p, size_t n, uint64_t mode)
{
	struct uffdio_writeprotect w = {{(uintptr_t)p, n * PAGE}, mode};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &w);
}

/* A page full of c. */
HELPER const char *page_of(char c)
{
	static char page[PAGE] __attribute__((aligned(4096)));

	memset(page, c, sizeof(page));
	return page;
}

HELPER struct uffd_msg uffd_read(int fd)
{
	struct uffd_msg m;

	CHECK(read(fd, &m, sizeof(m)) == sizeof(m));
	return m;
}

/* A thread that gives each missing page the letter 'a' plus its number in the area. */
struct pager {
	pthread_t thread;
	int fd;
	char *area;
	int stop[2];
	volatile int faults;
	volatile uint64_t flags; /* of the last fault */
};

HELPER void *pager_loop(void *arg)
{
	struct pager *p = arg;
	static char page[PAGE] __attribute__((aligned(4096)));

	for (;;) {
		struct pollfd f[2] = {{p->fd, POLLIN, 0}, {p->stop[0], POLLIN, 0}};
		struct uffd_msg m;
		char *at;

		CHECK(poll(f, 2, -1) > 0);
		if (f[1].revents)
			return NULL;
		if (read(p->fd, &m, sizeof(m)) != sizeof(m)) {
			CHECK(errno == EAGAIN);
			continue;
		}
		CHECK(m.event == UFFD_EVENT_PAGEFAULT);
		at = (char *)(m.arg.pagefault.address & ~(PAGE - 1));
		p->flags = m.arg.pagefault.flags;
		p->faults++;
		if (m.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
			CHECK(uffd_wp(p->fd, at, 1, 0) == 0);
			continue;
		}
		memset(page, 'a' + (int)((at - p->area) / (long)PAGE), PAGE);
		if (uffd_copy(p->fd, at, page, 1, 0) != 0) {
			CHECK(errno == EEXIST); /* two faults for one page */
			CHECK(uffd_range(p->fd, UFFDIO_WAKE, at, 1) == 0);
		}
	}
}

HELPER void pager_start(struct pager *p, int fd, char *area)
{
	*p = (struct pager){.fd = fd, .area = area};
	CHECK(pipe(p->stop) == 0);
	CHECK(pthread_create(&p->thread, NULL, pager_loop, p) == 0);
}

HELPER void pager_stop(struct pager *p)
{
	CHECK(close(p->stop[1]) == 0);
	CHECK(pthread_join(p->thread, NULL) == 0);
	CHECK(close(p->stop[0]) == 0);
}
