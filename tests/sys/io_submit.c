/* SPDX-License-Identifier: MIT */
/* files */
/* Reads, writes and syncs by asynchronous I/O: what is an error of io_submit and what is
 * one of the request. */
/* calls: io_submit */
#include "aio.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

static aio_context_t ctx;
static char buf[8192];

static int file_with(const char *text)
{
	int fd;

	file_put("f", text);
	fd = open("f", O_RDWR);
	CHECK(fd >= 0);
	return fd;
}

static void data_go_to_and_from_a_file(void)
{
	int fd = file_with("0123456789");
	struct iocb w = request(IOCB_CMD_PWRITE, fd, "abc", 3, 4);
	struct iocb r = request(IOCB_CMD_PREAD, fd, buf, 100, 2);

	w.aio_key = 77;
	w.aio_data = 0x1122334455667788;
	CHECK(result_of(ctx, &w) == 3 && w.aio_key == 0);
	CHECK(result_of(ctx, &r) == 8 && memcmp(buf, "23abc789", 8) == 0);
	r.aio_offset = 10;
	CHECK(result_of(ctx, &r) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && close(fd) == 0);
}

static void vectors(void)
{
	int fd = file_with("0123456789");
	struct iovec v[2] = {{buf, 3}, {buf + 100, 4}};
	struct iocb r = request(IOCB_CMD_PREADV, fd, v, 2, 1);
	struct iocb w = request(IOCB_CMD_PWRITEV, fd, v, 2, 10);

	CHECK(result_of(ctx, &r) == 7);
	CHECK(memcmp(buf, "123", 3) == 0 && memcmp(buf + 100, "4567", 4) == 0);
	CHECK(result_of(ctx, &w) == 7);
	CHECK(file_is("f", "01234567891234567"));
	r.aio_nbytes = 0;
	CHECK(result_of(ctx, &r) == 0);
	r.aio_nbytes = 1025;
	FAILS(EINVAL, submit(ctx, &r));
	r.aio_nbytes = 1;
	r.aio_buf = 8;
	FAILS(EFAULT, submit(ctx, &r));
	CHECK(close(fd) == 0);
}

static void syncs(void)
{
	int fd = file_with("x");
	int p[2];
	struct iocb cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0);

	CHECK(result_of(ctx, &cb) == 0);
	cb.aio_lio_opcode = IOCB_CMD_FDSYNC;
	CHECK(result_of(ctx, &cb) == 0);
	cb.aio_offset = 1;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = request(IOCB_CMD_FSYNC, fd, buf, 0, 0);
	FAILS(EINVAL, submit(ctx, &cb));
	cb = request(IOCB_CMD_FSYNC, fd, NULL, 1, 0);
	FAILS(EINVAL, submit(ctx, &cb));
	cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	cb.aio_rw_flags = RWF_DSYNC;
	FAILS(EINVAL, submit(ctx, &cb));
	CHECK(close(fd) == 0 && pipe(p) == 0);
	cb = request(IOCB_CMD_FSYNC, p[1], NULL, 0, 0);
	FAILS(EINVAL, submit(ctx, &cb));
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void what_io_submit_refuses(void)
{
	int fd = file_with("x");
	int rd = open("f", O_RDONLY);
	int wr = open("f", O_WRONLY);
	int dir = open(".", O_RDONLY);
	int path = open("f", O_PATH);
	struct iocb good = request(IOCB_CMD_PREAD, fd, buf, 1, 0);
	struct iocb cb = good;

	cb.aio_lio_opcode = IOCB_CMD_NOOP;
	FAILS(EINVAL, submit(ctx, &cb));
	cb.aio_lio_opcode = 9;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = good;
	cb.aio_reserved2 = 1;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = good;
	cb.aio_nbytes = 1ULL << 63;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = good;
	cb.aio_offset = -1;
	FAILS(EINVAL, submit(ctx, &cb));
	cb.aio_offset = INT64_MAX;
	FAILS(EINVAL, submit(ctx, &cb));
	cb = good;
	cb.aio_buf = UINT64_MAX - 10;
	FAILS(EFAULT, submit(ctx, &cb));
	cb = request(IOCB_CMD_PREAD, wr, buf, 1, 0);
	FAILS(EBADF, submit(ctx, &cb));
	cb = request(IOCB_CMD_PWRITE, rd, buf, 1, 0);
	FAILS(EBADF, submit(ctx, &cb));
	cb = request(IOCB_CMD_PREAD, dir, buf, 1, 0);
	FAILS(EINVAL, submit(ctx, &cb));
	cb = request(IOCB_CMD_PREAD, path, buf, 1, 0);
	FAILS(EBADF, submit(ctx, &cb));
	cb = request(IOCB_CMD_PREAD, -1, buf, 1, 0);
	FAILS(EBADF, submit(ctx, &cb));
	cb = request(99, -1, buf, 1, 0);
	FAILS(EBADF, submit(ctx, &cb));
	CHECK(has_no_event(ctx));
	CHECK(close(fd) == 0 && close(rd) == 0 && close(wr) == 0 && close(dir) == 0 &&
	      close(path) == 0);
}

static void what_goes_wrong_later_is_told_by_the_event(void)
{
	int fd = file_with("0123456789");
	int p[2], s[2];
	struct iocb cb = request(IOCB_CMD_PREAD, fd, (void *)16, 5, 0);

	CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(result_of(ctx, &cb) == -EFAULT);
	CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	cb = request(IOCB_CMD_PREAD, p[0], buf, 5, 0);
	CHECK(result_of(ctx, &cb) == -EAGAIN);
	CHECK(write(p[1], "hello", 5) == 5);
	cb.aio_offset = 3; /* means nothing to a pipe */
	CHECK(result_of(ctx, &cb) == 5 && memcmp(buf, "hello", 5) == 0);
	cb = request(IOCB_CMD_PWRITE, s[0], "hi", 2, 1);
	CHECK(result_of(ctx, &cb) == -ESPIPE);
	cb.aio_offset = 0;
	CHECK(result_of(ctx, &cb) == 2);
	CHECK(read(s[1], buf, 10) == 2);
	CHECK(close(p[0]) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	cb = request(IOCB_CMD_PWRITE, p[1], "x", 1, 0);
	CHECK(result_of(ctx, &cb) == -EPIPE);
	CHECK(close(p[1]) == 0 && close(s[0]) == 0 && close(s[1]) == 0 && close(fd) == 0);
}

static void flags_are_those_of_preadv2(void)
{
	int fd = file_with("0123456789");
	int e = eventfd(0, 0);
	struct iocb cb = request(IOCB_CMD_PWRITE, fd, "end", 3, 0);

	cb.aio_rw_flags = RWF_APPEND | RWF_DSYNC;
	CHECK(result_of(ctx, &cb) == 3 && file_is("f", "0123456789end"));
	cb.aio_rw_flags = 1 << 20;
	FAILS(EOPNOTSUPP, submit(ctx, &cb));
	cb.aio_rw_flags = RWF_HIPRI;
	CHECK(result_of(ctx, &cb) == 3);
	cb = request(IOCB_CMD_PREAD, e, buf, 8, 0);
	cb.aio_rw_flags = RWF_NOWAIT;
	CHECK(result_of(ctx, &cb) == -EAGAIN);
	CHECK(close(fd) == 0 && close(e) == 0);
}

static void flags_come_before_the_mode_of_the_file(void)
{
	int fd = file_with("x");
	int rd = open("f", O_RDONLY);
	struct iocb cb = request(IOCB_CMD_PWRITE, rd, buf, 1, 0);

	cb.aio_rw_flags = 1 << 20;
	FAILS(EOPNOTSUPP, submit(ctx, &cb));
	cb.aio_flags = IOCB_FLAG_IOPRIO;
	cb.aio_reqprio = (short)(7 << 13);
	FAILS(EINVAL, submit(ctx, &cb));
	cb.aio_flags |= IOCB_FLAG_RESFD;
	cb.aio_resfd = 1000;
	FAILS(EBADF, submit(ctx, &cb));
	cb.aio_resfd = (uint32_t)fd;
	FAILS(EINVAL, submit(ctx, &cb));
	CHECK(close(fd) == 0 && close(rd) == 0);
}

static void priorities_as_user(void)
{
	int fd = file_with("x");
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 1, 0);

	ctx = context(4);
	become_user();
	cb.aio_flags = IOCB_FLAG_IOPRIO | 0x80; /* others mean nothing */
	cb.aio_reqprio = 2 << 13 | 4;
	CHECK(result_of(ctx, &cb) == 1);
	cb.aio_reqprio = 3;
	FAILS(EINVAL, submit(ctx, &cb));
	cb.aio_reqprio = 1 << 13 | 4;
	FAILS(EPERM, submit(ctx, &cb));
	cb.aio_flags = 0;
	CHECK(result_of(ctx, &cb) == 1);
}

static void real_time_priority_needs_a_right(void)
{
	CHECK(in_child(priorities_as_user) == 0);
}

static void an_eventfd_is_told(void)
{
	int fd = file_with("0123");
	int e = eventfd(0, EFD_NONBLOCK);
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 2, 0);
	struct iocb *two[2] = {&cb, &cb};
	struct io_event ev[2];
	uint64_t n;

	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)e;
	CHECK(io_submit(ctx, 2, two) == 2);
	CHECK(read(e, &n, 8) == 8 && n == 2);
	CHECK(io_getevents(ctx, 2, 2, ev, NULL) == 2);
	cb.aio_lio_opcode = 100;
	FAILS(EINVAL, submit(ctx, &cb));
	FAILS(EAGAIN, read(e, &n, 8));
	CHECK(close(e) == 0 && close(fd) == 0);
}

static void a_list_goes_as_far_as_it_can(void)
{
	int fd = file_with("0123");
	struct iocb good = request(IOCB_CMD_PREAD, fd, buf, 2, 0);
	struct iocb bad = request(IOCB_CMD_PREAD, -1, buf, 2, 0);
	struct iocb *list[4] = {&good, &good, &bad, &good};
	struct io_event ev[4];
	struct iocb **edge = (struct iocb **)(void *)page_edge();

	FAILS(EINVAL, io_submit(ctx, -1, list));
	CHECK(io_submit(ctx, 0, (struct iocb **)16) == 0);
	CHECK(io_submit(ctx, 4, list) == 2);
	CHECK(io_getevents(ctx, 2, 4, ev, NULL) == 2);
	FAILS(EBADF, io_submit(ctx, 2, list + 2));
	edge[-1] = &good;
	CHECK(io_submit(ctx, 2, edge - 1) == 1);
	(void)event_of(ctx);
	FOR_BAD(p)
	FAILS(EFAULT, io_submit(ctx, 1, p));
	FOR_BAD(p)
	FAILS(EFAULT, submit(ctx, p));
	CHECK(has_no_event(ctx) && close(fd) == 0);
}

static void a_key_that_cannot_be_written_is_a_fault(void)
{
	int fd = file_with("0123");
	struct iocb *cb = page_with(PROT_READ | PROT_WRITE);

	*cb = request(IOCB_CMD_PREAD, fd, buf, 2, 0);
	CHECK(mprotect(cb, PAGE, PROT_READ) == 0);
	FAILS(EFAULT, submit(ctx, cb));
	CHECK(has_no_event(ctx) && munmap(cb, PAGE) == 0 && close(fd) == 0);
}

static void a_ring_takes_so_many_and_no_more(void)
{
	aio_context_t small = context(1);
	unsigned room = ring_of(small)->nr - 1;
	int fd = file_with("0123");
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 2, 0);
	static struct io_event ev[4096];

	for (int round = 0; round < 3; round++) {
		unsigned n = 0;

		while (submit(small, &cb) == 1)
			n++;
		/* Linux keeps a few on processors that ran this before. */
		CHECK(errno == EAGAIN && n <= room && n >= room / 2);
		CHECK(io_getevents(small, n, 4096, ev, NULL) == n);
		CHECK(has_no_event(small));
	}
	CHECK(io_destroy(small) == 0 && close(fd) == 0);
}

static void a_list_is_cut_to_the_ring(void)
{
	aio_context_t small = context(1);
	unsigned nr = ring_of(small)->nr;
	int fd = file_with("0123");
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 2, 0);
	static struct iocb *list[4096];
	long done;

	for (size_t i = 0; i < 4096; i++)
		list[i] = &cb;
	done = io_submit(small, 4096, list);
	CHECK(done < nr && done >= nr / 2);
	CHECK(io_destroy(small) == 0 && close(fd) == 0);
}

static void a_reader_in_user_space_makes_room(void)
{
	aio_context_t small = context(1);
	struct ring *r = ring_of(small);
	unsigned room = r->nr - 1;
	int fd = file_with("0123");
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 2, 0);

	for (unsigned i = 0; i < 10 * room; i++) {
		CHECK(submit(small, &cb) == 1);
		CHECK(r->head != r->tail && r->events[r->head].res == 2);
		r->head = (r->head + 1) % r->nr;
	}
	CHECK(io_destroy(small) == 0 && close(fd) == 0);
}

static void a_ring_full_of_rubbish_harms_nobody_else(void)
{
	static const unsigned rubbish[] = {0xffffffff, 0x7fffffff, 12345, 19, 1};
	aio_context_t bad = context(1);
	struct ring *r = ring_of(bad);
	int fd = file_with("0123");
	struct iocb cb = request(IOCB_CMD_PREAD, fd, buf, 2, 0);
	static struct io_event ev[4096];
	struct timespec now = {0, 0};

	for (size_t i = 0; i < 5; i++) {
		r->head = rubbish[i];
		r->nr = rubbish[4 - i];
		(void)submit(bad, &cb);
		r->tail = rubbish[(i + 2) % 5];
		(void)submit(bad, &cb);
		(void)io_getevents(bad, 1, 4096, ev, &now);
		(void)io_getevents(bad, 1, 3, ev, &now);
	}
	memset(r, 0xff, 4096);
	FAILS(EINVAL, io_submit(bad, 0, NULL));
	CHECK(result_of(ctx, &cb) == 2 && close(fd) == 0);
}

static void sparse_writer(void)
{
	struct rlimit small = {10, RLIM_INFINITY};
	int fd = file_with("0123");
	struct iocb cb = request(IOCB_CMD_PWRITE, fd, "abcdef", 6, 8);

	ctx = context(4);
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(result_of(ctx, &cb) == 2);
	cb.aio_offset = 10;
	CHECK(result_of(ctx, &cb) == -EFBIG);
}

static void the_limit_of_file_sizes_holds(void)
{
	CHECK(in_child(sparse_writer) == 0);
}

static void *write_later(void *arg)
{
	sleep_ms(30);
	CHECK(write(*(int *)arg, "late", 4) == 4);
	return NULL;
}

static void a_pipe_that_blocks_blocks_the_call(void)
{
	pthread_t t;
	int p[2];
	struct iocb cb;

	CHECK(pipe(p) == 0);
	cb = request(IOCB_CMD_PREAD, p[0], buf, 10, 0);
	CHECK(pthread_create(&t, NULL, write_later, &p[1]) == 0);
	CHECK(result_of(ctx, &cb) == 4);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void a_signal_ends_a_transfer_and_not_the_call(void)
{
	struct interrupter in;
	int p[2];
	struct iocb cb;

	CHECK(pipe(p) == 0);
	cb = request(IOCB_CMD_PREAD, p[0], buf, 10, 0);
	interrupt_start(&in, SA_RESTART, -1);
	CHECK(result_of(ctx, &cb) == -EINTR);
	interrupt_stop(&in);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static void make_context(void)
{
	ctx = context(16);
}

RUN(TEST(make_context), TEST(data_go_to_and_from_a_file), TEST(vectors), TEST(syncs),
    TEST(what_io_submit_refuses), TEST(what_goes_wrong_later_is_told_by_the_event),
    TEST(flags_are_those_of_preadv2), TEST(flags_come_before_the_mode_of_the_file),
    TEST(real_time_priority_needs_a_right), TEST(an_eventfd_is_told),
    TEST(a_list_goes_as_far_as_it_can), TEST(a_key_that_cannot_be_written_is_a_fault),
    TEST(a_ring_takes_so_many_and_no_more), TEST(a_list_is_cut_to_the_ring),
    TEST(a_reader_in_user_space_makes_room),
    TEST(a_ring_full_of_rubbish_harms_nobody_else), TEST(the_limit_of_file_sizes_holds),
    TEST(a_pipe_that_blocks_blocks_the_call),
    TEST(a_signal_ends_a_transfer_and_not_the_call))
