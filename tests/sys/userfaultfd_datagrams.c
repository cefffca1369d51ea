/* SPDX-License-Identifier: MIT */
/* calls: userfaultfd sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg */
/* net */
/* userfaultfd_datagrams.c - datagrams to and from memory that is missing: each call waits
 * for the pages that it touches, and nothing is lost. */
#include "uffd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PAGES = 32 };

static int uffd, udp;
static int faults; /* atomic */

static void *serve(void *arg)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	struct uffd_msg m;

	(void)arg;
	memset(page, 's', PAGE);
	while (read(uffd, &m, sizeof(m)) == sizeof(m)) {
		struct uffdio_copy c = {m.arg.pagefault.address & -PAGE, (uintptr_t)page,
					PAGE, 0, 0};

		__atomic_fetch_add(&faults, 1, __ATOMIC_SEQ_CST);
		CHECK(ioctl(uffd, UFFDIO_COPY, &c) == 0 || errno == EEXIST);
	}
	return NULL;
}

static char *missing(void)
{
	char *p = pages(PAGES);

	CHECK(uffd_register(uffd, p, PAGES, UFFDIO_REGISTER_MODE_MISSING) == 0);
	__atomic_store_n(&faults, 0, __ATOMIC_SEQ_CST);
	return p;
}

static bool has_waited(int times)
{
	return __atomic_load_n(&faults, __ATOMIC_SEQ_CST) == times;
}

/* A socket that is connected to itself; only who is privileged may have the kernel wait.
 */
static bool set_up(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct timeval patience = {20, 0};
	socklen_t len = sizeof(a);
	pthread_t t;

	if (!is_root())
		return false;
	if (udp)
		return true;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(udp >= 0 && bind(udp, (void *)&a, len) == 0);
	CHECK(getsockname(udp, (void *)&a, &len) == 0);
	CHECK(connect(udp, (void *)&a, len) == 0);
	CHECK(setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	uffd = uffd_open(0, 0);
	CHECK(pthread_create(&t, NULL, serve, NULL) == 0);
	return true;
}

static char data[6000], got[6000];

static void one_piece(void)
{
	char *p;

	if (!set_up())
		return;
	memset(data, 'd', sizeof(data));
	p = missing();
	CHECK(send(udp, p, 5000, 0) == 5000 && has_waited(2));
	CHECK(recv(udp, got, sizeof(got), 0) == 5000 && got[0] == 's' &&
	      got[4999] == 's');
	CHECK(send(udp, data, 6000, 0) == 6000);
	p = missing();
	CHECK(recv(udp, p, 5000, 0) == 5000 && has_waited(2));
	CHECK(p[0] == 'd' && p[4999] == 'd' && p[5000] == 's');
	p = missing();
	CHECK(write(udp, p, 5000) == 5000 && has_waited(2));
	p = missing();
	CHECK(read(udp, p, 5000) == 5000 && has_waited(2) && p[4999] == 's');
}

/* Not for what is behind a datagram, nor for what cannot be sent. */
static void what_is_not_touched_may_be_missing(void)
{
	char *p;

	if (!set_up())
		return;
	CHECK(send(udp, data, 100, 0) == 100);
	p = missing();
	CHECK(recv(udp, p, PAGES * PAGE, 0) == 100 && has_waited(1));
	CHECK(p[99] == 'd' && p[100] == 's');
	CHECK(send(udp, data, 0, 0) == 0);
	p = missing();
	CHECK(recv(udp, p, PAGES * PAGE, 0) == 0 && has_waited(0));
	FAILS(EMSGSIZE, send(udp, p, 70000, 0));
	FAILS(EAGAIN, recv(udp, p, 100, MSG_DONTWAIT));
	CHECK(has_waited(0));
}

static void it_can_be_peeked_at(void)
{
	char *p;

	if (!set_up())
		return;
	CHECK(send(udp, data, 6000, 0) == 6000);
	p = missing();
	CHECK(recv(udp, p, 5000, MSG_PEEK | MSG_TRUNC) == 6000 && has_waited(2));
	p = missing();
	CHECK(recv(udp, p, 5000, MSG_TRUNC) == 6000 && has_waited(2));
	CHECK(p[4999] == 'd' && p[5000] == 's');
}

static void many_pieces(void)
{
	struct mmsghdr many[2];
	struct iovec v[2];
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 2};
	char *p;

	if (!set_up())
		return;
	p = missing();
	v[0] = (struct iovec){p, 10};
	v[1] = (struct iovec){p + 2 * PAGE, 10};
	CHECK(sendmsg(udp, &h, 0) == 20 && has_waited(2));
	p = missing();
	v[0].iov_base = p;
	v[1].iov_base = p + 2 * PAGE;
	CHECK(recvmsg(udp, &h, 0) == 20 && has_waited(2) && p[2 * PAGE + 9] == 's');
	memset(many, 0, sizeof(many));
	p = missing();
	for (size_t i = 0; i < 2; i++) {
		v[i].iov_base = p + 2 * i * PAGE;
		many[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	CHECK(sendmmsg(udp, many, 2, 0) == 2 && has_waited(2));
	p = missing();
	for (size_t i = 0; i < 2; i++)
		v[i].iov_base = p + 2 * i * PAGE;
	CHECK(recvmmsg(udp, many, 2, 0, NULL) == 2 && has_waited(2));
	CHECK(many[0].msg_len == 10 && many[1].msg_len == 10 && p[2 * PAGE] == 's');
}

/* A bad address is one also for who has such memory: what comes is lost, as ever. */
static void bad_addresses_are_faults(void)
{
	char *edge = page_edge();

	if (!set_up())
		return;
	FAILS(EFAULT, send(udp, edge, 10, 0));
	FAILS(EFAULT, send(udp, edge - 5, 10, 0));
	CHECK(send(udp, data, 100, 0) == 100);
	FAILS(EFAULT, recv(udp, edge - 5, 100, 0));
	CHECK(munmap(edge - PAGE, PAGE) == 0);
	FAILS(EAGAIN, recv(udp, got, 100, MSG_DONTWAIT));
}

/* The address is looked at last. */
static void other_errors_come_before_faults(void)
{
	char *edge = page_edge();
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (!set_up())
		return;
	CHECK(s >= 0);
	FAILS(EDESTADDRREQ, send(s, edge, 10, 0));
	FAILS(EDESTADDRREQ, send(s, edge - 5, 10, 0));
	FAILS(EMSGSIZE, send(udp, edge, 65508, 0));
	FAILS(EMSGSIZE, send(udp, edge, 65536, 0));
	CHECK(close(s) == 0 && munmap(edge - PAGE, PAGE) == 0);
}

RUN(TEST(one_piece), TEST(what_is_not_touched_may_be_missing), TEST(it_can_be_peeked_at),
    TEST(many_pieces), TEST(bad_addresses_are_faults),
    TEST(other_errors_come_before_faults))
