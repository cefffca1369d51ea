/* SPDX-License-Identifier: MIT */
/* calls: socket bind getsockname sendto recvfrom sendmsg recvmsg setsockopt getsockopt */
/* packet: sockets of AF_PACKET on a loopback device: who may have one, what they are
 * bound to, what they see and send, and their options but for rings and groups. */
#include "packet_net.h"

#include <linux/capability.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>

static uint8_t buf[1 << 17];

/* ---- making ---- */

static void only_who_may_has_one(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
		struct __user_cap_data_struct d[2] = {{0}};

		CHECK(syscall(SYS_capset, &h, d) == 0);
		FAILS(EPERM, socket(AF_PACKET, SOCK_RAW, 0));
		FAILS(EPERM, socket(AF_PACKET, SOCK_STREAM, 0));
		_exit(0);
	}
	CHECK(child_wait(pid) == 0);
}

static void types_are_checked(void)
{
	int fd;
	int pair[2];

	FAILS(ESOCKTNOSUPPORT, socket(AF_PACKET, SOCK_STREAM, 0));
	FAILS(ESOCKTNOSUPPORT, socket(AF_PACKET, SOCK_SEQPACKET, 0));
	FAILS(EINVAL, socket(AF_PACKET, 11, 0));
	FAILS(EOPNOTSUPP, socketpair(AF_PACKET, SOCK_RAW, 0, pair));
	fd = packet_socket(SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), 0));
	CHECK(close(fd) == 0);
}

static void options_tell_what_it_is(void)
{
	int fd = packet_socket(SOCK_DGRAM, ETH_P_IP);
	socklen_t len = sizeof(int);
	int n;

	CHECK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &n, &len) == 0 && n == AF_PACKET);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &n, &len) == 0 && n == SOCK_DGRAM);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &n, &len) == 0 && n == 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &n, &len) == 0 && n == 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &n, &len) == 0 && n == 0);
	CHECK(close(fd) == 0);
}

static void there_is_no_connection(void)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, PROTO_TEST);
	socklen_t len = sizeof(a);
	int fd = packet_socket(SOCK_RAW, 0);

	FAILS(EOPNOTSUPP, connect(fd, (void *)&a, sizeof(a)));
	FAILS(EOPNOTSUPP, listen(fd, 1));
	FAILS(EOPNOTSUPP, accept(fd, NULL, NULL));
	FAILS(EOPNOTSUPP, shutdown(fd, SHUT_RDWR));
	FAILS(EOPNOTSUPP, getpeername(fd, (void *)&a, &len));
	CHECK(close(fd) == 0);
}

/* ---- names ---- */

static void name_is_what_was_bound(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	struct sockaddr_ll a;
	socklen_t len = sizeof(a);

	CHECK(getsockname(fd, (void *)&a, &len) == 0);
	CHECK(len == 12);
	CHECK(a.sll_family == AF_PACKET && a.sll_protocol == htons(PROTO_TEST));
	CHECK(a.sll_ifindex == 0 && a.sll_hatype == 0 && a.sll_halen == 0);
	CHECK(packet_bind(fd, 0) == 0); /* the protocol stays */
	len = sizeof(a);
	CHECK(getsockname(fd, (void *)&a, &len) == 0);
	CHECK(len == 18);
	CHECK(a.sll_protocol == htons(PROTO_TEST) && a.sll_ifindex == LO_INDEX);
	CHECK(a.sll_hatype == 772 && a.sll_halen == 6 && a.sll_pkttype == 0);
	CHECK(packet_bind(fd, ETH_P_IP) == 0);
	len = sizeof(a);
	CHECK(getsockname(fd, (void *)&a, &len) == 0);
	CHECK(a.sll_protocol == htons(ETH_P_IP));
	CHECK(close(fd) == 0);
}

static void bad_names_are_refused(void)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, PROTO_TEST);
	int fd = packet_socket(SOCK_RAW, 0);

	FAILS(EINVAL, bind(fd, (void *)&a, sizeof(a) - 1));
	a.sll_family = AF_INET;
	FAILS(EINVAL, bind(fd, (void *)&a, sizeof(a)));
	a.sll_family = AF_PACKET;
	a.sll_ifindex = 4711;
	FAILS(ENODEV, bind(fd, (void *)&a, sizeof(a)));
	a.sll_ifindex = -1;
	FAILS(ENODEV, bind(fd, (void *)&a, sizeof(a)));
	FAILS(EFAULT, bind(fd, bad_address(0), sizeof(a)));
	CHECK(close(fd) == 0);
}

/* ---- what is seen ---- */

static ssize_t receive(int fd, struct sockaddr_ll *from)
{
	socklen_t len = sizeof(*from);
	ssize_t size;

	memset(from, 0xee, sizeof(*from));
	size = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)from, &len);
	if (size >= 0)
		CHECK(len == sizeof(*from) && from->sll_family == AF_PACKET);
	return size;
}

static void frame_is_seen_going_out_and_coming_in(void)
{
	int out = packet_socket(SOCK_RAW, 0);
	int all = packet_socket(SOCK_RAW, ETH_P_ALL);
	int some = packet_socket(SOCK_RAW, PROTO_TEST);
	int other = packet_socket(SOCK_RAW, PROTO_TEST + 1);
	struct sockaddr_ll from;

	frame_send_new(out, 60, 1);
	CHECK(receive(all, &from) == 60);
	CHECK(from.sll_pkttype == PACKET_OUTGOING && from.sll_ifindex == LO_INDEX);
	CHECK(from.sll_hatype == 772 && from.sll_halen == 6);
	CHECK(from.sll_protocol == htons(PROTO_TEST));
	CHECK(buf[12] == PROTO_TEST >> 8 && buf[14] == 1 && buf[59] == 46);
	CHECK(receive(all, &from) == 60);
	CHECK(from.sll_pkttype == PACKET_HOST);
	FAILS(EAGAIN, receive(all, &from));
	/* Who wants one protocol sees only what comes in. */
	CHECK(receive(some, &from) == 60 && from.sll_pkttype == PACKET_HOST);
	FAILS(EAGAIN, receive(some, &from));
	FAILS(EAGAIN, receive(other, &from));
	FAILS(EAGAIN, receive(out, &from));
	CHECK(close(out) == 0 && close(all) == 0 && close(some) == 0 &&
	      close(other) == 0);
}

static void own_frame_is_not_seen_going_out(void)
{
	int fd = packet_socket(SOCK_RAW, ETH_P_ALL);
	struct sockaddr_ll from;

	frame_send_new(fd, 60, 1);
	CHECK(receive(fd, &from) == 60 && from.sll_pkttype == PACKET_HOST);
	FAILS(EAGAIN, receive(fd, &from));
	CHECK(close(fd) == 0);
}

static void outgoing_may_be_ignored(void)
{
	int out = packet_socket(SOCK_RAW, 0);
	int fd = packet_socket(SOCK_RAW, ETH_P_ALL);
	struct sockaddr_ll from;

	CHECK(packet_option(fd, PACKET_IGNORE_OUTGOING, 1) == 0);
	CHECK(packet_option_get(fd, PACKET_IGNORE_OUTGOING) == 1);
	frame_send_new(out, 60, 1);
	CHECK(receive(fd, &from) == 60 && from.sll_pkttype == PACKET_HOST);
	FAILS(EAGAIN, receive(fd, &from));
	FAILS(EINVAL, packet_option(fd, PACKET_IGNORE_OUTGOING, 2));
	FAILS(EINVAL, packet_option(fd, PACKET_IGNORE_OUTGOING, -1));
	CHECK(close(fd) == 0 && close(out) == 0);
}

static void dgram_has_no_header(void)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, PROTO_TEST);
	int fd = packet_socket(SOCK_DGRAM, ETH_P_ALL);
	int raw = packet_socket(SOCK_RAW, PROTO_TEST);
	struct sockaddr_ll from;

	CHECK(sendto(fd, "hello", 5, 0, (void *)&a, sizeof(a)) == 5);
	CHECK(receive(fd, &from) == 5 && !memcmp(buf, "hello", 5));
	CHECK(from.sll_pkttype == PACKET_HOST && from.sll_protocol == htons(PROTO_TEST));
	CHECK(receive(raw, &from) == 19 && !memcmp(buf + 14, "hello", 5));
	CHECK(buf[12] == PROTO_TEST >> 8 && buf[13] == (PROTO_TEST & 0xff));
	/* To another address, to all (lo has no address for all), to some. */
	a.sll_addr[0] = 2;
	CHECK(sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)) == 1);
	CHECK(receive(fd, &from) == 1 && from.sll_pkttype == PACKET_OTHERHOST);
	memset(a.sll_addr, 0xff, 6);
	CHECK(sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)) == 1);
	CHECK(receive(fd, &from) == 1 && from.sll_pkttype == PACKET_MULTICAST);
	a.sll_addr[0] = 1;
	CHECK(sendto(fd, "x", 1, 0, (void *)&a, sizeof(a)) == 1);
	CHECK(receive(fd, &from) == 1 && from.sll_pkttype == PACKET_MULTICAST);
	CHECK(sendto(fd, "", 0, 0, (void *)&a, sizeof(a)) == 0);
	FAILS(EAGAIN, receive(fd, &from)); /* there is nothing of it to be seen */
	CHECK(close(fd) == 0 && close(raw) == 0);
}

static void sender_is_told(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	uint8_t frame[20];
	struct sockaddr_ll from;

	frame_fill(frame, sizeof(frame), PROTO_TEST, 0);
	for (int i = 0; i < 6; i++)
		frame[6 + i] = (uint8_t)(0x10 + i);
	CHECK(frame_send(fd, frame, sizeof(frame)) == sizeof(frame));
	CHECK(receive(fd, &from) == sizeof(frame));
	for (int i = 0; i < 6; i++)
		CHECK(from.sll_addr[i] == 0x10 + i);
	CHECK(from.sll_addr[6] == 0 && from.sll_addr[7] == 0);
	CHECK(close(fd) == 0);
}

static void lengths_stand_in_old_headers(void)
{
	int fd = packet_socket(SOCK_RAW, ETH_P_ALL);
	uint8_t frame[40];
	struct sockaddr_ll from;

	CHECK(packet_option(fd, PACKET_IGNORE_OUTGOING, 1) == 0);
	frame_fill(frame, sizeof(frame), 26, 0x40);
	CHECK(frame_send(fd, frame, sizeof(frame)) == sizeof(frame));
	CHECK(receive(fd, &from) == sizeof(frame));
	CHECK(from.sll_protocol == htons(ETH_P_802_2));
	memset(frame + 14, 0xff, 2);
	CHECK(frame_send(fd, frame, sizeof(frame)) == sizeof(frame));
	CHECK(receive(fd, &from) == sizeof(frame));
	CHECK(from.sll_protocol == htons(ETH_P_802_3));
	CHECK(close(fd) == 0);
}

static void vlan_tag_is_taken_out(void)
{
	int fd = packet_socket(SOCK_RAW, ETH_P_ALL);
	uint8_t frame[64];
	struct sockaddr_ll from;
	char control[256];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct tpacket_auxdata *aux;
	struct cmsghdr *c;

	CHECK(packet_option(fd, PACKET_IGNORE_OUTGOING, 1) == 0);
	CHECK(packet_option(fd, PACKET_AUXDATA, 1) == 0);
	frame_fill(frame, sizeof(frame), ETH_P_8021Q, 0);
	frame[14] = 0x20; /* priority 1, number 5 */
	frame[15] = 5;
	frame[16] = PROTO_TEST >> 8;
	frame[17] = PROTO_TEST & 0xff;
	CHECK(frame_send(fd, frame, sizeof(frame)) == sizeof(frame));
	CHECK(recvmsg(fd, &m, MSG_DONTWAIT) == sizeof(frame) - 4);
	CHECK(from.sll_protocol == htons(PROTO_TEST));
	CHECK(buf[12] == PROTO_TEST >> 8 && buf[14] == 4);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA);
	aux = (void *)CMSG_DATA(c);
	CHECK(aux->tp_status & TP_STATUS_VLAN_VALID);
	CHECK(aux->tp_status & TP_STATUS_VLAN_TPID_VALID);
	CHECK(aux->tp_vlan_tci == 0x2005 && aux->tp_vlan_tpid == ETH_P_8021Q);
	CHECK(aux->tp_len == sizeof(frame) - 4);
	CHECK(close(fd) == 0);
}

/* ---- sending ---- */

static void bad_sends_are_refused(void)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, PROTO_TEST);
	int fd = packet_socket(SOCK_RAW, 0);
	int dgram = packet_socket(SOCK_DGRAM, 0);

	FAILS(ENXIO, send(fd, buf, 60, 0)); /* to no device */
	FAILS(EINVAL, sendto(fd, buf, 60, 0, (void *)&a, sizeof(a) - 1));
	FAILS(EINVAL, sendto(fd, buf, 60, 0, (void *)&a, 0));
	a.sll_halen = 9;
	FAILS(EINVAL, sendto(fd, buf, 60, 0, (void *)&a, sizeof(a)));
	CHECK(sendto(fd, buf, 60, 0, (void *)&a, sizeof(a) + 1) == 60);
	a.sll_halen = 6;
	a.sll_ifindex = 4711;
	FAILS(ENXIO, sendto(fd, buf, 60, 0, (void *)&a, sizeof(a)));
	a.sll_ifindex = LO_INDEX;
	FAILS(EINVAL, sendto(fd, buf, 0, 0, (void *)&a, sizeof(a)));
	FAILS(EINVAL, sendto(fd, buf, 13, 0, (void *)&a, sizeof(a)));
	CHECK(sendto(fd, buf, 14, 0, (void *)&a, sizeof(a)) == 14);
	FAILS(EFAULT, sendto(fd, bad_address(0), 60, 0, (void *)&a, sizeof(a)));
	/* 64 KiB and a header; a VLAN's tag may not come on top, as on Ethernet. */
	memset(buf, 0, 14);
	CHECK(sendto(fd, buf, 65536 + 14, 0, (void *)&a, sizeof(a)) == 65536 + 14);
	FAILS(EMSGSIZE, sendto(fd, buf, 65536 + 15, 0, (void *)&a, sizeof(a)));
	buf[12] = 0x81;
	FAILS(EMSGSIZE, sendto(fd, buf, 65536 + 18, 0, (void *)&a, sizeof(a)));
	CHECK(sendto(dgram, buf, 65536, 0, (void *)&a, sizeof(a)) == 65536);
	FAILS(EMSGSIZE, sendto(dgram, buf, 65537, 0, (void *)&a, sizeof(a)));
	CHECK(close(fd) == 0 && close(dgram) == 0);
}

static void bound_socket_needs_no_address(void)
{
	int fd = packet_socket(SOCK_DGRAM, 0);
	int in = packet_socket(SOCK_DGRAM, PROTO_TEST);
	struct sockaddr_ll from;

	CHECK(packet_bind(fd, PROTO_TEST) == 0);
	CHECK(write(fd, "abc", 3) == 3);
	CHECK(receive(in, &from) == 3 && !memcmp(buf, "abc", 3));
	CHECK(receive(fd, &from) == 3);
	CHECK(close(fd) == 0 && close(in) == 0);
}

static void control_messages_are_checked(void)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, PROTO_TEST);
	int fd = packet_socket(SOCK_DGRAM, 0);
	struct {
		struct cmsghdr h;
		uint32_t value;
		uint32_t pad;
	} c = {.h = {CMSG_LEN(4), SOL_SOCKET, SO_MARK}, .value = 7};
	struct iovec v = {"x", 1};
	struct msghdr m = {.msg_name = &a,
			   .msg_namelen = sizeof(a),
			   .msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c)};

	CHECK(sendmsg(fd, &m, 0) == 1);
	c.h.cmsg_type = 4711;
	FAILS(EINVAL, sendmsg(fd, &m, 0));
	c.h.cmsg_level = SOL_PACKET; /* others' are not looked at */
	CHECK(sendmsg(fd, &m, 0) == 1);
	c.h.cmsg_len = 3;
	FAILS(EINVAL, sendmsg(fd, &m, 0));
	CHECK(close(fd) == 0);
}

/* ---- receiving ---- */

static void long_frames_are_cut(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	char small[20];
	struct iovec v = {small, sizeof(small)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	for (int i = 0; i < 4; i++)
		frame_send_new(fd, 100, 0);
	CHECK(recv(fd, small, sizeof(small), MSG_PEEK) == 20);
	CHECK(recv(fd, small, sizeof(small), MSG_PEEK | MSG_TRUNC) == 100);
	CHECK(recvmsg(fd, &m, 0) == 20 && (m.msg_flags & MSG_TRUNC));
	CHECK(recvmsg(fd, &m, MSG_TRUNC) == 100 && (m.msg_flags & MSG_TRUNC));
	CHECK(recv(fd, NULL, 0, 0) == 0);
	CHECK(recv(fd, buf, sizeof(buf), MSG_TRUNC) == 100);
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	FAILS(EINVAL, recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_OOB));
	FAILS(EINVAL, recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_WAITALL));
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_ERRQUEUE));
	CHECK(close(fd) == 0);
}

static void fault_loses_the_frame(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);

	frame_send_new(fd, 60, 0);
	FAILS(EFAULT, recv(fd, bad_address(0), 60, MSG_DONTWAIT));
	FAILS(EAGAIN, recv(fd, buf, 60, MSG_DONTWAIT));
	CHECK(close(fd) == 0);
}

static void queue_is_bounded(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int size = 4096;
	struct tpacket_stats s;
	unsigned got = 0;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0);
	for (int i = 0; i < 100; i++)
		frame_send_new(fd, 1000, (uint8_t)i);
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 1000)
		CHECK(buf[14] == got++);
	s = packet_stats(fd);
	CHECK(got > 0 && got < 20);
	CHECK(s.tp_packets == 100 && s.tp_drops == 100 - got);
	s = packet_stats(fd); /* reading forgets */
	CHECK(s.tp_packets == 0 && s.tp_drops == 0);
	CHECK(close(fd) == 0);
}

static void losses_are_told_with_frames(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int size = 2048;
	int on = 1;
	char control[64];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	uint32_t lost;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) == 0);
	for (int i = 0; i < 50; i++)
		frame_send_new(fd, 1000, 0);
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	frame_send_new(fd, 1000, 0);
	CHECK(recvmsg(fd, &m, MSG_DONTWAIT) == 1000);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SO_RXQ_OVFL);
	memcpy(&lost, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(lost));
	CHECK(lost > 10 && lost < 50);
	CHECK(close(fd) == 0);
}

static void auxdata_tells_of_the_frame(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int dgram = packet_socket(SOCK_DGRAM, PROTO_TEST);
	char control[256];
	struct iovec v = {buf, 30};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct tpacket_auxdata *aux = (void *)CMSG_DATA((struct cmsghdr *)control);

	CHECK(packet_option_get(fd, PACKET_AUXDATA) == 0);
	CHECK(packet_option(fd, PACKET_AUXDATA, 5) == 0);
	CHECK(packet_option(dgram, PACKET_AUXDATA, 1) == 0);
	CHECK(packet_option_get(fd, PACKET_AUXDATA) == 1);
	frame_send_new(fd, 100, 0);
	CHECK(recvmsg(fd, &m, 0) == 30);
	CHECK(CMSG_FIRSTHDR(&m)->cmsg_len == CMSG_LEN(sizeof(*aux)));
	CHECK(aux->tp_len == 100 && aux->tp_snaplen == 100);
	CHECK(aux->tp_mac == 0 && aux->tp_net == 14);
	CHECK(aux->tp_status == TP_STATUS_USER && aux->tp_vlan_tci == 0);
	m.msg_controllen = sizeof(control);
	CHECK(recvmsg(dgram, &m, 0) == 30);
	CHECK(aux->tp_len == 86 && aux->tp_net == 0);
	CHECK(close(fd) == 0 && close(dgram) == 0);
}

static void stamps_are_told(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int on = 1;
	char control[64];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct timespec before;
	struct timespec at;
	struct timeval tv;

	FAILS(ENOENT, ioctl(fd, SIOCGSTAMP, &tv));
	CHECK(clock_gettime(CLOCK_REALTIME, &before) == 0);
	frame_send_new(fd, 60, 0);
	CHECK(recv(fd, buf, sizeof(buf), 0) == 60);
	CHECK(ioctl(fd, SIOCGSTAMP, &tv) == 0 && tv.tv_sec >= before.tv_sec);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0);
	frame_send_new(fd, 60, 0);
	CHECK(recvmsg(fd, &m, 0) == 60);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SO_TIMESTAMPNS);
	memcpy(&at, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(at));
	CHECK(at.tv_sec >= before.tv_sec && at.tv_sec <= before.tv_sec + 60);
	CHECK(close(fd) == 0);
}

static void waits_and_is_ready(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	struct timeval tv = {0, 20000};
	int n = -1;
	pid_t pid;

	CHECK(!is_readable(fd, 0));
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), 0));
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 0);
	CHECK(ioctl(fd, SIOCOUTQ, &n) == 0 && n == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		usleep(10000);
		frame_send_new(fd, 70, 0);
		_exit(0);
	}
	CHECK(is_readable(fd, 10000));
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 70);
	CHECK(recv(fd, buf, sizeof(buf), 0) == 70);
	CHECK(child_wait(pid) == 0);
	CHECK(close(fd) == 0);
}

static void filters_choose_and_cut(void)
{
	/* Bytes 14 and on: 5 is kept whole, 6 to 20 bytes, the rest is forgotten. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 20),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);

	CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0);
	for (int i = 0; i < 10; i++)
		frame_send_new(fd, 50, (uint8_t)i);
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 50 && buf[14] == 5);
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) == 20 && buf[14] == 6);
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	CHECK(close(fd) == 0);
}

/* A frame passes that loads as wanted from off. */
static bool filter_sees(int type, uint32_t off, int size, uint32_t want)
{
	struct sock_filter code[] = {
		BPF_STMT((uint16_t)(BPF_LD | BPF_ABS | size), off),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};
	int fd = packet_socket(type, PROTO_TEST);
	bool passes;
	int out;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0);
	out = packet_socket(SOCK_RAW, 0);
	frame_send_new(out, 60, 0x21);
	passes = recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0;
	CHECK(close(fd) == 0 && close(out) == 0);
	return passes;
}

static void filters_see_what_a_frame_came_by(void)
{
	const uint32_t ad = (uint32_t)SKF_AD_OFF;
	const uint32_t net = (uint32_t)SKF_NET_OFF;
	const uint32_t link = (uint32_t)SKF_LL_OFF;

	CHECK(filter_sees(SOCK_RAW, ad + SKF_AD_PROTOCOL, BPF_W, PROTO_TEST));
	CHECK(filter_sees(SOCK_RAW, ad + SKF_AD_PKTTYPE, BPF_W, PACKET_HOST));
	CHECK(filter_sees(SOCK_RAW, ad + SKF_AD_IFINDEX, BPF_W, LO_INDEX));
	CHECK(filter_sees(SOCK_RAW, ad + SKF_AD_HATYPE, BPF_W, 772));
	CHECK(filter_sees(SOCK_RAW, ad + SKF_AD_VLAN_TAG_PRESENT, BPF_W, 0));
	CHECK(filter_sees(SOCK_RAW, 12, BPF_H, PROTO_TEST));
	CHECK(filter_sees(SOCK_RAW, net, BPF_B, 0x21));
	CHECK(filter_sees(SOCK_DGRAM, 0, BPF_B, 0x21));
	CHECK(filter_sees(SOCK_DGRAM, net, BPF_H, 0x2122));
	CHECK(filter_sees(SOCK_DGRAM, link + 12, BPF_H, PROTO_TEST));
	CHECK(!filter_sees(SOCK_RAW, 57, BPF_W, 0));
	CHECK(!filter_sees(SOCK_DGRAM, net + 45, BPF_H, 0));
}

/* ---- options ---- */

static void numbers_are_kept(void)
{
	static const int names[] = {
		PACKET_ORIGDEV, PACKET_LOSS,	  PACKET_TX_HAS_OFF, PACKET_QDISC_BYPASS,
		PACKET_AUXDATA, PACKET_TIMESTAMP, PACKET_RESERVE,
	};
	int fd = packet_socket(SOCK_RAW, 0);
	char byte = 1;
	long wide = 1;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(packet_option_get(fd, names[i]) == 0);
		CHECK(packet_option(fd, names[i], 1) == 0);
		CHECK(packet_option_get(fd, names[i]) == 1);
		FAILS(EINVAL, setsockopt(fd, SOL_PACKET, names[i], &byte, sizeof(byte)));
		if (names[i] == PACKET_ORIGDEV || names[i] == PACKET_AUXDATA)
			CHECK(setsockopt(fd, SOL_PACKET, names[i], &wide, sizeof(wide)) ==
			      0);
		else
			FAILS(EINVAL,
			      setsockopt(fd, SOL_PACKET, names[i], &wide, sizeof(wide)));
	}
	FAILS(EINVAL, packet_option(fd, PACKET_RESERVE, -1));
	FAILS(EINVAL, packet_option(fd, PACKET_VERSION, 3));
	CHECK(packet_option(fd, PACKET_VERSION, TPACKET_V3) == 0);
	CHECK(packet_option_get(fd, PACKET_VERSION) == TPACKET_V3);
	CHECK(close(fd) == 0);
}

static void unknown_options_are_refused(void)
{
	int fd = packet_socket(SOCK_RAW, 0);
	socklen_t len = sizeof(int);
	int n = 0;

	FAILS(ENOPROTOOPT, packet_option(fd, 4711, 1));
	FAILS(ENOPROTOOPT, packet_option(fd, PACKET_STATISTICS, 1));
	FAILS(ENOPROTOOPT, getsockopt(fd, SOL_PACKET, 4711, &n, &len));
	FAILS(ENOPROTOOPT, getsockopt(fd, SOL_PACKET, PACKET_RX_RING, &n, &len));
	FAILS(ENOPROTOOPT, getsockopt(fd, IPPROTO_IP, 1, &n, &len));
	FAILS(ENOPROTOOPT, setsockopt(fd, IPPROTO_IP, 1, &n, len));
	FAILS(EFAULT, setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, bad_address(0), len));
	FAILS(EFAULT, getsockopt(fd, SOL_PACKET, PACKET_AUXDATA, bad_address(0), &len));
	CHECK(close(fd) == 0);
}

static void header_sizes_are_told(void)
{
	static const int sizes[] = {32, 32, 48};
	int fd = packet_socket(SOCK_RAW, 0);
	socklen_t len;
	int n;

	for (int i = 0; i < 3; i++) {
		n = i;
		len = sizeof(n);
		CHECK(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &n, &len) == 0);
		CHECK(n == sizes[i] && len == sizeof(n));
	}
	n = 3;
	FAILS(EINVAL, getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &n, &len));
	len = 2;
	n = 0;
	FAILS(EINVAL, getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &n, &len));
	CHECK(close(fd) == 0);
}

static void memberships_are_counted(void)
{
	struct packet_mreq m = {.mr_ifindex = LO_INDEX, .mr_type = PACKET_MR_PROMISC};
	int fd = packet_socket(SOCK_RAW, 0);

#define ADD(size)  setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, size)
#define DROP(size) setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &m, size)
	CHECK(ADD(sizeof(m)) == 0);
	CHECK(ADD(sizeof(m)) == 0);
	CHECK(DROP(sizeof(m)) == 0);
	CHECK(DROP(sizeof(m)) == 0);
	CHECK(DROP(sizeof(m)) == 0); /* not there: fine */
	FAILS(EINVAL, ADD(sizeof(m) - 1));
	m.mr_ifindex = 4711;
	FAILS(ENODEV, ADD(sizeof(m)));
	CHECK(DROP(sizeof(m)) == 0);
	m.mr_ifindex = LO_INDEX;
	m.mr_type = PACKET_MR_MULTICAST;
	FAILS(EINVAL, ADD(sizeof(m)));
	m.mr_alen = 6;
	CHECK(ADD(sizeof(m)) == 0);
	m.mr_alen = 7;
	FAILS(EINVAL, ADD(sizeof(m)));
	m.mr_alen = 9;
	FAILS(EINVAL, ADD(sizeof(m)));
	m.mr_alen = 0;
	m.mr_type = PACKET_MR_ALLMULTI;
	CHECK(ADD(sizeof(m)) == 0);
	CHECK(close(fd) == 0);
}

static void vnet_header_comes_first(void)
{
	struct {
		struct virtio_net_hdr h;
		uint8_t frame[60];
	} __attribute__((packed)) m = {.h = {0}};
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int dgram = packet_socket(SOCK_DGRAM, 0);
	struct virtio_net_hdr got;

	FAILS(EINVAL, packet_option(dgram, PACKET_VNET_HDR, 1));
	CHECK(packet_option(fd, PACKET_VNET_HDR, 1) == 0);
	CHECK(packet_option_get(fd, PACKET_VNET_HDR) == 1);
	frame_fill(m.frame, sizeof(m.frame), PROTO_TEST, 0);
	CHECK(frame_send(fd, (void *)&m, sizeof(m)) == sizeof(m));
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(m));
	memcpy(&got, buf, sizeof(got));
	CHECK(got.gso_type == VIRTIO_NET_HDR_GSO_NONE && got.flags == 0);
	CHECK(buf[10 + 12] == PROTO_TEST >> 8);
	/* Its checksum is yet to be made. */
	m.h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	m.h.csum_start = 34;
	m.h.csum_offset = 6;
	CHECK(frame_send(fd, (void *)&m, sizeof(m)) == sizeof(m));
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(m));
	memcpy(&got, buf, sizeof(got));
	CHECK(got.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	CHECK(got.csum_start == 34 && got.csum_offset == 6);
	m.h.csum_start = 59;
	FAILS(EINVAL, frame_send(fd, (void *)&m, sizeof(m)));
	m.h = (struct virtio_net_hdr){.hdr_len = 61};
	FAILS(EINVAL, frame_send(fd, (void *)&m, sizeof(m)));
	m.h = (struct virtio_net_hdr){.gso_type = 2, .gso_size = 10};
	FAILS(EINVAL, frame_send(fd, (void *)&m, sizeof(m)));
	FAILS(EINVAL, frame_send(fd, (void *)&m, 9));
	m.h = (struct virtio_net_hdr){0};
	CHECK(frame_send(fd, (void *)&m, sizeof(m)) == sizeof(m));
	FAILS(EINVAL, recv(fd, buf, 9, MSG_DONTWAIT));
	FAILS(EAGAIN, recv(fd, buf, 9, MSG_DONTWAIT));
	CHECK(close(fd) == 0 && close(dgram) == 0);
}

/* ---- SOCK_PACKET ---- */

static void old_sockets_name_the_device(void)
{
	struct sockaddr name = {.sa_family = AF_PACKET, .sa_data = "lo"};
	struct sockaddr_pkt to = {.spkt_family = AF_PACKET,
				  .spkt_device = "lo",
				  .spkt_protocol = htons(PROTO_TEST)};
	struct sockaddr_pkt from;
	socklen_t len = sizeof(from);
	int fd = packet_socket(SOCK_PACKET, PROTO_TEST);
	int inet = socket(AF_INET, SOCK_PACKET, htons(PROTO_TEST));
	socklen_t size = sizeof(int);
	int n;

	CHECK(inet >= 0);
	CHECK(getsockopt(inet, SOL_SOCKET, SO_DOMAIN, &n, &size) == 0 && n == AF_PACKET);
	CHECK(close(inet) == 0);
	CHECK(bind(fd, &name, sizeof(name)) == 0);
	FAILS(EINVAL, bind(fd, &name, sizeof(name) + 1));
	strcpy(name.sa_data, "nosuch");
	FAILS(ENODEV, bind(fd, &name, sizeof(name)));
	CHECK(getsockname(fd, &name, &len) == 0 && len == 16);
	CHECK(!strcmp(name.sa_data, "lo"));
	frame_fill(buf, 60, PROTO_TEST, 9);
	FAILS(ENOTCONN, send(fd, buf, 60, 0));
	CHECK(sendto(fd, buf, 60, 0, (void *)&to, sizeof(to)) == 60);
	len = sizeof(from);
	CHECK(recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from, &len) == 60);
	CHECK(len == 18 && from.spkt_family == 772);
	CHECK(!strcmp((char *)from.spkt_device, "lo"));
	CHECK(from.spkt_protocol == htons(PROTO_TEST));
	FAILS(EOPNOTSUPP, packet_option(fd, PACKET_AUXDATA, 1));
	CHECK(close(fd) == 0);
}

/* ---- the device ---- */

static void device_that_goes_down_is_told(void)
{
	struct sockaddr_ll a = packet_address(LO_INDEX, PROTO_TEST);
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	int late;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK(packet_bind(fd, 0) == 0);
	lo_set(false);
	CHECK(poll(&p, 1, 0) == 1 && (p.revents & POLLERR));
	FAILS(ENETDOWN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	FAILS(EAGAIN, recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	FAILS(ENETDOWN, sendto(fd, buf, 60, 0, (void *)&a, sizeof(a)));
	late = packet_socket(SOCK_RAW, 0);
	CHECK(packet_bind(late, PROTO_TEST) == 0);
	FAILS(ENETDOWN, recv(late, buf, sizeof(buf), MSG_DONTWAIT));
	lo_set(true); /* both are back */
	frame_send_new(fd, 60, 0);
	CHECK(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 60);
	CHECK(recv(late, buf, sizeof(buf), MSG_DONTWAIT) == 60);
	CHECK(close(fd) == 0 && close(late) == 0);
}

static bool proc_has(const char *path, const char *what)
{
	FILE *f = fopen(path, "r");
	char line[256];
	bool found = false;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		found = found || strstr(line, what);
	CHECK(fclose(f) == 0);
	return found;
}

static void proc_lists_them(void)
{
	int fd = packet_socket(SOCK_RAW, PROTO_TEST);
	struct stat st;
	char ino[32];

	CHECK(fstat(fd, &st) == 0);
	snprintf(ino, sizeof(ino), "%lu", (unsigned long)st.st_ino);
	CHECK(proc_has("/proc/thread-self/net/packet", ino));
	CHECK(proc_has("/proc/thread-self/net/packet", " 88b5 "));
	CHECK(proc_has("/proc/thread-self/net/ptype", "88b5"));
	CHECK(close(fd) == 0);
	CHECK(!proc_has("/proc/thread-self/net/ptype", "88b5"));
}

static void sock_diag_tells_of_them(void)
{
	struct {
		struct nlmsghdr h;
		struct packet_diag_req q;
	} ask = {
		.h = {.nlmsg_len = sizeof(ask),
		      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.q = {.sdiag_family = AF_PACKET, .pdiag_show = PACKET_SHOW_INFO},
	};
	int fd = packet_socket(SOCK_DGRAM, PROTO_TEST);
	int nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	struct nlmsghdr *h = (void *)buf;
	struct packet_diag_msg *m = NLMSG_DATA(h);
	struct rtattr *a = (void *)(m + 1);
	struct packet_diag_info *info = RTA_DATA(a);
	struct stat st;

	CHECK(nl >= 0);
	CHECK(fstat(fd, &st) == 0);
	CHECK(packet_bind(fd, 0) == 0);
	CHECK(send(nl, &ask, sizeof(ask), 0) == sizeof(ask));
	CHECK(recv(nl, buf, sizeof(buf), 0) > 0);
	CHECK(h->nlmsg_type == SOCK_DIAG_BY_FAMILY);
	CHECK(m->pdiag_family == AF_PACKET && m->pdiag_type == SOCK_DGRAM);
	CHECK(m->pdiag_num == PROTO_TEST && m->pdiag_ino == st.st_ino);
	CHECK(a->rta_type == PACKET_DIAG_INFO && info->pdi_index == LO_INDEX);
	CHECK(info->pdi_flags == PDI_RUNNING);
	while (recv(nl, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	ask.h.nlmsg_flags = NLM_F_REQUEST;
	CHECK(send(nl, &ask, sizeof(ask), 0) == sizeof(ask));
	CHECK(recv(nl, buf, sizeof(buf), 0) > 0);
	CHECK(h->nlmsg_type == NLMSG_ERROR);
	CHECK(((struct nlmsgerr *)NLMSG_DATA(h))->error == -EOPNOTSUPP);
	CHECK(close(fd) == 0 && close(nl) == 0);
}

int main(void)
{
	const struct test all[] = {
		TEST(only_who_may_has_one),
		TEST(types_are_checked),
		TEST(options_tell_what_it_is),
		TEST(there_is_no_connection),
		TEST(name_is_what_was_bound),
		TEST(bad_names_are_refused),
		TEST(frame_is_seen_going_out_and_coming_in),
		TEST(own_frame_is_not_seen_going_out),
		TEST(outgoing_may_be_ignored),
		TEST(dgram_has_no_header),
		TEST(sender_is_told),
		TEST(lengths_stand_in_old_headers),
		TEST(vlan_tag_is_taken_out),
		TEST(bad_sends_are_refused),
		TEST(bound_socket_needs_no_address),
		TEST(control_messages_are_checked),
		TEST(long_frames_are_cut),
		TEST(fault_loses_the_frame),
		TEST(queue_is_bounded),
		TEST(losses_are_told_with_frames),
		TEST(auxdata_tells_of_the_frame),
		TEST(stamps_are_told),
		TEST(waits_and_is_ready),
		TEST(filters_choose_and_cut),
		TEST(filters_see_what_a_frame_came_by),
		TEST(numbers_are_kept),
		TEST(unknown_options_are_refused),
		TEST(header_sizes_are_told),
		TEST(memberships_are_counted),
		TEST(vnet_header_comes_first),
		TEST(old_sockets_name_the_device),
		TEST(device_that_goes_down_is_told),
		TEST(proc_lists_them),
		TEST(sock_diag_tells_of_them),
	};

	enter_network();
	return test_main(all, sizeof(all) / sizeof(all[0]));
}
