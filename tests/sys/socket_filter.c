/* SPDX-License-Identifier: MIT */
/* net */
/* Filters of sockets: SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_LOCK_FILTER, SO_GET_FILTER.
 */
/* calls: setsockopt getsockopt */
#include "unix_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#ifndef SO_ATTACH_BPF
#define SO_ATTACH_BPF 50
#endif
#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#endif
#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

static int p[2];

static void pair(int type)
{
	CHECK(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, p) == 0);
}

static void shut(void)
{
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

static int attach_to(int fd, struct sock_filter *f, size_t n)
{
	struct sock_fprog prog = {(unsigned short)n, f};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
}
#define ATTACH(fd, f) attach_to(fd, f, sizeof(f) / sizeof((f)[0]))

static int set_int(int fd, int name, int value)
{
	return setsockopt(fd, SOL_SOCKET, name, &value, sizeof value);
}

static int get_int(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	CHECK(getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 && len == 4);
	return value;
}

/* Keeps so many bytes of what begins with an 'a', nothing of the rest. */
#define STARTS_WITH_A(keep)                                                              \
	{                                                                                \
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),                                   \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'a', 0, 1),                  \
			BPF_STMT(BPF_RET | BPF_K, keep), BPF_STMT(BPF_RET | BPF_K, 0),   \
	}

static void packets_pass_or_are_forgotten(void)
{
	struct sock_filter f[] = STARTS_WITH_A(100);
	char b[16];

	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += 3) {
		pair(type);
		CHECK(ATTACH(p[1], f) == 0);
		CHECK(write(p[0], "axe", 3) == 3 && write(p[0], "bee", 3) == 3);
		CHECK(write(p[0], "ant", 3) == 3);
		CHECK(read(p[1], b, 16) == 3 && memcmp(b, "axe", 3) == 0);
		CHECK(read(p[1], b, 16) == 3 && memcmp(b, "ant", 3) == 0);
		FAILS(EAGAIN, read(p[1], b, 16));
		/* The other way it does not matter. */
		CHECK(write(p[1], "bee", 3) == 3 && read(p[0], b, 16) == 3);
		CHECK(set_int(p[1], SO_DETACH_FILTER, 0) == 0);
		CHECK(write(p[0], "bee", 3) == 3 && read(p[1], b, 16) == 3);
		shut();
	}
}

static void packets_are_cut(void)
{
	struct sock_filter f[] = STARTS_WITH_A(2);
	struct sock_filter rest[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
				     BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1),
				     BPF_STMT(BPF_RET | BPF_A, 0)};
	char b[16];

	pair(SOCK_DGRAM);
	CHECK(ATTACH(p[1], f) == 0);
	CHECK(write(p[0], "apple", 5) == 5 && write(p[0], "a", 1) == 1);
	CHECK(recv(p[1], b, 16, MSG_TRUNC) == 2 && memcmp(b, "ap", 2) == 0);
	CHECK(read(p[1], b, 16) == 1);
	CHECK(ATTACH(p[1], rest) == 0); /* in place of the first */
	CHECK(write(p[0], "pear", 4) == 4 && write(p[0], "x", 1) == 1);
	CHECK(read(p[1], b, 16) == 3 && memcmp(b, "pea", 3) == 0);
	FAILS(EAGAIN, read(p[1], b, 16));
	/* No byte to look at. */
	CHECK(ATTACH(p[1], f) == 0 && write(p[0], "", 0) == 0);
	FAILS(EAGAIN, read(p[1], b, 16));
	shut();
}

static void dropped_packets_take_no_room(void)
{
	struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	static char b[1000];

	pair(SOCK_DGRAM);
	CHECK(ATTACH(p[1], none) == 0);
	for (int i = 0; i < 5000; i++)
		CHECK(write(p[0], b, sizeof b) == sizeof b);
	shut();
}

static void descriptors_go_with_the_packet(void)
{
	struct sock_filter f[] = STARTS_WITH_A(100);
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c = {0};
	struct iovec iov = {(char *)"bee", 3};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = c.room,
			   .msg_controllen = sizeof c.room};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int pipes[2];
	char b;

	pair(SOCK_DGRAM);
	CHECK(pipe(pipes) == 0 && ATTACH(p[1], f) == 0);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &pipes[1], sizeof(int));
	CHECK(sendmsg(p[0], &m, 0) == 3 && close(pipes[1]) == 0);
	CHECK(read(pipes[0], &b, 1) == 0 && close(pipes[0]) == 0);
	shut();
}

static void loads(void)
{
	/* Passes what says its own length in the second half word. */
	struct sock_filter half[] = {BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
				     BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
				     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, ~0U),
				     BPF_STMT(BPF_RET | BPF_K, 0)};
	/* A ^ X, of the words at 0 and at 4, must be 0x01010101. */
	struct sock_filter xor
		[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		      BPF_STMT(BPF_MISC | BPF_TAX, 0),
		      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		      BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			       (unsigned)(SKF_AD_OFF + SKF_AD_ALU_XOR_X)),
		      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x01010101, 0, 1),
		      BPF_STMT(BPF_RET | BPF_K, ~0U),
		      BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_filter device[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						(unsigned)(SKF_AD_OFF + SKF_AD_IFINDEX)),
				       BPF_STMT(BPF_RET | BPF_K, ~0U)};
	struct sock_filter protocol[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (unsigned)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ~0U), BPF_STMT(BPF_RET | BPF_K, 0)};
	char b[16];

	pair(SOCK_DGRAM);
	CHECK(ATTACH(p[1], half) == 0);
	CHECK(write(p[0], "xy\0\5z", 5) == 5 && write(p[0], "xy\0\4z", 5) == 5);
	CHECK(write(p[0], "xyz", 3) == 3);
	CHECK(read(p[1], b, 16) == 5 && b[3] == 5);
	FAILS(EAGAIN, read(p[1], b, 16));
	CHECK(ATTACH(p[1], xor) == 0);
	CHECK(write(p[0], "bbbbaaaa", 8) == 8 && write(p[0], "bbbbcccc", 8) == 8);
	CHECK(read(p[1], b, 16) == 8 && b[4] == 'c');
	FAILS(EAGAIN, read(p[1], b, 16));
	CHECK(ATTACH(p[1], device) == 0 && write(p[0], "abc", 3) == 3);
	FAILS(EAGAIN, read(p[1], b, 16));
	CHECK(ATTACH(p[1], protocol) == 0 && write(p[0], "abc", 3) == 3);
	CHECK(read(p[1], b, 16) == 3);
	shut();
}

static void streams_do_not_ask(void)
{
	struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	char b[8];

	pair(SOCK_STREAM);
	CHECK(ATTACH(p[1], none) == 0);
	CHECK(write(p[0], "bee", 3) == 3 && read(p[1], b, 8) == 3);
	shut();
}

static void filters_are_told(void)
{
	struct sock_filter f[] = STARTS_WITH_A(7), got[8];
	socklen_t len = 0;

	pair(SOCK_DGRAM);
	CHECK(getsockopt(p[1], SOL_SOCKET, SO_GET_FILTER, NULL, &len) == 0 && len == 0);
	CHECK(ATTACH(p[1], f) == 0);
	CHECK(getsockopt(p[1], SOL_SOCKET, SO_GET_FILTER, NULL, &len) == 0 && len == 4);
	len = 3;
	FAILS(EINVAL, getsockopt(p[1], SOL_SOCKET, SO_GET_FILTER, got, &len));
	len = 8;
	CHECK(getsockopt(p[1], SOL_SOCKET, SO_GET_FILTER, got, &len) == 0 && len == 4);
	CHECK(memcmp(got, f, sizeof f) == 0);
	FAILS(EFAULT, getsockopt(p[1], SOL_SOCKET, SO_GET_FILTER, (void *)8, &len));
	shut();
}

static void a_lock_holds(void)
{
	struct sock_filter f[] = STARTS_WITH_A(7);
	struct sock_fprog prog = {4, f};

	pair(SOCK_DGRAM);
	CHECK(get_int(p[1], SO_LOCK_FILTER) == 0 && ATTACH(p[1], f) == 0);
	CHECK(set_int(p[1], SO_LOCK_FILTER, 0) == 0);
	CHECK(set_int(p[1], SO_LOCK_FILTER, 1) == 0 &&
	      get_int(p[1], SO_LOCK_FILTER) == 1);
	CHECK(set_int(p[1], SO_LOCK_FILTER, 5) == 0);
	FAILS(EPERM, set_int(p[1], SO_LOCK_FILTER, 0));
	FAILS(EPERM, set_int(p[1], SO_DETACH_FILTER, 0));
	FAILS(EPERM, ATTACH(p[1], f));
	FAILS(EPERM, set_int(p[1], SO_ATTACH_BPF, -1));
	FAILS(EPERM,
	      setsockopt(p[1], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof prog));
	shut();
}

static void errors(void)
{
	struct sock_filter f[] = STARTS_WITH_A(7);
	struct sock_filter jump[] = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 9),
				     BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog prog = {4, f};

	pair(SOCK_DGRAM);
	FAILS(ENOENT, set_int(p[1], SO_DETACH_FILTER, 0));
	FAILS(EINVAL, setsockopt(p[1], SOL_SOCKET, SO_DETACH_FILTER, "", 1));
	FAILS(EINVAL, setsockopt(p[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, 8));
	FAILS(EINVAL, setsockopt(p[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, 3));
	FAILS(EFAULT,
	      setsockopt(p[1], SOL_SOCKET, SO_ATTACH_FILTER, (void *)8, sizeof prog));
	FAILS(EINVAL, ATTACH(p[1], jump));
	FAILS(EINVAL, attach_to(p[1], f, 0));
	FAILS(EINVAL, attach_to(p[1], f, 2));
	FAILS(EINVAL, attach_to(p[1], f, 5000));
	FAILS(EINVAL, attach_to(p[1], NULL, 4));
	FAILS(EFAULT, attach_to(p[1], (void *)8, 4));
	FAILS(EBADF, set_int(p[1], SO_ATTACH_BPF, -1));
	FAILS(EINVAL, set_int(p[1], SO_ATTACH_BPF, p[0]));
	FAILS(EBADF, set_int(p[1], SO_ATTACH_REUSEPORT_EBPF, -1));
	FAILS(EINVAL,
	      setsockopt(p[1], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof prog));
	FAILS(EINVAL, set_int(p[1], SO_DETACH_REUSEPORT_BPF, 0));
	shut();
}

static struct sockaddr_in local_name(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof a;

	CHECK(getsockname(fd, (void *)&a, &len) == 0);
	return a;
}

static int udp(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0 && bind(fd, (void *)&a, sizeof a) == 0);
	return fd;
}

/* The data come after the header of 8 bytes. */
static void udp_filters(void)
{
	struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
				  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'a', 0, 1),
				  BPF_STMT(BPF_RET | BPF_K, 10),
				  BPF_STMT(BPF_RET | BPF_K, 0)};
	int a = udp(), b = udp();
	struct sockaddr_in to = local_name(b);
	socklen_t len = 0;
	char got[16];

	CHECK(connect(a, (void *)&to, sizeof to) == 0 && ATTACH(b, f) == 0);
	CHECK(write(a, "bee", 3) == 3 && write(a, "ant", 3) == 3);
	CHECK(recv(b, got, 16, MSG_TRUNC) == 2 && memcmp(got, "an", 2) == 0);
	CHECK(getsockopt(b, SOL_SOCKET, SO_GET_FILTER, NULL, &len) == 0 && len == 4);
	CHECK(set_int(b, SO_DETACH_FILTER, 0) == 0);
	FAILS(ENOENT, set_int(b, SO_DETACH_FILTER, 0));
	CHECK(write(a, "bee", 3) == 3 && recv(b, got, 16, 0) == 3);
	CHECK(close(a) == 0 && close(b) == 0);
}

static void accepted_sockets_inherit(void)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, ~0U)};
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s;
	socklen_t len = 0;
	char b[4];

	CHECK(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 1) == 0);
	if (ATTACH(l, all) < 0) { /* newer kernels want a capability for TCP */
		CHECK(errno == EPERM && close(l) == 0 && close(c) == 0);
		return;
	}
	CHECK(set_int(l, SO_LOCK_FILTER, 1) == 0);
	a = local_name(l);
	CHECK(connect(c, (void *)&a, sizeof a) == 0);
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	CHECK(getsockopt(s, SOL_SOCKET, SO_GET_FILTER, NULL, &len) == 0 && len == 1);
	CHECK(get_int(s, SO_LOCK_FILTER) == 1);
	FAILS(EPERM, set_int(s, SO_DETACH_FILTER, 0));
	CHECK(write(c, "abc", 3) == 3 && read(s, b, 4) == 3);
	CHECK(close(l) == 0 && close(c) == 0 && close(s) == 0);
}

/* Among those that share a port the program chooses, by the first byte of the data. */
static void reuseport_programs(void)
{
	struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
				  BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, '0'),
				  BPF_STMT(BPF_RET | BPF_A, 0)};
	struct sock_fprog prog = {3, f};
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s[2], from = socket(AF_INET, SOCK_DGRAM, 0);
	char b[4];

	for (int i = 0; i < 2; i++) {
		s[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		CHECK(set_int(s[i], SO_REUSEPORT, 1) == 0);
		CHECK(bind(s[i], (void *)&a, sizeof a) == 0);
		a = local_name(s[0]);
	}
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
			 sizeof prog) == 0);
	for (int i = 0; i < 8; i++) {
		char c = (char)('0' + i % 2);

		CHECK(sendto(from, &c, 1, 0, (void *)&a, sizeof a) == 1);
		CHECK(read(s[i % 2], b, 4) == 1 && b[0] == c);
		FAILS(EAGAIN, read(s[1 - i % 2], b, 4));
	}
	CHECK(set_int(s[1], SO_DETACH_REUSEPORT_BPF, 0) == 0);
	FAILS(ENOENT, set_int(s[1], SO_DETACH_REUSEPORT_BPF, 0));
	FAILS(EINVAL, set_int(from, SO_DETACH_REUSEPORT_BPF, 0));
	CHECK(close(s[0]) == 0 && close(s[1]) == 0 && close(from) == 0);
}

/* Messages between two sockets; the program finds an attribute of type 2. */
static void netlink_filters(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LDX | BPF_IMM, 2),
		BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (unsigned)(SKF_AD_OFF + SKF_AD_NLATTR)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NLMSG_HDRLEN + 8, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ~0U),
		BPF_STMT(BPF_RET | BPF_K, 0)};
	struct {
		struct nlmsghdr h;
		struct nlattr a;
		unsigned x;
		struct nlattr b;
		unsigned y;
	} m = {.h.nlmsg_len = sizeof m, .a = {8, 1}, .b = {8, 3}};
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	int a = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	int b = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_USERSOCK);
	socklen_t len = sizeof to;
	char got[64];

	CHECK(a >= 0 && b >= 0 && bind(b, (void *)&to, sizeof to) == 0);
	CHECK(getsockname(b, (void *)&to, &len) == 0 && ATTACH(b, f) == 0);
	CHECK(sendto(a, &m, sizeof m, 0, (void *)&to, sizeof to) == sizeof m);
	FAILS(EAGAIN, read(b, got, 64));
	m.b.nla_type = 2;
	CHECK(sendto(a, &m, sizeof m, 0, (void *)&to, sizeof to) == sizeof m);
	CHECK(read(b, got, 64) == sizeof m);
	CHECK(close(a) == 0 && close(b) == 0);
}

RUN(TEST(packets_pass_or_are_forgotten), TEST(packets_are_cut),
    TEST(dropped_packets_take_no_room), TEST(descriptors_go_with_the_packet), TEST(loads),
    TEST(streams_do_not_ask), TEST(filters_are_told), TEST(a_lock_holds), TEST(errors),
    TEST(udp_filters), TEST(accepted_sockets_inherit), TEST(reuseport_programs),
    TEST(netlink_filters))
