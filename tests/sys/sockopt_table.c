/* SPDX-License-Identifier: MIT */
/* net */
/* sockopt_table.c - what options of sockets answer to values and sizes, right and wrong
 * ones: a table. A kernel that does not know an option (ENOPROTOOPT) may be without it.
 */
/* calls: setsockopt getsockopt */
#define _GNU_SOURCE
#include "inet.h"

#include <linux/netlink.h>
#include <sys/un.h>

enum { ANY = -12345 }; /* a value that is not looked at */

static const struct kind {
	const char *name;
	int family, type, protocol;
} kinds[] = {
	{"tcp", AF_INET, SOCK_STREAM, 0},     {"tcp6", AF_INET6, SOCK_STREAM, 0},
	{"udp", AF_INET, SOCK_DGRAM, 0},      {"udp6", AF_INET6, SOCK_DGRAM, 0},
	{"raw", AF_INET, SOCK_RAW, 253},      {"raw6", AF_INET6, SOCK_RAW, 253},
	{"unix", AF_UNIX, SOCK_STREAM, 0},    {"unixdgram", AF_UNIX, SOCK_DGRAM, 0},
	{"netlink", AF_NETLINK, SOCK_RAW, 0},
};
enum {
	TCP4 = 1,
	TCP6 = 2,
	UDP4 = 4,
	UDP6 = 8,
	RAW4 = 16,
	RAW6 = 32,
	UNIX = 64,
	UNIXDGRAM = 128,
	NETLINK = 256,
	TCP = TCP4 | TCP6,
	UDP = UDP4 | UDP6,
	RAW = RAW4 | RAW6,
	INET4 = TCP4 | UDP4 | RAW4,
	INET6 = TCP6 | UDP6 | RAW6,
	INET = INET4 | INET6,
	ALL = 511
};

/* set: size -1: it is only read. err: of that call. get: what is read then, with as many
 * bytes of room as `room`; or -errno of it. */
static const struct row {
	int kinds, level, name;
	int value, size, err;
	int room, got_size, get;
} rows[] = {
	/* Levels that a socket has not. */
	{INET4, SOL_IPV6, 26, 1, 4, ENOPROTOOPT, 4, 0, -EOPNOTSUPP},
	{UDP4 | RAW4, IPPROTO_TCP, TCP_NODELAY, 1, 4, ENOPROTOOPT, 4, 0, -EOPNOTSUPP},
	{TCP4, IPPROTO_UDP, 1, 1, 4, ENOPROTOOPT, 4, 0, -EOPNOTSUPP},
	{UDP6 | RAW6, IPPROTO_TCP, TCP_NODELAY, 1, 4, ENOPROTOOPT, 4, 0, -ENOPROTOOPT},
	{RAW6, SOL_IP, IP_TTL, 1, 4, ENOPROTOOPT, 4, 0, -ENOPROTOOPT},
	{UNIX | UNIXDGRAM, SOL_IP, IP_TTL, 1, 4, EOPNOTSUPP, 4, 0, -EOPNOTSUPP},
	/* SOL_SOCKET */
	{ALL, SOL_SOCKET, 41 /* WIFI_STATUS */, 7, 4, 0, 4, 4, 1},
	{ALL, SOL_SOCKET, 43 /* NOFCS */, 7, 4, 0, 4, 4, 1},
	{ALL, SOL_SOCKET, 43, 7, 3, EINVAL, 3, 3, 0},
	{ALL, SOL_SOCKET, 48 /* BPF_EXTENSIONS */, 0, -1, 0, 4, 4, ANY},
	{ALL, SOL_SOCKET, 53 /* CNX_ADVICE */, 1, 4, 0, 4, 0, -ENOPROTOOPT},
	{UDP | RAW | UNIX, SOL_SOCKET, SO_ACCEPTCONN, 0, -1, 0, 4, 4, 0},
	{ALL, SOL_SOCKET, 999, 1, 4, ENOPROTOOPT, 4, 0, -ENOPROTOOPT},
	{ALL, SOL_SOCKET, 999, 1, 3, EINVAL, 4, 0, -ENOPROTOOPT},
	{NETLINK, SOL_SOCKET, 42 /* PEEK_OFF */, 1, 4, EOPNOTSUPP, 4, 0, -EOPNOTSUPP},
	{RAW, SOL_SOCKET, 42, 1, 4, EOPNOTSUPP, 4, 0, -EOPNOTSUPP},
	{RAW, SOL_SOCKET, 42, 1, 2, EINVAL, 4, 0, -EOPNOTSUPP},
	{RAW, SOL_SOCKET, SO_ZEROCOPY, 1, 4, EOPNOTSUPP, 4, 4, 0},
	{NETLINK, SOL_SOCKET, 28 /* PEERNAME */, 0, -1, 0, 12, 12, AF_NETLINK},
	{UNIX | UNIXDGRAM | NETLINK, SOL_SOCKET, 62 /* BINDTOIFINDEX */, 1, 4, 0, 4, 4,
	 1},
	{UNIX | UNIXDGRAM | NETLINK, SOL_SOCKET, 62, -1, 4, EINVAL, 4, 4, 0},
	{ALL, SOL_SOCKET, SO_TIMESTAMPING, 8, 4, 0, 4, 4, 8},
	{ALL, SOL_SOCKET, SO_TIMESTAMPING, 1 << 16, 4, EINVAL, 4, 4, 0},
	{TCP, SOL_SOCKET, SO_TIMESTAMPING, 128, 4, EINVAL, 4, 4, 0},
	{UDP, SOL_SOCKET, SO_TIMESTAMPING, 128, 4, 0, 4, 4, 128},
	/* SOL_IP */
	{TCP | UDP, SOL_IP, 16 /* IPSEC_POLICY */, 1, 4, ANY, 4, 0, -ENOPROTOOPT},
	{RAW4, SOL_IP, 22 /* NODEFRAG */, 7, 4, 0, 4, 4, 1},
	{RAW4, SOL_IP, 5 /* ROUTER_ALERT */, 7, 4, 0, 4, 4, 1},
	{RAW4, SOL_IP, 5, 0, 4, ENOBUFS, 4, 4, 0},
	{UDP4, SOL_IP, IP_OPTIONS, 0x0100, 4, 0, 4, 4, 0}, /* behind the end */
	{UDP4, SOL_IP, IP_OPTIONS, 0x0001, 4, 0, 4, 4, 1},
	{TCP | UDP, SOL_IP, 52 /* PROTOCOL */, 0, -1, 0, 4, 4, 0},
	{RAW4, SOL_IP, 52, 0, -1, 0, 4, 4, 253},
	/* SOL_IPV6 */
	{INET6, SOL_IPV6, 62 /* DONTFRAG */, 1, 4, 0, 4, 4, 1},
	{INET6, SOL_IPV6, 62, 1, 1, 0, 4, 4, 0},
	{INET6, SOL_IPV6, 70 /* AUTOFLOWLABEL */, 1, 2, 0, 4, 4, 0},
	{INET6, SOL_IPV6, 49 /* RECVPKTINFO */, 1, 2, EINVAL, 4, 4, 0},
	{INET6, SOL_IPV6, 50 /* PKTINFO */, 0, 0, EINVAL, 4, 0, ANY},
	{INET6, SOL_IPV6, 76 /* UNICAST_IF */, 0, 8, EINVAL, 4, 4, 0},
	{RAW6, SOL_IPV6, IPV6_V6ONLY, 1, 4, EINVAL, 4, 4, ANY},
	/* SOL_TCP */
	{TCP, IPPROTO_TCP, 31 /* ULP */, 0, -1, 0, 4, 0, ANY},
	{TCP, IPPROTO_TCP, TCP_NODELAY, 1, 3, EINVAL, 4, 4, 0},
	{TCP, IPPROTO_TCP, 999, 1, 4, ENOPROTOOPT, 4, 0, -ENOPROTOOPT},
};

static bool is_known(int fd, const struct row *r)
{
	char value[64];
	socklen_t len = 4;

	return r->get == -ENOPROTOOPT || r->get == -EOPNOTSUPP ||
	       getsockopt(fd, r->level, r->name, value, &len) == 0 ||
	       errno != ENOPROTOOPT;
}

static void check(int fd, const struct row *r, const char *kind)
{
	unsigned char value[64] = {0};
	socklen_t len = (socklen_t)r->room;
	int got = 0, err = 0;

	if (!is_known(fd, r))
		return;
	memcpy(value, &r->value, sizeof(r->value));
	if (r->size >= 0 &&
	    setsockopt(fd, r->level, r->name, value, (socklen_t)r->size) < 0)
		err = errno;
	if (r->err != ANY && err != r->err)
		printf("# %s %d %d: set(%d, %d): %s\n", kind, r->level, r->name, r->value,
		       r->size, strerror(err));
	CHECK(r->err == ANY || err == r->err);
	memset(value, 0, sizeof(value));
	err = getsockopt(fd, r->level, r->name, value, &len) < 0 ? -errno : 0;
	memcpy(&got, value, r->room == 12 ? 2 : sizeof(got));
	if (r->get == ANY)
		return;
	if (err ? err != r->get : got != r->get || (int)len != r->got_size)
		printf("# %s %d %d: get: %d, %d bytes: %d\n", kind, r->level, r->name,
		       err, (int)len, got);
	CHECK(err ? err == r->get : got == r->get && (int)len == r->got_size);
}

static void the_table(void)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct kind *kind = &kinds[k];

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			int fd;

			if (!(rows[i].kinds >> k & 1))
				continue;
			fd = socket(kind->family, kind->type, kind->protocol);
			if (fd < 0) {
				CHECK(errno == EPERM || errno == EACCES);
				break; /* raw ones are not for everyone */
			}
			check(fd, &rows[i], kind->name);
			CHECK(close(fd) == 0);
		}
	}
}

static void a_stamp_has_two_numbers(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned int n[4] = {7, 7, 7, 7};
	socklen_t len = sizeof(n);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, n, &len) == 0);
	CHECK((len == 8 && !n[0] && !n[1]) || (len == 4 && !n[0]));
	CHECK(close(fd) == 0);
}

RUN(TEST(the_table), TEST(a_stamp_has_two_numbers))
