/* SPDX-License-Identifier: MIT */
/* net */
/* net_none.c - with --net=none the wall lets nobody make an internet socket, nor ask what
 * interfaces the host has: the sandbox's own are in memory. */
#include "raw.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static bool is_alone(void)
{
	struct if_nameindex *all = if_nameindex();
	bool is_it;

	CHECK(all);
	is_it = all[0].if_index && !all[1].if_index;
	if_freenameindex(all);
	return is_it;
}

static void dies(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	int status = raw_attempt(nr, a, b, c, 0, 0, 0);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void sockets_are_not_the_hosts(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0);
	close(s);
	if (!is_alone())
		exit(77);
	dies(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	dies(SYS_socket, AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	dies(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	dies(SYS_socket, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	dies(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	dies(SYS_ioctl, 0, SIOCGIFCONF, 0);
}

RUN(TEST(sockets_are_not_the_hosts))
