/* SPDX-License-Identifier: MIT */
/* differ_option.h - differ_socket.c's options, ioctls and fcntls. Left out is what says
 * how much memory a packet takes, when something was, and what makes a stream wait or
 * lose. */
#pragma once
#include "differ_message.h"

enum { UNIX_FILE = 0x89e0 }; /* SIOCUNIXFILE */
enum {
	SET = 1,
	GET = 2,
	BOTH = 3,
	DGRAM = 4,
	STREAM = 8,
	UNIX = 16,
	OWN = 32,
	INET = 64,
	MEMORY = 128
};

struct option_known {
	int level, name, how;
	const char *text;
};

/* clang-format off */
#define OPTION(level, name, how) {level, name, how, #name}
static const struct option_known options[] = {
	OPTION(SOL_SOCKET, SO_TYPE, BOTH), OPTION(SOL_SOCKET, SO_DOMAIN, BOTH),
	OPTION(SOL_SOCKET, SO_PROTOCOL, BOTH), OPTION(SOL_SOCKET, SO_ACCEPTCONN, BOTH),
	OPTION(SOL_SOCKET, SO_ERROR, BOTH), OPTION(SOL_SOCKET, SO_ERROR, GET),
	OPTION(SOL_SOCKET, SO_ERROR, GET), OPTION(SOL_SOCKET, SO_REUSEADDR, GET),
	OPTION(SOL_SOCKET, SO_REUSEADDR, BOTH | DGRAM), OPTION(SOL_SOCKET, SO_KEEPALIVE, BOTH),
	OPTION(SOL_SOCKET, SO_BROADCAST, BOTH), OPTION(SOL_SOCKET, SO_OOBINLINE, BOTH),
	OPTION(SOL_SOCKET, SO_RCVLOWAT, BOTH), OPTION(SOL_SOCKET, SO_SNDLOWAT, BOTH),
	OPTION(SOL_SOCKET, SO_PASSCRED, BOTH), OPTION(SOL_SOCKET, SO_PASSCRED, SET | UNIX),
	OPTION(SOL_SOCKET, SO_PEEK_OFF, BOTH), OPTION(SOL_SOCKET, SO_PEEK_OFF, BOTH | UNIX),
	OPTION(SOL_SOCKET, SO_PRIORITY, BOTH), OPTION(SOL_SOCKET, SO_TIMESTAMP, GET),
	OPTION(SOL_SOCKET, SO_RXQ_OVFL, BOTH), OPTION(SOL_SOCKET, SO_DONTROUTE, GET),
	OPTION(SOL_SOCKET, SO_NO_CHECK, BOTH | MEMORY), OPTION(SOL_SOCKET, SO_SELECT_ERR_QUEUE, BOTH),
	OPTION(SOL_SOCKET, SO_RCVTIMEO, GET), OPTION(SOL_SOCKET, SO_PEERNAME, GET | DGRAM),
	OPTION(SOL_SOCKET, SO_LOCK_FILTER, GET), OPTION(SOL_SOCKET, SO_BINDTODEVICE, GET | INET),
	OPTION(SOL_SOCKET, SO_BSDCOMPAT, BOTH), OPTION(SOL_SOCKET, SO_DETACH_FILTER, SET),
	OPTION(SOL_IP, IP_TTL, BOTH), OPTION(SOL_IP, IP_TOS, BOTH),
	OPTION(SOL_IP, IP_RECVTTL, BOTH | DGRAM), OPTION(SOL_IP, IP_RECVTOS, BOTH | DGRAM),
	OPTION(SOL_IP, IP_PKTINFO, BOTH | DGRAM), OPTION(SOL_IP, IP_RECVERR, BOTH),
	OPTION(SOL_IP, IP_RECVERR, SET | DGRAM), OPTION(SOL_IP, IP_MTU_DISCOVER, BOTH),
	OPTION(SOL_IP, IP_MULTICAST_TTL, BOTH | DGRAM),
	OPTION(SOL_IP, IP_MULTICAST_LOOP, BOTH), 
	OPTION(SOL_IP, IP_FREEBIND, BOTH), OPTION(SOL_IP, IP_RECVORIGDSTADDR, BOTH | DGRAM),
	OPTION(SOL_IP, IP_BIND_ADDRESS_NO_PORT, GET), OPTION(SOL_IP, IP_MINTTL, GET),
	OPTION(SOL_IP, 998, BOTH), OPTION(SOL_IP, IP_MULTICAST_IF, BOTH | DGRAM | OWN),
	OPTION(SOL_IP, IP_UNICAST_IF, BOTH | OWN), OPTION(SOL_IP, IP_TRANSPARENT, BOTH | OWN),
	OPTION(SOL_IPV6, IPV6_V6ONLY, BOTH | DGRAM), OPTION(SOL_IPV6, IPV6_V6ONLY, SET),
	OPTION(SOL_IPV6, IPV6_UNICAST_HOPS, BOTH), OPTION(SOL_IPV6, IPV6_TCLASS, BOTH),
	OPTION(SOL_IPV6, IPV6_RECVTCLASS, BOTH | DGRAM), OPTION(SOL_IPV6, IPV6_RECVPKTINFO, BOTH | DGRAM),
	OPTION(SOL_IPV6, IPV6_RECVHOPLIMIT, BOTH | DGRAM), OPTION(SOL_IPV6, IPV6_RECVERR, BOTH),
	OPTION(SOL_IPV6, IPV6_MTU_DISCOVER, BOTH),
	OPTION(SOL_IPV6, IPV6_MULTICAST_HOPS, BOTH | DGRAM), OPTION(SOL_IPV6, IPV6_MULTICAST_LOOP, BOTH),
	OPTION(SOL_IPV6, IPV6_DONTFRAG, BOTH), OPTION(SOL_IPV6, IPV6_FREEBIND, BOTH),
	OPTION(SOL_IPV6, IPV6_MULTICAST_ALL, BOTH), OPTION(SOL_IPV6, IPV6_MINHOPCOUNT, GET),
	OPTION(SOL_IPV6, IPV6_ADDRFORM, BOTH | DGRAM), OPTION(SOL_IPV6, IPV6_MULTICAST_IF, BOTH | DGRAM | OWN),
	OPTION(SOL_TCP, TCP_NODELAY, GET), OPTION(SOL_TCP, TCP_CORK, GET),
	OPTION(SOL_TCP, TCP_KEEPIDLE, BOTH), OPTION(SOL_TCP, TCP_KEEPINTVL, BOTH),
	OPTION(SOL_TCP, TCP_KEEPCNT, BOTH), OPTION(SOL_TCP, TCP_SYNCNT, BOTH),
	OPTION(SOL_TCP, TCP_LINGER2, GET), OPTION(SOL_TCP, TCP_USER_TIMEOUT, GET),
	OPTION(SOL_TCP, TCP_NOTSENT_LOWAT, GET), OPTION(SOL_TCP, TCP_FASTOPEN, GET),
	OPTION(SOL_TCP, TCP_INQ, BOTH), OPTION(SOL_TCP, TCP_REPAIR, GET),
	OPTION(SOL_UDP, UDP_CORK, BOTH), OPTION(SOL_UDP, UDP_SEGMENT, BOTH),
	OPTION(SOL_UDP, UDP_GRO, BOTH), OPTION(SOL_UDP, UDP_NO_CHECK6_TX, BOTH),
	OPTION(SOL_UDP, UDP_NO_CHECK6_RX, BOTH), OPTION(SOL_UDP, 77, BOTH),
	OPTION(SOL_SOCKET, 999, BOTH), OPTION(SOL_IP, 999, BOTH), OPTION(SOL_TCP, 999, BOTH),
	OPTION(SOL_IPV6, 999, BOTH), OPTION(-1, 1, BOTH), OPTION(999, 1, BOTH),
	OPTION(SOL_NETLINK, NETLINK_PKTINFO, BOTH), OPTION(SOL_NETLINK, NETLINK_EXT_ACK, GET),
	OPTION(SOL_NETLINK, NETLINK_CAP_ACK, BOTH), OPTION(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, SET),
	OPTION(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, GET), OPTION(SOL_NETLINK, NETLINK_GET_STRICT_CHK, BOTH),
	OPTION(SOL_PACKET, PACKET_AUXDATA, BOTH), OPTION(SOL_PACKET, PACKET_VERSION, BOTH),
	OPTION(SOL_PACKET, PACKET_ORIGDEV, BOTH), OPTION(SOL_PACKET, PACKET_STATISTICS, GET),
	OPTION(SOL_RAW, 1 /* ICMP_FILTER */, BOTH),
};
/* clang-format on */

HELPER const struct option_known *option_for(const struct slot *s)
{
	for (;;) {
		const struct option_known *o = &ONE_OF(options);
		bool mine = o->level == SOL_SOCKET || one_in(12);

		mine |= o->level == SOL_IP && s->domain == AF_INET;
		mine |= o->level == SOL_IPV6 && s->domain == AF_INET6;
		mine |= o->level == SOL_TCP && is_tcp(s);
		mine |= o->level == SOL_UDP && is_inet_dgram(s);
		mine |= o->level == SOL_NETLINK && s->domain == AF_NETLINK;
		mine |= o->level == SOL_PACKET && s->domain == AF_PACKET;
		if (!mine || ((o->how & DGRAM) && is_tcp(s)) ||
		    ((o->how & UNIX) && s->domain != AF_UNIX) ||
		    ((o->how & INET) && s->domain == AF_UNIX) ||
		    ((o->how & MEMORY) && run.in_host) || ((o->how & OWN) && !run.own))
			continue;
		return o;
	}
}

HELPER socklen_t option_len(socklen_t usual)
{
	static const socklen_t odd[] = {0,	   1, 2, 3, 5, 8, 16, 64, (socklen_t)-1,
					0x7fffffff};

	return one_in(8) ? ONE_OF(odd) : usual;
}

HELPER void do_setsockopt(struct slot *s)
{
	static const int values[] = {0, 1, 1, 1, 2, 5, 64, 255, 256, -1, -2, 1 << 20};
	const struct option_known *o = option_for(s);
	int value[16] = {ONE_OF(values)};
	socklen_t len = option_len(sizeof(int));
	long r;

	if (!(o->how & SET))
		return;
	/* Of what came before it was asked for, Linux does not know where it came to. */
	if (o->name == IP_PKTINFO && o->level == SOL_IP && (s->polled & POLLIN))
		return;
	/* Of TCP in memory it is not heeded. */
	if (o->name == SO_PEEK_OFF && o->level == SOL_SOCKET && is_tcp(s))
		return;
	/* A connection that was reset has no port any more. */
	if (o->name == IPV6_V6ONLY && is_tcp(s) && port_of_slot(s))
		return;
	if (len == 0x7fffffff)
		len = 64;
	say(" setsockopt %d.%s %d/%d", o->level, o->text, value[0], (int)len);
	/* IPv6 takes no address for 0, others do not look at it for a level they have
	 * not. */
	if (o->name == IPV6_ADDRFORM && o->level == SOL_IPV6 && notes->held[s->origin])
		return;
	if (o->level == SOL_UDP && o->name == UDP_CORK)
		notes->held[s->origin] = notes->corked[s->origin] = is_inet_dgram(s);
	s->is_low |= o->level == SOL_SOCKET &&
		     (o->name == SO_RCVLOWAT || o->name == SO_OOBINLINE);
	r = setsockopt(s->fd, o->level, o->name,
		       o->level != SOL_SOCKET || len < 4
			       ? value
			       : place(value, sizeof(int), true),
		       len);
	say_result(r);
}

HELPER void do_getsockopt(struct slot *s)
{
	const struct option_known *o = option_for(s);
	char value[256];
	socklen_t len = option_len(sizeof(int)), got = len;
	long r;

	if (!(o->how & GET))
		return;
	memset(value, 0x5a, sizeof(value));
	/* IPv6 takes it for much, others find first that the level is none of theirs. */
	if (o->level != SOL_SOCKET && len == (socklen_t)-1)
		got = len = 5;
	say(" getsockopt %d.%s /%d", o->level, o->text, (int)len);
	if (len > sizeof(value) && len < 0x7fffffff)
		got = len = sizeof(value);
	r = getsockopt(s->fd, o->level, o->name,
		       o->level == SOL_SOCKET ? place(value, sizeof(value), false)
					      : value,
		       o->level == SOL_SOCKET ? place(&got, sizeof(got), false) : &got);
	if (say_result(r) < 0)
		return;
	say("/%u", got);
	if (o->name == SO_PEERNAME && o->level == SOL_SOCKET && got < 16)
		return;
	if (o->name == SO_PEERNAME && o->level == SOL_SOCKET)
		say_address(value, got);
	else
		say_bytes(value, got > sizeof(value) ? sizeof(value) : got);
}

HELPER void do_linger(struct slot *s)
{
	struct linger l = {(int)pick(2), 0};

	say(" linger %d", l.l_onoff);
	say_result(setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &l, pick(9)));
}

HELPER void do_membership(struct slot *s)
{
	struct ip_mreqn m = {.imr_ifindex = (int)pick(3)};
	struct ipv6_mreq m6 = {.ipv6mr_interface = pick(3)};
	bool join = !one_in(3);
	int name = join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;

	if (!run.own)
		return;
	if (one_in(2)) {
		m.imr_multiaddr.s_addr = htonl(one_in(6) ? 0x7f000001 : 0xef010101);
		say(" %s %d", join ? "join" : "leave", m.imr_ifindex);
		say_result(setsockopt(s->fd, SOL_IP, name, &m, 1 + pick(sizeof(m))));
		return;
	}
	inet_pton(AF_INET6, one_in(2) ? "ff02::1" : "ff01::7", &m6.ipv6mr_multiaddr);
	name = join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP;
	say(" %s6 %u", join ? "join" : "leave", m6.ipv6mr_interface);
	say_result(setsockopt(s->fd, SOL_IPV6, name, &m6, 1 + pick(sizeof(m6) + 1)));
}

HELPER void do_ioctl(struct slot *s)
{
	static const struct {
		unsigned long number;
		const char *text;
	} calls[] = {
		{FIONREAD, "FIONREAD"},
		{SIOCATMARK, "SIOCATMARK"},
		{SIOCATMARK, "SIOCATMARK"},
		{SIOCGPGRP, "SIOCGPGRP"},
		{FIOGETOWN, "FIOGETOWN"},
		{0x8900, "8900"},
		{0x89ff, "89ff"},
		{TCGETS, "TCGETS"},
		{FIOCLEX, "FIOCLEX"},
		{FIONCLEX, "FIONCLEX"},
		{UNIX_FILE, "SIOCUNIXFILE"},
		{FIOQSIZE, "FIOQSIZE"},
		{0x12345678, "12345678"},
		{SIOCOUTQ, "SIOCOUTQ"},
		{SIOCGIFINDEX, "SIOCGIFINDEX"},
	};
	struct ifreq ifr = {.ifr_name = "lo"};
	unsigned i = pick(sizeof(calls) / sizeof(calls[0]));
	long r;

	/* of a stream, what has been acknowledged; of Unix sockets, memory */
	if (calls[i].number == SIOCOUTQ && (!is_inet_dgram(s) || notes->held[s->origin]))
		return;
	say(" ioctl %s", calls[i].text);
	if (calls[i].number == FIONREAD && notes->urgent_sent && s->domain == AF_UNIX)
		return;
	r = ioctl(s->fd, calls[i].number,
		  calls[i].number == FIONREAD ? place(&ifr, 4, false) : &ifr);
	if (say_result(r) == 0 && calls[i].number == FIOGETOWN)
		*(int *)ifr.ifr_name = *(int *)ifr.ifr_name == getpid();
	if (r == 0 && calls[i].number == SIOCGPGRP)
		*(int *)ifr.ifr_name = *(int *)ifr.ifr_name == getpid();
	if (r == 0)
		say(".%d", calls[i].number == SIOCGIFINDEX ? ifr.ifr_ifindex
							   : *(int *)ifr.ifr_name);
	if (r >= 0 && calls[i].number == UNIX_FILE)
		close((int)r);
}

HELPER void do_fcntl(struct slot *s)
{
	int flags_now = fcntl(s->fd, F_GETFL);
	struct f_owner_ex o = {F_OWNER_PID, getpid()};
	unsigned what = pick(6);

	say(" fcntl%u", what);
	/* SIGIO for what the host has comes a moment later. */
	if (what == 0 && (!run.in_host || s->domain == AF_UNIX)) {
		say_result(fcntl(s->fd, F_SETOWN, getpid()));
		say_result(fcntl(s->fd, F_SETFL, flags_now ^ O_ASYNC));
	} else if (what == 1) {
		say_result(fcntl(s->fd, F_SETFL, flags_now & ~O_NONBLOCK));
		say(".%x", (unsigned)fcntl(s->fd, F_GETFL));
		say_result(fcntl(s->fd, F_SETFL, flags_now));
	} else if (what == 2 && (!run.in_host || s->domain == AF_UNIX)) {
		say_result(fcntl(s->fd, F_SETOWN_EX, &o));
		say(" %s", fcntl(s->fd, F_GETOWN) == getpid() ? "me" : "no");
	} else if (what == 3) {
		say_result(fcntl(s->fd, F_SETFL, flags_now | O_APPEND | O_DIRECT));
	} else if (what == 4) {
		say_result(fcntl(s->fd, F_GETFD));
		say(".%x", (unsigned)flags_now);
	} else if (what == 5) {
		say_result(fcntl(s->fd, F_SETPIPE_SZ, 4096));
		say_result(fcntl(s->fd, F_ADD_SEALS, 1));
		say_result(fcntl(s->fd, F_SETLEASE, F_RDLCK));
	}
}

/* What files can do and sockets cannot. */
HELPER void do_as_file(struct slot *s)
{
	struct stat st;
	char text[64] = "", name[64];

	say(" file%s", lseek(s->fd, 0, SEEK_SET) < 0 ? strerrorname_np(errno) : "!");
	say_result(pread(s->fd, text, 8, 0));
	say_result(pwrite(s->fd, text, 8, 0));
	say_result(ftruncate(s->fd, 0));
	say_result(fsync(s->fd));
	say_result(fallocate(s->fd, 0, 0, 5));
	if (!is_tcp(s)) /* TCP_ZEROCOPY_RECEIVE */
		say_result(mmap(NULL, 1, PROT_READ, MAP_SHARED, s->fd, 0) == MAP_FAILED
				   ? -1
				   : 0);
	say_result(fchdir(s->fd));
	say_result(readahead(s->fd, 0, 5));
	say_result(posix_fadvise(s->fd, 0, 0, 0));
	if (fstat(s->fd, &st) == 0)
		say(" %o.%ld.%ld.%ld", st.st_mode, (long)st.st_size, (long)st.st_nlink,
		    (long)st.st_blksize);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", s->fd);
	say_result(readlink(name, text, 7));
	say_result(open(name, O_RDWR));
}
