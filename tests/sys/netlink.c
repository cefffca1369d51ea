/* SPDX-License-Identifier: MIT */
/* calls: socket bind connect sendmsg recvmsg getsockopt setsockopt */
/* netlink: sockets of AF_NETLINK that talk to each other and to a kernel that refuses. */
#include "netlink.h"

#include <linux/genetlink.h>
#include <poll.h>

static void what_can_be_made(void)
{
	int type = 0;
	socklen_t len = sizeof(type);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0);
	CHECK(type == SOCK_RAW && close(fd) == 0);
	fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);
	CHECK(fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &type, &len) == 0);
	CHECK(type == NETLINK_USERSOCK && close(fd) == 0);
	FAILS(ESOCKTNOSUPPORT, socket(AF_NETLINK, SOCK_STREAM, 0));
	FAILS(ESOCKTNOSUPPORT, socket(AF_NETLINK, SOCK_SEQPACKET, 0));
	FAILS(EPROTONOSUPPORT, socket(AF_NETLINK, SOCK_RAW, -1));
	FAILS(EPROTONOSUPPORT, socket(AF_NETLINK, SOCK_RAW, 32));
	FAILS(EPROTONOSUPPORT, socket(AF_NETLINK, SOCK_RAW, 31));
	FAILS(EOPNOTSUPP, socketpair(AF_NETLINK, SOCK_RAW, 0, (int[2]){0, 0}));
}

static void names(void)
{
	int a = nl_socket(NETLINK_USERSOCK), b = nl_socket(NETLINK_USERSOCK);
	struct sockaddr_nl n;

	n = nl_name(a);
	CHECK(n.nl_family == AF_NETLINK && n.nl_pid == 0 && n.nl_groups == 0);
	CHECK(nl_bind(a, 0, 0) == 0 && nl_name(a).nl_pid == (unsigned)getpid());
	CHECK(nl_bind(a, (unsigned)getpid(), 0) == 0);
	FAILS(EINVAL, nl_bind(a, 0, 0));
	FAILS(EINVAL, nl_bind(a, 12345678, 0));
	FAILS(EADDRINUSE, nl_bind(b, (unsigned)getpid(), 0));
	CHECK(nl_bind(b, 0, 0) == 0);
	CHECK((int)nl_name(b).nl_pid < -4096);
	CHECK(close(b) == 0);
	b = nl_socket(NETLINK_ROUTE); /* ports are a protocol's own */
	CHECK(nl_bind(b, 0, 0) == 0 && nl_name(b).nl_pid == (unsigned)getpid());
	CHECK(close(a) == 0 && close(b) == 0);
	a = nl_socket(NETLINK_USERSOCK);
	n = (struct sockaddr_nl){.nl_family = AF_NETLINK};
	FAILS(EINVAL, bind(a, (void *)&n, sizeof(n) - 1));
	n.nl_family = AF_UNIX;
	FAILS(EINVAL, bind(a, (void *)&n, sizeof(n)));
	FAILS(EOPNOTSUPP, listen(a, 1));
	FAILS(EOPNOTSUPP, accept(a, NULL, NULL));
	FAILS(EOPNOTSUPP, shutdown(a, SHUT_RDWR));
	CHECK(nl_bind(a, 77777777, 0) == 0 && nl_name(a).nl_pid == 77777777);
	CHECK(close(a) == 0);
}

static void connecting(void)
{
	int a = nl_socket(NETLINK_USERSOCK);
	struct sockaddr_nl n = {.nl_family = AF_NETLINK, .nl_pid = 5, .nl_groups = 4};
	socklen_t len = sizeof(n);

	CHECK(getpeername(a, (void *)&n, &len) == 0 && n.nl_pid == 0 && len == 12);
	n = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = 5, .nl_groups = 6};
	FAILS(EINVAL, connect(a, (void *)&n, 1));
	FAILS(EINVAL, connect(a, (void *)&n, sizeof(n) - 1));
	CHECK(connect(a, (void *)&n, sizeof(n)) == 0);
	CHECK(nl_name(a).nl_pid == (unsigned)getpid());
	CHECK(getpeername(a, (void *)&n, &len) == 0 && n.nl_pid == 5 && n.nl_groups == 2);
	n.nl_family = AF_UNSPEC;
	CHECK(connect(a, (void *)&n, 2) == 0);
	CHECK(getpeername(a, (void *)&n, &len) == 0 && n.nl_pid == 0 && n.nl_groups == 0);
	n.nl_family = AF_UNIX;
	FAILS(EINVAL, connect(a, (void *)&n, sizeof(n)));
	CHECK(close(a) == 0);
}

static void between_two(void)
{
	int a = nl_socket(NETLINK_USERSOCK), b = nl_socket(NETLINK_USERSOCK);
	struct pollfd p = {.fd = b, .events = POLLIN | POLLOUT};
	struct sockaddr_nl from;
	socklen_t len = sizeof(from);
	char buf[16];

	CHECK(nl_bind(a, 0, 0) == 0 && nl_bind(b, 0, 0) == 0);
	FAILS(EAGAIN, recv(b, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	CHECK(nl_send_to(a, "hello", 5, nl_name(b).nl_pid, 0) == 5);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
	CHECK(recv(b, buf, 2, MSG_PEEK) == 2);
	CHECK(recv(b, buf, 2, MSG_PEEK | MSG_TRUNC) == 5);
	CHECK(recvfrom(b, buf, sizeof(buf), 0, (void *)&from, &len) == 5);
	CHECK(len == 12 && from.nl_family == AF_NETLINK && from.nl_groups == 0);
	CHECK(from.nl_pid == nl_name(a).nl_pid && memcmp(buf, "hello", 5) == 0);
	FAILS(ECONNREFUSED, nl_send_to(a, "x", 1, 99999999, 0));
	FAILS(ECONNREFUSED, nl_send_to(a, "x", 1, 0, 0)); /* nobody answers there */
	FAILS(ENODATA, nl_send_to(a, "", 0, nl_name(b).nl_pid, 0));
	FAILS(EOPNOTSUPP, send(a, "x", 1, MSG_OOB));
	FAILS(EOPNOTSUPP, recv(a, buf, 1, MSG_OOB));
	FAILS(EFAULT, nl_send_to(a, (void *)8, 5, nl_name(b).nl_pid, 0));
	/* Who is connected hears its peer alone. */
	from = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = 99999999};
	CHECK(connect(b, (void *)&from, sizeof(from)) == 0);
	FAILS(ECONNREFUSED, nl_send_to(a, "x", 1, nl_name(b).nl_pid, 0));
	CHECK(close(a) == 0 && close(b) == 0);
}

static void truncation_and_control(void)
{
	int a = nl_socket(NETLINK_USERSOCK), b = nl_socket(NETLINK_USERSOCK), on = 1;
	char buf[4], control[128];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	struct ucred u;

	CHECK(nl_bind(b, 0, 0) == 0);
	CHECK(setsockopt(b, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	CHECK(nl_option(b, NETLINK_PKTINFO, 1) == 0);
	CHECK(nl_send_to(a, "hello", 5, nl_name(b).nl_pid, 0) == 5);
	CHECK(recvmsg(b, &m, 0) == 4 && m.msg_flags == MSG_TRUNC);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_PKTINFO);
	CHECK(*(unsigned *)CMSG_DATA(c) == 0);
	c = CMSG_NXTHDR(&m, c);
	CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS);
	memcpy(&u, CMSG_DATA(c), sizeof(u));
	CHECK(u.pid == getpid() && u.uid == getuid() && u.gid == getgid());
	FAILS(EAGAIN, recv(b, buf, 1, MSG_DONTWAIT)); /* the rest is gone */
	CHECK(close(a) == 0 && close(b) == 0);
}

static void groups(void)
{
	int a = nl_socket(NETLINK_USERSOCK), b = nl_socket(NETLINK_USERSOCK);
	unsigned list[4] = {7, 7, 7, 7};
	socklen_t len = sizeof(list);
	struct sockaddr_nl from;
	char buf[8];

	CHECK(getsockopt(b, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, list, &len) == 0);
	CHECK(len == 0 && list[0] == 7);
	if (geteuid() != 0) {
		FAILS(EPERM, nl_bind(b, 0, 1));
		FAILS(EPERM, nl_option(b, NETLINK_ADD_MEMBERSHIP, 1));
		CHECK(close(a) == 0 && close(b) == 0);
		return;
	}
	CHECK(nl_bind(b, 0, 1 << 2) == 0 && nl_name(b).nl_groups == 1 << 2);
	CHECK(nl_option(b, NETLINK_ADD_MEMBERSHIP, 5) == 0);
	FAILS(EINVAL, nl_option(b, NETLINK_ADD_MEMBERSHIP, 0));
	FAILS(EINVAL, nl_option(b, NETLINK_ADD_MEMBERSHIP, 33));
	CHECK(nl_option(b, NETLINK_DROP_MEMBERSHIP, 3) == 0);
	CHECK(nl_name(b).nl_groups == 1 << 4);
	len = sizeof(list);
	CHECK(getsockopt(b, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, list, &len) == 0);
	CHECK(len == 4 && list[0] == 1 << 4 && list[1] == 7);
	len = 2;
	CHECK(getsockopt(b, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, list, &len) == 0);
	CHECK(len == 4);
	/* It is delivered, although nobody is where it was sent to in the first place. */
	FAILS(ECONNREFUSED, nl_send_to(a, "all", 3, 0, 1 << 4));
	len = sizeof(from);
	CHECK(recvfrom(b, buf, sizeof(buf), 0, (void *)&from, &len) == 3);
	CHECK(from.nl_groups == 1 << 4 && from.nl_pid == nl_name(a).nl_pid);
	FAILS(ECONNREFUSED, nl_send_to(a, "all", 3, 0, 1 << 5));
	FAILS(EAGAIN, recv(b, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(nl_send_to(a, "one", 3, nl_name(b).nl_pid, 1 << 4) == 3);
	CHECK(recv(b, buf, sizeof(buf), 0) == 3); /* once */
	FAILS(EAGAIN, recv(b, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(close(a) == 0 && close(b) == 0);
}

static void a_full_queue(void)
{
	int a = nl_socket(NETLINK_USERSOCK), b = nl_socket(NETLINK_USERSOCK), n = 0;
	struct timeval tv = {0, 20000};
	socklen_t len = sizeof(n);
	char buf[1000] = "";
	int sent;

	CHECK(nl_bind(b, 0, 0) == 0);
	CHECK(setsockopt(b, SOL_SOCKET, SO_RCVBUF, &(int){8192}, sizeof(int)) == 0);
	fcntl(a, F_SETFL, O_NONBLOCK);
	for (sent = 0; nl_send_to(a, buf, sizeof(buf), nl_name(b).nl_pid, 0) > 0; sent++)
		;
	CHECK(errno == EAGAIN && sent > 2 && sent < 20);
	fcntl(a, F_SETFL, 0);
	CHECK(setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0);
	FAILS(EAGAIN, nl_send_to(a, buf, sizeof(buf), nl_name(b).nl_pid, 0));
	if (geteuid() == 0) { /* messages to groups are lost instead */
		CHECK(nl_option(b, NETLINK_ADD_MEMBERSHIP, 1) == 0);
		FAILS(ECONNREFUSED, nl_send_to(a, buf, sizeof(buf), 0, 1));
		FAILS(ENOBUFS, recv(b, buf, sizeof(buf), 0));
		FAILS(ECONNREFUSED, nl_send_to(a, buf, sizeof(buf), 0, 1));
		CHECK(getsockopt(b, SOL_SOCKET, SO_ERROR, &n, &len) == 0 && n == 0);
	}
	while (sent--)
		CHECK(recv(b, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf));
	CHECK(nl_send_to(a, buf, sizeof(buf), nl_name(b).nl_pid, 0) == sizeof(buf));
	FAILS(EMSGSIZE, nl_send_to(a, buf, 1 << 24, nl_name(b).nl_pid, 0));
	CHECK(close(a) == 0 && close(b) == 0);
}

static void flags_are_kept(void)
{
	static const int flags[] = {NETLINK_PKTINFO,	NETLINK_BROADCAST_ERROR,
				    NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK,
				    NETLINK_EXT_ACK,	NETLINK_GET_STRICT_CHK};
	int fd = nl_socket(NETLINK_ROUTE), n;
	socklen_t len;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		for (int on = 1; on >= 0; on--) {
			CHECK(nl_option(fd, flags[i], on) == 0);
			len = sizeof(n);
			CHECK(getsockopt(fd, SOL_NETLINK, flags[i], &n, &len) == 0);
			CHECK(n == on && len == 4);
		}
	}
	CHECK(close(fd) == 0);
}

static void unknown_options(void)
{
	int fd = nl_socket(NETLINK_ROUTE), n;
	socklen_t len = 2;

	FAILS(EINVAL, getsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &n, &len));
	len = sizeof(n);
	FAILS(ENOPROTOOPT, getsockopt(fd, SOL_NETLINK, 99, &n, &len));
	FAILS(ENOPROTOOPT, getsockopt(fd, 6, 1, &n, &len));
	FAILS(ENOPROTOOPT, setsockopt(fd, SOL_NETLINK, 99, &n, sizeof(n)));
	FAILS(ENOPROTOOPT, setsockopt(fd, 6, 1, &n, sizeof(n)));
	CHECK(close(fd) == 0);
}

struct answer {
	struct nlmsghdr h;
	struct nlmsgerr e;
	char more[256];
};

static void ask(int fd, int type, int flags, struct answer *a, ssize_t want)
{
	struct {
		struct nlmsghdr h;
		char payload[20];
	} q = {{sizeof(q), (unsigned short)type, (unsigned short)flags, 42, 0}, {2}};

	CHECK(send(fd, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(fd, a, sizeof(*a), MSG_DONTWAIT) == want);
	CHECK(a->h.nlmsg_type == NLMSG_ERROR && a->h.nlmsg_seq == 42);
	CHECK(a->h.nlmsg_len == (unsigned)want && a->h.nlmsg_pid == nl_name(fd).nl_pid);
	CHECK(a->e.msg.nlmsg_len == sizeof(q) && a->e.msg.nlmsg_seq == 42);
}

static void acknowledgements(void)
{
	int fd = nl_socket(NETLINK_ROUTE);
	struct answer a;

	/* Types below NLMSG_MIN_TYPE mean nothing, but are acknowledged. */
	ask(fd, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, &a, 36);
	CHECK(a.e.error == 0 && a.h.nlmsg_flags == NLM_F_CAPPED);
	ask(fd, 16, NLM_F_ACK, &a, 36); /* no request */
	CHECK(a.e.error == 0);
	ask(fd, 4000, NLM_F_REQUEST, &a, 56); /* with all of the message */
	CHECK(a.e.error == -EOPNOTSUPP && a.h.nlmsg_flags == 0 && a.more[0] == 2);
	CHECK(nl_option(fd, NETLINK_CAP_ACK, 1) == 0);
	ask(fd, 4000, NLM_F_REQUEST, &a, 36);
	CHECK(a.e.error == -EOPNOTSUPP && a.h.nlmsg_flags == NLM_F_CAPPED);
	CHECK(close(fd) == 0);
}

static void several_in_one(void)
{
	int fd = nl_socket(NETLINK_ROUTE);
	struct nlmsghdr h[3] = {
		{16, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{16, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 2, 0},
		{99, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 3, 0}, /* too long */
	};
	struct answer a;

	CHECK(send(fd, h, sizeof(h), 0) == sizeof(h));
	CHECK(recv(fd, &a, sizeof(a), 0) == 36 && a.h.nlmsg_seq == 1);
	CHECK(recv(fd, &a, sizeof(a), 0) == 36 && a.h.nlmsg_seq == 2);
	FAILS(EAGAIN, recv(fd, &a, sizeof(a), MSG_DONTWAIT));
	CHECK(send(fd, h, 15, 0) == 15);
	FAILS(EAGAIN, recv(fd, &a, sizeof(a), MSG_DONTWAIT));
	CHECK(close(fd) == 0);
}

static void the_controller(void)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		char name[8];
	} q = {{sizeof(q), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0},
	       {CTRL_CMD_GETFAMILY, 1, 0},
	       {11, CTRL_ATTR_FAMILY_NAME},
	       "nlctrl"};
	char buf[4096];
	struct nlmsghdr *h = (void *)buf;
	int fd = nl_socket(NETLINK_GENERIC);

	CHECK(send(fd, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(fd, buf, sizeof(buf), 0) > 60 && h->nlmsg_type == GENL_ID_CTRL);
	CHECK(((struct genlmsghdr *)(h + 1))->cmd == CTRL_CMD_NEWFAMILY);
	memcpy(q.name, "nosuch", 7);
	CHECK(send(fd, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(fd, buf, sizeof(buf), 0) > 20 && h->nlmsg_type == NLMSG_ERROR);
	CHECK(((struct nlmsgerr *)(h + 1))->error == -ENOENT);
	q.h.nlmsg_type = 4000;
	CHECK(send(fd, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(fd, buf, sizeof(buf), 0) > 20 && h->nlmsg_type == NLMSG_ERROR);
	CHECK(((struct nlmsgerr *)(h + 1))->error == -ENOENT);
	CHECK(close(fd) == 0);
}

static void it_is_shown(void)
{
	int fd = nl_socket(NETLINK_USERSOCK);
	char line[256];
	unsigned pid;
	int proto, found = 0;
	FILE *f;

	CHECK(nl_bind(fd, 87654321, 0) == 0);
	f = fopen("/proc/net/netlink", "r");
	CHECK(f && fgets(line, sizeof(line), f) && strncmp(line, "sk ", 3) == 0);
	while (fgets(line, sizeof(line), f))
		found += sscanf(line, "%*s %d %u", &proto, &pid) == 2 &&
			 proto == NETLINK_USERSOCK && pid == 87654321;
	CHECK(found == 1 && fclose(f) == 0 && close(fd) == 0);
}

static void a_receiver_sleeps(void)
{
	int a = nl_socket(NETLINK_USERSOCK), b = nl_socket(NETLINK_USERSOCK), status;
	char buf[8];
	pid_t child;

	CHECK(nl_bind(b, 0, 0) == 0);
	child = fork();
	if (child == 0) {
		usleep(20000);
		_exit(nl_send_to(a, "late", 4, nl_name(b).nl_pid, 0) != 4);
	}
	CHECK(recv(b, buf, sizeof(buf), 0) == 4);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(close(a) == 0 && close(b) == 0);
}

RUN(TEST(what_can_be_made), TEST(names), TEST(connecting), TEST(between_two),
    TEST(truncation_and_control), TEST(groups), TEST(a_full_queue), TEST(flags_are_kept),
    TEST(unknown_options), TEST(acknowledgements), TEST(several_in_one),
    TEST(the_controller), TEST(it_is_shown), TEST(a_receiver_sleeps))
