/* SPDX-License-Identifier: MIT */
/* calls: getsockopt setsockopt recvmsg ioctl */
/* unix_pidfd: who the peer is as a descriptor, and options that tell of it. */
#include "unix_socket.h"

#include <sys/time.h>
#include <time.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#define SCM_PIDFD_TYPE	 4
#define SIOCUNIXFILE_NR	 0x89e0
#define SO_TIMESTAMP_OLD 29

static pid_t pid_of(int pidfd)
{
	char path[64], line[128];
	pid_t pid = -2;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "Pid: %d", &pid);
	CHECK(fclose(f) == 0);
	return pid;
}

static void the_peer(void)
{
	int fd[2], pidfd = -1, one;
	socklen_t len = sizeof(pidfd);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	CHECK(getsockopt(fd[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0);
	CHECK(len == sizeof(pidfd) && pidfd >= 0 && pid_of(pidfd) == getpid());
	CHECK(fcntl(pidfd, F_GETFD) == FD_CLOEXEC && close(pidfd) == 0);
	FAILS(ENOPROTOOPT,
	      setsockopt(fd[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, sizeof(pidfd)));
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
	one = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(ENODATA, getsockopt(one, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len));
	len = sizeof(pidfd);
	FAILS(ENOPROTOOPT, getsockopt(one, SOL_SOCKET, SO_PEERSEC, &pidfd, &len));
	CHECK(close(one) == 0);
}

static struct cmsghdr *receive(int fd, struct msghdr *m, char *control, size_t size)
{
	static char data[16];
	static struct iovec v = {data, sizeof(data)};

	*m = (struct msghdr){.msg_iov = &v,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = size};
	CHECK(recvmsg(fd, m, 0) >= 0);
	return CMSG_FIRSTHDR(m);
}

static void the_sender(int type)
{
	char control[128];
	struct cmsghdr *c;
	struct msghdr m;
	int fd[2], pidfd;

	CHECK(socketpair(AF_UNIX, type, 0, fd) == 0);
	CHECK(int_option(fd[1], SO_PASSPIDFD) == 0);
	CHECK(set_option(fd[1], SO_PASSPIDFD, 1) == 0);
	CHECK(int_option(fd[1], SO_PASSPIDFD) == 1 &&
	      int_option(fd[1], SO_PASSCRED) == 0);
	CHECK(send(fd[0], "x", 1, 0) == 1);
	c = receive(fd[1], &m, control, sizeof(control));
	CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_PIDFD_TYPE);
	memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
	CHECK(pid_of(pidfd) == getpid() && close(pidfd) == 0 && !CMSG_NXTHDR(&m, c));
	CHECK(set_option(fd[1], SO_PASSCRED, 1) == 0 && send(fd[0], "x", 1, 0) == 1);
	c = receive(fd[1], &m, control, sizeof(control));
	CHECK(c && c->cmsg_type == SCM_CREDENTIALS);
	c = CMSG_NXTHDR(&m, c);
	CHECK(c && c->cmsg_type == SCM_PIDFD_TYPE);
	memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
	CHECK(close(pidfd) == 0 && send(fd[0], "x", 1, 0) == 1);
	receive(fd[1], &m, control, CMSG_SPACE(sizeof(struct ucred))); /* no room */
	CHECK(m.msg_flags & MSG_CTRUNC);
	pidfd = open("/dev/null", O_RDONLY);
	CHECK(pidfd == fd[1] + 1 && close(pidfd) == 0); /* and none was opened */
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

static void senders(void)
{
	the_sender(SOCK_STREAM);
	the_sender(SOCK_DGRAM);
	the_sender(SOCK_SEQPACKET);
}

static void stamps(void)
{
	char control[128];
	struct timespec ts;
	struct timeval tv;
	struct cmsghdr *c;
	struct msghdr m;
	int fd[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
	CHECK(set_option(fd[1], SO_TIMESTAMP, 1) == 0);
	CHECK(int_option(fd[1], SO_TIMESTAMP) == 1 && send(fd[0], "x", 1, 0) == 1);
	c = receive(fd[1], &m, control, sizeof(control));
	CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP);
	memcpy(&tv, CMSG_DATA(c), sizeof(tv));
	CHECK(c->cmsg_len == CMSG_LEN(sizeof(tv)) && labs(tv.tv_sec - time(NULL)) <= 1);
	CHECK(set_option(fd[1], SO_TIMESTAMPNS, 1) == 0 && send(fd[0], "x", 1, 0) == 1);
	CHECK(int_option(fd[1], SO_TIMESTAMP) == 0);
	c = receive(fd[1], &m, control, sizeof(control));
	CHECK(c && c->cmsg_type == SCM_TIMESTAMPNS);
	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	CHECK(labs(ts.tv_sec - time(NULL)) <= 1);
	CHECK(set_option(fd[1], SO_TIMESTAMPNS, 0) == 0 && send(fd[0], "x", 1, 0) == 1);
	CHECK(!receive(fd[1], &m, control, sizeof(control)));
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

static void accepted(const char *name)
{
	int l = listener(name, SOCK_STREAM, 1), c = client(name, SOCK_STREAM);
	int fd = accept(l, NULL, NULL), at;
	struct stat a, b;

	CHECK(fd >= 0);
	if (geteuid() != 0) {
		FAILS(EPERM, ioctl(fd, SIOCUNIXFILE_NR));
	} else if (*name == '@') {
		FAILS(ENOENT, ioctl(fd, SIOCUNIXFILE_NR));
	} else {
		FAILS(ENOENT, ioctl(c, SIOCUNIXFILE_NR));
		CHECK(close(l) == 0); /* it is the accepted socket's, too */
		at = ioctl(fd, SIOCUNIXFILE_NR);
		CHECK(at >= 0 && fstat(at, &a) == 0 && stat(name, &b) == 0);
		CHECK(a.st_ino == b.st_ino && close(at) == 0);
		l = dup(c);
	}
	CHECK(close(l) == 0 && close(c) == 0 && close(fd) == 0);
	CHECK(*name == '@' || unlink(name) == 0);
}

static void the_file_of_the_accepted(void)
{
	accepted("sock");
	accepted("@unix-pidfd-test");
}

static void the_file(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), at;
	struct stat a, b;

	if (geteuid() != 0) {
		FAILS(EPERM, ioctl(fd, SIOCUNIXFILE_NR));
		CHECK(close(fd) == 0);
		return;
	}
	FAILS(ENOENT, ioctl(fd, SIOCUNIXFILE_NR));
	CHECK(bind_to(fd, "sock") == 0);
	at = ioctl(fd, SIOCUNIXFILE_NR);
	CHECK(at >= 0 && fstat(at, &a) == 0 && stat("sock", &b) == 0);
	CHECK(a.st_ino == b.st_ino && S_ISSOCK(a.st_mode));
	CHECK(fcntl(at, F_GETFL) & O_PATH);
	CHECK(close(at) == 0 && close(fd) == 0 && unlink("sock") == 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind_to(fd, "@unix-pidfd-test") == 0);
	FAILS(ENOENT, ioctl(fd, SIOCUNIXFILE_NR));
	CHECK(close(fd) == 0);
}

static void cookies(void)
{
	unsigned long a = 0, b = 0;
	socklen_t len = sizeof(a);
	int fd[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	CHECK(getsockopt(fd[0], SOL_SOCKET, SO_COOKIE, &a, &len) == 0 && len == 8);
	CHECK(getsockopt(fd[1], SOL_SOCKET, SO_COOKIE, &b, &len) == 0 && a && b &&
	      a != b);
	len = 4;
	FAILS(EINVAL, getsockopt(fd[0], SOL_SOCKET, SO_COOKIE, &a, &len));
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

RUN(TEST(the_peer), TEST(senders), TEST(stamps), TEST(the_file),
    TEST(the_file_of_the_accepted), TEST(cookies))
