/* SPDX-License-Identifier: MIT */
/* recvmsg: pieces, names, flags, and room for control messages. */
#include "unix_socket.h"

static int s[2];

static void pair(int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void into_pieces(void)
{
	char a[3], b[3];
	struct iovec v[3] = {{a, 3}, {NULL, 0}, {b, 3}};
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 3, .msg_flags = -1};

	pair(SOCK_DGRAM);
	CHECK(write(s[0], "01234", 5) == 5 && write(s[0], "0123456789", 10) == 10);
	CHECK(recvmsg(s[1], &h, 0) == 5 && memcmp(a, "012", 3) == 0);
	CHECK(memcmp(b, "34", 2) == 0 && h.msg_flags == 0 && h.msg_controllen == 0);
	CHECK(recvmsg(s[1], &h, 0) == 6 && h.msg_flags == MSG_TRUNC);
	h.msg_iovlen = 1025;
	FAILS(EMSGSIZE, recvmsg(s[1], &h, 0));
	shut();
}

static void the_name_is_told(void)
{
	struct sockaddr_un n;
	char b[8];
	struct iovec v = {b, 8};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = &n};

	pair(SOCK_DGRAM);
	h.msg_namelen = sizeof(n);
	CHECK(write(s[0], "x", 1) == 1 && recvmsg(s[1], &h, 0) == 1 &&
	      h.msg_namelen == 0);
	CHECK(bind_to(s[0], "@recvmsg-test") == 0 && write(s[0], "x", 1) == 1);
	h.msg_namelen = sizeof(n);
	CHECK(recvmsg(s[1], &h, 0) == 1 && h.msg_namelen == 2 + 13);
	CHECK(memcmp(n.sun_path, "\0recvmsg-test", 13) == 0);
	h.msg_namelen = (socklen_t)-1;
	FAILS(EINVAL, recvmsg(s[1], &h, MSG_DONTWAIT));
	shut();
}

union control {
	char room[256];
	struct cmsghdr align;
};

static void send_creds(void)
{
	CHECK(write(s[0], "m", 1) == 1);
}

static ssize_t receive(union control *c, size_t size, size_t *used, int *flags)
{
	char b[4];
	struct iovec v = {b, 4};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t n;

	h.msg_control = c;
	h.msg_controllen = size;
	n = recvmsg(s[1], &h, 0);
	*used = h.msg_controllen;
	*flags = h.msg_flags;
	return n;
}

static void control_is_cut_to_its_room(void)
{
	struct ucred *u;
	union control c;
	size_t used;
	int flags;

	pair(SOCK_STREAM);
	CHECK(set_option(s[1], SO_PASSCRED, 1) == 0);
	send_creds();
	CHECK(receive(&c, sizeof(c), &used, &flags) == 1 && flags == 0);
	CHECK(used == CMSG_SPACE(sizeof(*u)) && c.align.cmsg_type == SCM_CREDENTIALS);
	CHECK(c.align.cmsg_level == SOL_SOCKET && c.align.cmsg_len == CMSG_LEN(12));
	u = (void *)CMSG_DATA(&c.align);
	CHECK(u->pid == getpid() && u->uid == getuid() && u->gid == getgid());
	send_creds();
	memset(&c, 0x11, sizeof(c));
	CHECK(receive(&c, 20, &used, &flags) == 1 && flags == MSG_CTRUNC && used == 20);
	CHECK(c.align.cmsg_len == 20 && *(int *)CMSG_DATA(&c.align) == getpid());
	CHECK(c.room[20] == 0x11);
	send_creds();
	CHECK(receive(&c, 15, &used, &flags) == 1 && flags == MSG_CTRUNC && used == 0);
	send_creds();
	CHECK(receive(NULL, 100, &used, &flags) == 1 && flags == MSG_CTRUNC && used == 0);
	send_creds();
	CHECK(receive((void *)bad_address(1), 100, &used, &flags) == 1);
	shut();
}

static void the_record_flag(void)
{
	char b[8];
	struct iovec v = {b, 8};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};

	pair(SOCK_SEQPACKET);
	CHECK(send(s[0], "abc", 3, MSG_EOR) == 3 && send(s[0], "abc", 3, 0) == 3);
	CHECK(recvmsg(s[1], &h, 0) == 3 && h.msg_flags == 0);
	CHECK(recvmsg(s[1], &h, 0) == 3 && h.msg_flags == 0);
	CHECK(close(s[0]) == 0 && recvmsg(s[1], &h, 0) == 0 && close(s[1]) == 0);
}

static void bad_pointers(void)
{
	struct iovec v = {bad_address(1), 4};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
	char b[4];

	pair(SOCK_STREAM);
	CHECK(write(s[0], "data", 4) == 4);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_recvmsg, s[1], p, 0));
	}
	FAILS(EFAULT, recvmsg(s[1], &h, 0));
	h.msg_iov = bad_address(1);
	FAILS(EFAULT, recvmsg(s[1], &h, 0));
	FAILS(EINVAL, syscall(SYS_recvmsg, s[1], &h, 0x80000000));
	FAILS(EBADF, recvmsg(-1, &h, 0));
	CHECK(read(s[1], b, 4) == 4);
	shut();
}

RUN(TEST(into_pieces), TEST(the_name_is_told), TEST(control_is_cut_to_its_room),
    TEST(the_record_flag), TEST(bad_pointers))
