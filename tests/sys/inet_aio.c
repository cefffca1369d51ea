/* SPDX-License-Identifier: MIT */
/* net */
/* inet_aio.c - polls by asynchronous I/O on internet sockets. */
/* calls: io_submit io_getevents io_cancel */
#include "inet.h"

#include "aio.h"

static aio_context_t ctx;

static void a_socket_that_is_ready_is_told_at_once(void)
{
	struct iocb cb;
	int fd[2];

	udp_pair(fd);
	cb = poll_request(fd[1], POLLIN | POLLOUT);
	CHECK(result_of(ctx, &cb) == POLLOUT);
	close_pair(fd);
}

static void a_waiter_is_told(void)
{
	struct iocb cb;
	int fd[2];

	udp_pair(fd);
	cb = poll_request(fd[0], POLLIN);
	CHECK(submit(ctx, &cb) == 1 && has_no_event(ctx));
	CHECK(send(fd[1], "x", 1, 0) == 1);
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(send(fd[1], "x", 1, 0) == 1 && has_no_event(ctx));
	close_pair(fd);
}

static void nobody_need_wait(void)
{
	struct ring *r = ring_of(ctx);
	unsigned tail = r->tail;
	struct iocb cb;
	int fd[2];

	udp_pair(fd);
	cb = poll_request(fd[0], POLLIN);
	CHECK(submit(ctx, &cb) == 1);
	CHECK(send(fd[1], "x", 1, 0) == 1);
	for (int i = 0; i < 10000 && *(volatile unsigned *)&r->tail == tail; i++)
		sleep_ms(2);
	CHECK(r->events[tail].res & POLLIN);
	CHECK(event_of(ctx).res & POLLIN);
	close_pair(fd);
}

static void an_eventfd_is_told(void)
{
	int e = eventfd(0, 0);
	struct pollfd p = {e, POLLIN, 0};
	struct iocb cb;
	int fd[2];

	udp_pair(fd);
	cb = poll_request(fd[0], POLLIN);
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)e;
	CHECK(submit(ctx, &cb) == 1);
	CHECK(send(fd[1], "x", 1, 0) == 1);
	CHECK(poll(&p, 1, 20000) == 1);
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(close(e) == 0);
	close_pair(fd);
}

static void several_polls_of_one_socket(void)
{
	struct iocb cb[5];
	struct io_event ev[5];
	int fd[2];

	udp_pair(fd);
	for (int i = 0; i < 5; i++) {
		cb[i] = poll_request(fd[0], POLLIN);
		CHECK(submit(ctx, &cb[i]) == 1);
	}
	FAILS(EINPROGRESS, io_cancel(ctx, &cb[2]));
	CHECK(event_of(ctx).res == 0);
	CHECK(send(fd[1], "x", 1, 0) == 1);
	CHECK(io_getevents(ctx, 4, 5, ev, NULL) == 4);
	CHECK(has_no_event(ctx));
	close_pair(fd);
}

static void a_listener_is_ready_for_who_connects(void)
{
	int l = listener();
	struct iocb cb = poll_request(l, POLLIN);
	int c = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(submit(ctx, &cb) == 1 && has_no_event(ctx));
	CHECK(connect_to(c, port_of(l)) == 0);
	CHECK(event_of(ctx).res & POLLIN);
	CHECK(close(c) == 0 && close(l) == 0);
}

static void the_peer_ends(void)
{
	int l = listener();
	int c = socket(AF_INET, SOCK_STREAM, 0);
	struct iocb cb;
	int s;

	CHECK(connect_to(c, port_of(l)) == 0);
	s = accept(l, NULL, NULL);
	cb = poll_request(s, POLLRDHUP);
	CHECK(submit(ctx, &cb) == 1 && has_no_event(ctx));
	CHECK(close(c) == 0);
	CHECK(event_of(ctx).res & POLLRDHUP);
	CHECK(close(s) == 0 && close(l) == 0);
}

static void end_with_polls(void)
{
	struct iocb cb;
	int fd[2];

	ctx = context(8);
	udp_pair(fd);
	cb = poll_request(fd[0], POLLIN);
	CHECK(submit(ctx, &cb) == 1 && submit(ctx, &cb) == 1);
	CHECK(close(fd[0]) == 0);
	raise(SIGKILL);
}

static void polls_end_with_the_process(void)
{
	for (int i = 0; i < 5; i++)
		CHECK(in_child(end_with_polls) == SIGKILL);
}

static void make_context(void)
{
	ctx = context(16);
}

RUN(TEST(make_context), TEST(a_socket_that_is_ready_is_told_at_once),
    TEST(a_waiter_is_told), TEST(nobody_need_wait), TEST(an_eventfd_is_told),
    TEST(several_polls_of_one_socket), TEST(a_listener_is_ready_for_who_connects),
    TEST(the_peer_ends), TEST(polls_end_with_the_process))
