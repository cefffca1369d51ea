/* SPDX-License-Identifier: MIT */
/* Write protection, shared memory, poison, moving; accesses of the kernel's own; memory
 * of another process. */
/* calls: userfaultfd */
#include "uffd.h"

#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MISSING UFFDIO_REGISTER_MODE_MISSING
#define WP	UFFDIO_REGISTER_MODE_WP
#define MINOR	UFFDIO_REGISTER_MODE_MINOR

static void *touch(void *p)
{
	return (void *)(uintptr_t) * (volatile unsigned char *)p;
}

/* ---- write protection ---- */

static void writes_can_be_seen(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *p = pages(4);
	struct pager pager;

	memset(p, '0', 3 * PAGE);
	CHECK(uffd_register(fd, p, 4, WP) == 0);
	p[0] = '1'; /* nothing is protected yet */
	CHECK(uffd_wp(fd, p, 4, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[0] == '1' && p[PAGE] == '0' && pager.faults == 0);
	p[PAGE] = '2';
	CHECK(pager.faults == 1 && p[PAGE] == '2' && p[PAGE + 1] == '0');
	CHECK(pager.flags == (UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE));
	p[PAGE + 5] = '3';
	CHECK(pager.faults == 1);
	p[3 * PAGE] = '4'; /* what was not there is not protected */
	CHECK(pager.faults == 1 && p[3 * PAGE] == '4');
	CHECK(uffd_wp(fd, p, 2, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
	CHECK(mprotect(p, 4 * PAGE, PROT_READ) == 0 && mprotect(p, 4 * PAGE, RW) == 0);
	p[0] = '5';
	CHECK(pager.faults == 2 && p[0] == '5');
	CHECK(uffd_range(fd, UFFDIO_UNREGISTER, p, 4) == 0);
	p[2 * PAGE] = '6';
	CHECK(pager.faults == 2);
	FAILS(ENOENT, uffd_wp(fd, p, 1, 0));
	FAILS(EFAULT, ioctl(fd, UFFDIO_WRITEPROTECT, NULL));
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

static void pages_come_protected(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *p = pages(2);
	struct pager pager;

	CHECK(uffd_register(fd, p, 2, MISSING | WP) == 0);
	CHECK(uffd_copy(fd, p, page_of('w'), 1, UFFDIO_COPY_MODE_WP) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[0] == 'w' && pager.faults == 0);
	p[0] = 'W';
	CHECK(pager.faults == 1 && (pager.flags & UFFD_PAGEFAULT_FLAG_WP));
	p[PAGE] = 'x';
	CHECK(pager.faults == 2 && pager.flags == UFFD_PAGEFAULT_FLAG_WRITE);
	CHECK(p[PAGE + 1] == 'b');
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 2 * PAGE) == 0);
}

static void protection_covers_what_is_not_there_on_demand(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_WP_UNPOPULATED);
	char *p = pages(2);
	struct pager pager;

	CHECK(uffd_register(fd, p, 2, WP) == 0);
	CHECK(uffd_wp(fd, p, 2, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[0] == 0 && pager.faults == 0);
	p[0] = 'x';
	CHECK(pager.faults == 1 && p[0] == 'x');
	p[PAGE] = 'y';
	CHECK(pager.faults == 2);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 2 * PAGE) == 0);
}

static void the_kernel_can_resolve_them_itself(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_WP_ASYNC);
	char *p = pages(2);
	struct uffd_msg m;

	p[0] = 'a';
	CHECK(uffd_register(fd, p, 2, WP) == 0);
	CHECK(uffd_wp(fd, p, 2, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
	p[0] = 'b';
	p[PAGE] = 'c';
	CHECK(p[0] == 'b' && p[PAGE] == 'c');
	FAILS(EAGAIN, read(fd, &m, sizeof(m)));
	CHECK(close(fd) == 0 && munmap(p, 2 * PAGE) == 0);
}

/* ---- shared memory ---- */

static void shared_pages_can_be_missing(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_MISSING_SHMEM);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pager pager;

	CHECK(p != MAP_FAILED);
	p[PAGE] = 'x';
	CHECK(uffd_register(fd, p, 4, MISSING) == 0);
	pager_start(&pager, fd, p);
	CHECK(p[PAGE] == 'x' && pager.faults == 0);
	CHECK(p[0] == 'a' && p[2 * PAGE] == 'c' && pager.faults == 2);
	CHECK(uffd_zero(fd, p + 3 * PAGE, 1) == 0 && p[3 * PAGE] == 0);
	FAILS(EEXIST, uffd_copy(fd, p + PAGE, page_of('n'), 1, 0));
	CHECK(madvise(p, 4 * PAGE, MADV_REMOVE) == 0);
	CHECK(p[PAGE] == 'b' && pager.faults == 3);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0);
}

static void a_page_written_elsewhere_is_there(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_MISSING_SHMEM);
	int mem = memfd_create("m", 0);
	char *p, *q;
	struct pager pager;

	CHECK(mem >= 0 && ftruncate(mem, 3 * (long)PAGE) == 0);
	p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, mem, 0);
	q = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, mem, 0);
	CHECK(uffd_register(fd, p, 3, MISSING) == 0);
	pager_start(&pager, fd, p);
	q[0] = 'q';
	CHECK(pwrite(mem, "w", 1, PAGE) == 1);
	CHECK(p[0] == 'q' && p[PAGE] == 'w' && pager.faults == 0);
	CHECK(p[2 * PAGE] == 'c' && q[2 * PAGE] == 'c' && pager.faults == 1);
	pager_stop(&pager);
	CHECK(munmap(p, 3 * PAGE) == 0 && munmap(q, 3 * PAGE) == 0);
	CHECK(close(fd) == 0 && close(mem) == 0);
}

/* Linux takes them for no shared memory of its own. */
static void segments_cannot_be_registered(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_MISSING_SHMEM);
	int id = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
	char *p = shmat(id, NULL, 0);

	CHECK(p != (char *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
	FAILS(EINVAL, uffd_register(fd, p, 4, MISSING));
	p[0] = 1;
	CHECK(shmdt(p) == 0 && close(fd) == 0);
}

static void the_end(int file, off_t off, size_t size)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_MISSING_SHMEM);
	size_t there = (size + PAGE - 1) / PAGE;
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, file, off);

	CHECK(p != MAP_FAILED && uffd_register(fd, p, 2, MISSING) == 0);
	for (size_t i = 0; i < 2; i++) {
		if (i < there) {
			CHECK(uffd_copy(fd, p + i * PAGE, page_of('e'), 1, 0) == 0);
			CHECK(p[i * PAGE] == 'e' && p[i * PAGE + 99] == 'e');
			continue;
		}
		FAILS(EFAULT, uffd_copy(fd, p + i * PAGE, page_of('e'), 1, 0));
		FAILS(EFAULT, uffd_zero(fd, p + i * PAGE, 1));
	}
	CHECK(close(fd) == 0 && munmap(p, 2 * PAGE) == 0);
}

/* A mapping of /dev/zero has the memory of its size, seen from its offset on. */
static void memory_does_not_grow(void)
{
	int zero = open("/dev/zero", O_RDWR);
	int file = memfd_create("m", 0);
	struct stat st;

	the_end(zero, 0, 2 * PAGE);
	the_end(zero, PAGE, PAGE);
	the_end(zero, 1L << 62, 0);
	the_end(zero, (1L << 62) + 2 * (off_t)PAGE, 0);
	CHECK(ftruncate(file, 100) == 0);
	the_end(file, 0, 100);
	CHECK(fstat(file, &st) == 0 && st.st_size == 100);
	CHECK(close(file) == 0 && close(zero) == 0);
}

static void mapping_alone_can_be_missing(void)
{
	int fd = uffd_open(0, UFFD_FEATURE_MINOR_SHMEM);
	struct uffdio_continue c;
	int mem = memfd_create("m", 0);
	struct uffd_msg m;
	pthread_t t;
	void *seen;
	char *p;

	CHECK(mem >= 0 && ftruncate(mem, 2 * (long)PAGE) == 0);
	CHECK(pwrite(mem, "k", 1, 0) == 1);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, mem, 0);
	CHECK(uffd_register(fd, p, 2, MINOR) == 0);
	CHECK(pthread_create(&t, NULL, touch, p) == 0);
	m = uffd_read(fd);
	CHECK(m.arg.pagefault.flags == UFFD_PAGEFAULT_FLAG_MINOR);
	CHECK(pwrite(mem, "l", 1, 0) == 1);
	c = (struct uffdio_continue){{(uintptr_t)p + PAGE, PAGE}, 0, 0};
	FAILS(EFAULT, ioctl(fd, UFFDIO_CONTINUE, &c));
	c = (struct uffdio_continue){{(uintptr_t)p, PAGE}, 0, 0};
	CHECK(ioctl(fd, UFFDIO_CONTINUE, &c) == 0 && c.mapped == (long)PAGE);
	CHECK(pthread_join(t, &seen) == 0 && seen == (void *)'l');
	FAILS(EEXIST, ioctl(fd, UFFDIO_CONTINUE, &c));
	CHECK(p[PAGE] == 0); /* a new page is none of its business */
	CHECK(close(fd) == 0 && close(mem) == 0 && munmap(p, 2 * PAGE) == 0);
}

/* ---- poison ---- */

static void read_poison(void)
{
	int fd = uffd_open(0, 0);
	char *p = pages(2);
	struct uffdio_poison po = {{(uintptr_t)p, PAGE}, 0, 0};

	CHECK(uffd_register(fd, p, 2, MISSING) == 0);
	CHECK(ioctl(fd, UFFDIO_POISON, &po) == 0);
	CHECK(uffd_copy(fd, p, page_of('p'), 1, 0) == 0 && p[9] == 'p'); /* cured */
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0);
	CHECK(ioctl(fd, UFFDIO_POISON, &po) == 0 && po.updated == (long)PAGE);
	FAILS(EEXIST, ioctl(fd, UFFDIO_POISON, &po));
	FAILS(EEXIST, uffd_zero(fd, p, 1));
	CHECK(write(open("/dev/null", O_WRONLY), "", 0) == 0);
	if (is_root()) {
		int f[2];

		CHECK(pipe(f) == 0);
		FAILS(EFAULT, write(f[1], p, 10));
	}
	CHECK(close(fd) == 0);
	CHECK(p[PAGE] == 0);
	(void)*(volatile char *)p;
}

static void poisoned_pages_are_bus_errors(void)
{
	CHECK(in_child(read_poison) == SIGBUS);
}

/* ---- moving ---- */

static void pages_are_moved(void)
{
	int fd = uffd_open(O_NONBLOCK, UFFD_FEATURE_MOVE);
	char *p = pages(4), *q = pages(4);
	struct uffdio_move m = {(uintptr_t)p, (uintptr_t)q, 4 * PAGE, 0, 0};

	memset(q, 'm', 2 * PAGE);
	q[3 * PAGE] = 'n';
	CHECK(uffd_register(fd, p, 4, MISSING) == 0);
	FAILS(EAGAIN, ioctl(fd, UFFDIO_MOVE, &m));
	CHECK(m.move == 2 * (long)PAGE);
	CHECK(p[0] == 'm' && p[2 * PAGE - 1] == 'm' && q[0] == 0 && q[PAGE] == 0);
	m = (struct uffdio_move){(uintptr_t)p + 2 * PAGE, (uintptr_t)q + 2 * PAGE, PAGE,
				 0, 0};
	FAILS(ENOENT, ioctl(fd, UFFDIO_MOVE, &m));
	m.mode = UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES;
	m.len = 2 * PAGE;
	CHECK(ioctl(fd, UFFDIO_MOVE, &m) == 0 && m.move == 2 * (long)PAGE);
	CHECK(p[3 * PAGE] == 'n');
	q[0] = 1;
	m = (struct uffdio_move){(uintptr_t)p, (uintptr_t)q, PAGE, 0, 0};
	FAILS(EEXIST, ioctl(fd, UFFDIO_MOVE, &m));
	m.dst = (uintptr_t)q + PAGE;
	FAILS(EINVAL, ioctl(fd, UFFDIO_MOVE, &m)); /* not registered */
	m.mode = 4;
	FAILS(EINVAL, ioctl(fd, UFFDIO_MOVE, &m));
	FAILS(EFAULT, ioctl(fd, UFFDIO_MOVE, NULL));
	CHECK(close(fd) == 0 && munmap(p, 4 * PAGE) == 0 && munmap(q, 4 * PAGE) == 0);
}

/* ---- the kernel's own accesses ---- */

static void kernel_faults(void)
{
	int fd = uffd_open(O_NONBLOCK, 0), f[2], file;
	char *p = pages(16);
	struct pager pager;
	struct iovec v[2] = {{p + 8 * PAGE, 10}, {p + 9 * PAGE, 10}};

	CHECK(uffd_register(fd, p, 16, MISSING) == 0);
	pager_start(&pager, fd, p);
	CHECK(pipe(f) == 0);
	CHECK(write(f[1], p + PAGE - 5, 10) == 10 && pager.faults == 2);
	CHECK(read(f[0], p + 3 * PAGE - 4, 10) == 10 && pager.faults == 4);
	CHECK(p[3 * PAGE - 4] == 'a' && p[3 * PAGE + 1] == 'b' && p[3 * PAGE + 6] == 'd');
	file = open("f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(file >= 0);
	CHECK(write(file, p + 4 * PAGE, 3 * PAGE) == 3 * (long)PAGE);
	CHECK(pager.faults == 7);
	CHECK(pread(file, p + 10 * PAGE, 3 * PAGE, 0) == 3 * (long)PAGE);
	CHECK(p[10 * PAGE] == 'e' && p[12 * PAGE] == 'g' && pager.faults == 10);
	CHECK(write(f[1], "0123456789abcdefghij", 20) == 20);
	CHECK(readv(f[0], v, 2) == 20);
	CHECK(p[8 * PAGE] == '0' && p[9 * PAGE] == 'a' && pager.faults == 12);
	CHECK(getcwd(p + 14 * PAGE, PAGE) && p[14 * PAGE] == '/' && pager.faults == 13);
	CHECK(syscall(SYS_futex, p + 15 * PAGE, 0, 0x70707070 + 1, NULL, NULL, 0) == -1 &&
	      errno == EAGAIN && pager.faults == 14);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && close(f[0]) == 0 && close(f[1]) == 0 && close(file) == 0);
	CHECK(munmap(p, 16 * PAGE) == 0);
}

static void calls_wait_for_their_memory(void)
{
	if (is_root())
		kernel_faults();
}

static void user_mode_only(void)
{
	int fd = (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY), f[2];
	struct uffdio_api a = {.api = UFFD_API};
	char *p = pages(1);

	CHECK(ioctl(fd, UFFDIO_API, &a) == 0 && uffd_register(fd, p, 1, MISSING) == 0);
	CHECK(pipe(f) == 0);
	FAILS(EFAULT, write(f[1], p, 1));
	CHECK(close(f[0]) == 0 && close(f[1]) == 0 && close(fd) == 0);
	CHECK(munmap(p, PAGE) == 0);
}

static void wait_in_a_call(void)
{
	int fd = uffd_open(0, 0), f[2];
	char *p = pages(1);

	CHECK(pipe(f) == 0 && uffd_register(fd, p, 1, MISSING) == 0);
	(void)!write(f[1], p, 1);
}

static void calls_that_wait_can_be_killed(void)
{
	if (!is_root())
		return;
	for (int i = 0; i < 4; i++) {
		pid_t pid = child_start(wait_in_a_call);

		sleep_ms(10 * i);
		CHECK(kill(pid, SIGKILL) == 0 && child_wait(pid) == SIGKILL);
	}
}

/* ---- another process' memory ---- */

enum { AREA_PAGES = 40 };
static int to_parent[2];

static void send_fd(int fd, void *p)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&p, sizeof(p)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK(sendmsg(to_parent[1], &m, 0) == sizeof(p));
}

static int receive_fd(char **p)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {p, sizeof(*p)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int fd;

	CHECK(recvmsg(to_parent[0], &m, 0) == sizeof(*p));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void be_served(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(AREA_PAGES), c;

	CHECK(uffd_register(fd, p, AREA_PAGES, MISSING) == 0);
	send_fd(fd, p);
	CHECK(close(fd) == 0);
	for (size_t i = 0; i < 20; i++)
		CHECK(p[i * PAGE] == 'a' + (char)i);
	/* Nobody serves any more. */
	CHECK(write(to_parent[1], "!", 1) == 1 && read(to_parent[1], &c, 1) == 1);
	for (size_t i = 20; i < AREA_PAGES; i++)
		CHECK(p[i * PAGE] == 0);
	p[0] = 'x';
	CHECK(p[PAGE] == 'b');
}

static void another_process_can_serve(void)
{
	struct pager pager;
	pid_t pid;
	char *p, c;
	int fd;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, to_parent) == 0);
	pid = child_start(be_served);
	CHECK(close(to_parent[1]) == 0);
	fd = receive_fd(&p);
	pager_start(&pager, fd, p);
	CHECK(read(to_parent[0], &c, 1) == 1);
	pager_stop(&pager);
	CHECK(close(fd) == 0 && write(to_parent[0], "!", 1) == 1);
	CHECK(child_wait(pid) == 0 && pager.faults >= 20);
	CHECK(close(to_parent[0]) == 0);
}

static void leave_it(void)
{
	int fd = uffd_open(O_NONBLOCK, 0);
	char *p = pages(1);

	CHECK(uffd_register(fd, p, 1, MISSING) == 0);
	send_fd(fd, p);
}

static void a_process_that_is_gone_cannot_be_served(void)
{
	char *p;
	int fd;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, to_parent) == 0);
	CHECK(in_child(leave_it) == 0);
	fd = receive_fd(&p);
	FAILS(ESRCH, uffd_copy(fd, p, page_of('g'), 1, 0));
	FAILS(ESRCH, uffd_zero(fd, p, 1));
	FAILS(ENOMEM, uffd_register(fd, p, 1, MISSING));
	CHECK(uffd_range(fd, UFFDIO_WAKE, p, 1) == 0);
	CHECK(close(fd) == 0 && close(to_parent[0]) == 0 && close(to_parent[1]) == 0);
}

RUN(TEST(writes_can_be_seen), TEST(pages_come_protected),
    TEST(protection_covers_what_is_not_there_on_demand),
    TEST(the_kernel_can_resolve_them_itself), TEST(shared_pages_can_be_missing),
    TEST(memory_does_not_grow), TEST(a_page_written_elsewhere_is_there),
    TEST(mapping_alone_can_be_missing), TEST(segments_cannot_be_registered),
    TEST(poisoned_pages_are_bus_errors), TEST(pages_are_moved),
    TEST(calls_wait_for_their_memory), TEST(user_mode_only),
    TEST(calls_that_wait_can_be_killed), TEST(another_process_can_serve),
    TEST(a_process_that_is_gone_cannot_be_served))
