/* SPDX-License-Identifier: MIT */
/* sendmsg: pieces, names, and how control messages must look. */
#include "unix_socket.h"

#include <limits.h>

static int s[2];

static void pair(int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
}

static void shut(void)
{
	CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

static void pieces_are_one_message(void)
{
	struct iovec v[20];
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 20};
	char b[64];

	for (int i = 0; i < 20; i++)
		v[i] = (struct iovec){&"0123456789abcdefghij"[i], (size_t)(i % 2)};
	pair(SOCK_SEQPACKET);
	CHECK(sendmsg(s[0], &h, 0) == 10 && read(s[1], b, 64) == 10);
	CHECK(memcmp(b, "13579bdfhj", 10) == 0);
	h.msg_iovlen = 0;
	CHECK(sendmsg(s[0], &h, 0) == 0 && read(s[1], b, 64) == 0);
	h.msg_iovlen = IOV_MAX + 1;
	FAILS(EMSGSIZE, sendmsg(s[0], &h, 0));
	h.msg_iovlen = 2;
	v[1].iov_len = (size_t)-1;
	FAILS(EINVAL, sendmsg(s[0], &h, 0));
	shut();
}

static void names_are_checked(void)
{
	int d = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct iovec v = {"hello", 5};
	struct sockaddr_un n[2];
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = n};
	char b[8];

	CHECK(bind_to(t, "t") == 0);
	h.msg_namelen = un(n, "t");
	CHECK(sendmsg(d, &h, 0) == 5 && read(t, b, 8) == 5);
	h.msg_namelen = 2;
	FAILS(EINVAL, sendmsg(d, &h, 0));
	h.msg_namelen = (socklen_t)-1;
	FAILS(EINVAL, sendmsg(d, &h, 0));
	h.msg_namelen = 200; /* cut to the longest of all addresses */
	FAILS(EINVAL, sendmsg(d, &h, 0));
	h.msg_name = NULL;
	FAILS(ENOTCONN, sendmsg(d, &h, 0));
	CHECK(close(d) == 0 && close(t) == 0 && unlink("t") == 0);
}

union control {
	char room[256];
	struct cmsghdr align;
};

static ssize_t with_control(void *control, size_t size)
{
	struct iovec v = {"m", 1};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = size};

	return sendmsg(s[0], &h, 0);
}

static void control_must_be_sound(void)
{
	union control c = {{0}};
	struct cmsghdr *m = (void *)&c;
	char b[8];

	pair(SOCK_STREAM);
	CHECK(with_control(&c, 8) == 1); /* too short to be any */
	FAILS(EINVAL, with_control(&c, 16));
	*m = (struct cmsghdr){.cmsg_len = 15, .cmsg_level = SOL_SOCKET, .cmsg_type = 1};
	FAILS(EINVAL, with_control(&c, 64));
	m->cmsg_len = 65;
	FAILS(EINVAL, with_control(&c, 64));
	m->cmsg_len = 24;
	m->cmsg_type = 99;
	FAILS(EINVAL, with_control(&c, 24));
	m->cmsg_level = SOL_SOCKET + 500; /* not ours */
	CHECK(with_control(&c, 24) == 1);
	m->cmsg_level = SOL_SOCKET;
	m->cmsg_type = SCM_RIGHTS;
	m->cmsg_len = 16;
	CHECK(with_control(&c, 16) == 1); /* none */
	m->cmsg_len = 20;
	*(int *)CMSG_DATA(m) = 9999;
	FAILS(EBADF, with_control(&c, 24));
	m->cmsg_type = SCM_CREDENTIALS;
	FAILS(EINVAL, with_control(&c, 24));
	FAILS(EFAULT, with_control(bad_address(1), 24));
	FAILS(ENOBUFS, with_control(&c, (size_t)INT_MAX + 1));
	CHECK(recv(s[1], b, 8, MSG_DONTWAIT) == 3);
	shut();
}

static void too_many_files(void)
{
	static char room[CMSG_SPACE(300 * sizeof(int))] __attribute__((aligned(8)));
	struct cmsghdr *m = (void *)room;

	pair(SOCK_STREAM);
	*m = (struct cmsghdr){CMSG_LEN(254 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	FAILS(EINVAL, with_control(room, sizeof(room)));
	m->cmsg_len = CMSG_LEN(253 * sizeof(int));
	CHECK(with_control(room, CMSG_SPACE(253 * sizeof(int))) == 1);
	shut();
}

static void as_another(void)
{
	union control c = {{0}};
	struct cmsghdr *m = (void *)&c;
	struct ucred *u = (void *)CMSG_DATA(m);

	become_user();
	*m = (struct cmsghdr){CMSG_LEN(sizeof(*u)), SOL_SOCKET, SCM_CREDENTIALS};
	*u = (struct ucred){getpid(), getuid(), getgid()};
	CHECK(with_control(&c, CMSG_SPACE(sizeof(*u))) == 1);
	u->pid = getppid();
	FAILS(EPERM, with_control(&c, CMSG_SPACE(sizeof(*u))));
	u->pid = getpid();
	u->uid = 12345;
	FAILS(EPERM, with_control(&c, CMSG_SPACE(sizeof(*u))));
	u->uid = getuid();
	u->gid = 12345;
	FAILS(EPERM, with_control(&c, CMSG_SPACE(sizeof(*u))));
	u->gid = (gid_t)-1;
	FAILS(EINVAL, with_control(&c, CMSG_SPACE(sizeof(*u))));
}

static void credentials_cannot_be_forged(void)
{
	pair(SOCK_STREAM);
	CHECK(in_child(as_another) == 0);
	shut();
}

static void bad_pointers(void)
{
	struct msghdr h = {.msg_iov = bad_address(1), .msg_iovlen = 1};
	struct iovec v = {bad_address(1), 4};

	pair(SOCK_STREAM);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_sendmsg, s[0], p, 0));
	}
	FAILS(EFAULT, sendmsg(s[0], &h, 0));
	h.msg_iov = &v;
	FAILS(EFAULT, sendmsg(s[0], &h, 0));
	FAILS(EINVAL, syscall(SYS_sendmsg, s[0], &h, 0x80000000));
	FAILS(EBADF, sendmsg(-1, &h, 0));
	shut();
}

RUN(TEST(pieces_are_one_message), TEST(names_are_checked), TEST(control_must_be_sound),
    TEST(too_many_files), TEST(credentials_cannot_be_forged), TEST(bad_pointers))
