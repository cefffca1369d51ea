/* SPDX-License-Identifier: MIT */
/* inherited.c - descriptors of the caller beyond stderr, for the program.
 *
 * They are those that a service manager passes to a service that it starts by a socket's
 * activity (sd_listen_fds(3)): LISTEN_FDS of them from 3 on, if LISTEN_PID says that they
 * are meant for this process. The program finds them at the same numbers, and LISTEN_PID
 * says its own. */
#include "inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/boot.h"
#include "message.h"
#include "segment.h"

enum { FIRST = 3, MOST = 1024 };

/* The program is always this process of the sandbox, after the kernel's own. */
#define PROGRAM_PID "2"

/* A decimal number, or -1. */
static long number(const char *text)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	long value = strtol(text, &end, 10);
	return errno || *end ? -1 : value;
}

unsigned inherited_count(void)
{
	long count = number(getenv("LISTEN_FDS"));

	if (count <= 0 || number(getenv("LISTEN_PID")) != getpid())
		return 0;
	if (count > MOST)
		fail("LISTEN_FDS=%ld: more than %d", count, MOST);
	if (setenv("LISTEN_PID", PROGRAM_PID, 1) != 0)
		fail("out of memory");
	return (unsigned)count;
}

static int socket_option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof value;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0)
		fail("descriptor %d: %s", fd, strerror(errno));
	return value;
}

/* Linux disconnects a socket of the internet that is asked to, and then connects it to
 * anywhere; its network is the caller's for ever. */
static void check_network(int fd, int family)
{
	if (family == AF_INET || family == AF_INET6)
		fail("--net=none: descriptor %d is a socket of the host's network, and "
		     "could be connected to anywhere (try -p)",
		     fd);
}

/* The same of AF_UNIX: one that neither listens nor is connected can be connected to any
 * of the host's. */
static bool is_settled(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;

	return socket_option(fd, SO_ACCEPTCONN) ||
	       getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

static void check_socket(const struct boot_inherited *i, bool has_own_network)
{
	if (has_own_network)
		check_network(i->fd, i->family);
	if (i->family == AF_UNIX && i->type == SOCK_DGRAM)
		fail("LISTEN_FDS: descriptor %d is a datagram socket of AF_UNIX, which "
		     "reaches all others",
		     i->fd);
	if (i->family == AF_UNIX && !is_settled(i->fd))
		fail("LISTEN_FDS: descriptor %d is a socket of AF_UNIX that neither "
		     "listens nor is connected",
		     i->fd);
	if (i->family != AF_UNIX && i->family != AF_INET && i->family != AF_INET6)
		fail("LISTEN_FDS: descriptor %d is a socket of an unknown family", i->fd);
	if (i->type != SOCK_STREAM && i->type != SOCK_DGRAM && i->type != SOCK_SEQPACKET)
		fail("LISTEN_FDS: descriptor %d is a raw socket, or one of an unknown "
		     "type",
		     i->fd);
}

/* What would let the programs reach more of the host than this descriptor is refused. */
static void describe(struct boot_inherited *i, int fd, bool has_own_network)
{
	struct stat st;

	if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) || fstat(fd, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		fail("LISTEN_FDS: descriptor %d is a directory (try -v)", fd);
	if (fcntl(fd, F_GETFL) & O_PATH)
		fail("LISTEN_FDS: descriptor %d is only a path", fd);
	i->fd = fd;
	if (!S_ISSOCK(st.st_mode))
		return;
	i->family = socket_option(fd, SO_DOMAIN);
	i->type = socket_option(fd, SO_TYPE);
	i->protocol = socket_option(fd, SO_PROTOCOL);
	check_socket(i, has_own_network);
}

/* Input, output and error are the program's too, though it cannot connect them itself. */
static void check_stdio(void)
{
	for (int fd = 0; fd < FIRST; fd++) {
		struct stat st;

		if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC) && fstat(fd, &st) == 0 &&
		    S_ISSOCK(st.st_mode))
			check_network(fd, socket_option(fd, SO_DOMAIN));
	}
}

void inherited_fill(struct boot_params *p, unsigned count, bool has_own_network)
{
	struct boot_inherited *all = boot_alloc(count * sizeof *all);

	if (has_own_network)
		check_stdio();
	for (unsigned n = 0; n < count; n++) {
		all[n] = (struct boot_inherited){.fd = -1};
		describe(&all[n], FIRST + (int)n, has_own_network);
	}
	p->inherited = (uint64_t)all;
	p->inherited_count = count;
}

/* As the first three are (run.c): a gap is filled, and close-on-exec marks the filling.
 */
void inherited_keep(unsigned count)
{
	int end = FIRST + (int)count;
	int fd;

	(void)syscall(SYS_close_range, end, ~0U, 0);
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd < end);
	if (fd >= 0)
		close(fd);
}

void inherited_close_gaps(const struct boot_params *p)
{
	const struct boot_inherited *all =
		(const struct boot_inherited *)p->inherited; /* NOLINT */

	for (unsigned n = 0; n < p->inherited_count; n++) {
		if (all[n].fd < 0)
			close(FIRST + (int)n);
	}
}
