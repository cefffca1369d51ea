/* SPDX-License-Identifier: MIT */
/* net */
/* bind: paths, abstract names, names chosen by the kernel. */
#include "unix_socket.h"

static void a_path_becomes_a_socket_node(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	umask(027);
	CHECK(bind_to(fd, "node") == 0 && name_is(getsockname, fd, "node"));
	CHECK(lstat("node", &st) == 0 && S_ISSOCK(st.st_mode));
	CHECK((st.st_mode & 0777) == 0750 && st.st_uid == geteuid());
	umask(022);
	FAILS(EADDRINUSE, bind_to(other, "node"));
	FAILS(EINVAL, bind_to(fd, "again"));
	CHECK(!exists("again"));
	FAILS(EADDRINUSE, bind_to(fd, "node"));
	FAILS(ENXIO, open("node", O_RDWR));
	CHECK(close(fd) == 0 && exists("node"));
	FAILS(EADDRINUSE, bind_to(other, "node"));
	CHECK(unlink("node") == 0 && bind_to(other, "node") == 0 && unlink("node") == 0);
	CHECK(close(other) == 0);
}

static void the_mode_comes_from_the_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	CHECK(fchmod(fd, 0640) == 0 && bind_to(fd, "mode") == 0 &&
	      stat("mode", &st) == 0);
	CHECK((st.st_mode & 0777) == 0640 && unlink("mode") == 0 && close(fd) == 0);
}

static void path_errors(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a;

	FAILS(ENOENT, bind_to(fd, "no/such"));
	file_put("plain", "");
	FAILS(ENOTDIR, bind_to(fd, "plain/x"));
	FAILS(EADDRINUSE, bind_to(fd, "plain"));
	FAILS(EADDRINUSE, bind_to(fd, "."));
	CHECK(symlink("nowhere", "link") == 0);
	FAILS(EADDRINUSE, bind_to(fd, "link"));
	FAILS(ENOENT, bind_to(fd, "dir/"));
	CHECK(name_is(getsockname, fd, ""));
	/* Without a NUL at the end it is as good. */
	un(&a, "ended");
	CHECK(bind(fd, (void *)&a, 2 + 5) == 0 && name_is(getsockname, fd, "ended"));
	CHECK(unlink("ended") == 0 && unlink("link") == 0 && unlink("plain") == 0);
	CHECK(close(fd) == 0);
}

static void the_longest_path(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = sizeof(struct sockaddr_un);
	struct sockaddr_un a;
	char name[110] = "", got[200];

	memset(name, 'x', 108);
	a.sun_family = AF_UNIX;
	memcpy(a.sun_path, name, 108);
	CHECK(bind(fd, (void *)&a, sizeof(a)) == 0 && exists(name));
	len = sizeof(got);
	CHECK(getsockname(fd, (void *)got, &len) == 0 && len == 111);
	CHECK(memcmp(got + 2, name, 109) == 0);
	CHECK(unlink(name) == 0 && close(fd) == 0);
}

static void may_not_write_there(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	become_user();
	FAILS(EACCES, bind_to(fd, "locked/node"));
}

static void a_directory_can_forbid_it(void)
{
	CHECK(mkdir("locked", 0555) == 0);
	CHECK(in_child(may_not_write_there) == 0 && rmdir("locked") == 0);
}

static void abstract_names(void)
{
	int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM, 0);
	char name[40];

	snprintf(name, sizeof(name), "@bind-test-%d", getpid());
	CHECK(bind_to(a, name) == 0 && name_is(getsockname, a, name));
	FAILS(EADDRINUSE, bind_to(b, name));
	CHECK(bind_to(c, name) == 0); /* another type */
	FAILS(EINVAL, bind_to(a, "@another"));
	strcat(name, "x");
	CHECK(bind_to(b, name) == 0 && close(b) == 0);
	b = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind_to(b, name) == 0); /* free again */
	CHECK(close(a) == 0 && close(b) == 0 && close(c) == 0);
}

static void the_kernel_chooses(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX}, b;
	int fd[2] = {socket(AF_UNIX, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_STREAM, 0)};
	socklen_t len = sizeof(a);

	CHECK(bind(fd[0], (void *)&a, 2) == 0 && bind(fd[1], (void *)&a, 2) == 0);
	CHECK(getsockname(fd[0], (void *)&a, &len) == 0 && len == 8 &&
	      a.sun_path[0] == 0);
	for (int i = 1; i < 6; i++)
		CHECK(strchr("0123456789abcdef", a.sun_path[i]));
	CHECK(getsockname(fd[1], (void *)&b, &len) == 0 && len == 8);
	CHECK(memcmp(a.sun_path, b.sun_path, 6) != 0);
	CHECK(bind(fd[0], (void *)&(struct sockaddr_un){AF_UNIX, ""}, 2) == 0);
	CHECK(getsockname(fd[0], (void *)&b, &len) == 0);
	CHECK(memcmp(a.sun_path, b.sun_path, 6) == 0);
	CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
}

/* The type and state column of the socket's line in /proc/net/unix, which must end so. */
static const char *listed(int fd, const char *end)
{
	static char line[256];
	FILE *f = fopen("/proc/net/unix", "r");
	char want[160];
	struct stat st;

	CHECK(f && fstat(fd, &st) == 0);
	snprintf(want, sizeof(want), " %5lu %s\n", (unsigned long)st.st_ino, end);
	while (fgets(line, sizeof(line), f)) {
		size_t len = strlen(line);

		if (len > strlen(want) && strcmp(line + len - strlen(want), want) == 0) {
			fclose(f);
			line[len - strlen(want)] = 0;
			return strchr(line, ':') + 10;
		}
	}
	fclose(f);
	return "";
}

static void proc_lists_them(void)
{
	int l = listener("listed", SOCK_STREAM, 1), c = socket(AF_UNIX, SOCK_DGRAM, 0);
	char abstract[40];

	snprintf(abstract, sizeof(abstract), "@listed-%d", getpid());
	CHECK(bind_to(c, abstract) == 0);
	CHECK(strcmp(listed(l, "listed"), " 00000000 00010000 0001 01") == 0);
	CHECK(strcmp(listed(c, abstract), " 00000000 00000000 0002 01") == 0);
	CHECK(close(l) == 0 && close(c) == 0 && unlink("listed") == 0);
}

static void bad_addresses(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = {.sun_family = AF_INET, .sun_path = "x"};

	FAILS(EINVAL, bind(fd, (void *)&a, sizeof(a)));
	FAILS(EINVAL, bind(fd, (void *)&a, 2));
	a.sun_family = AF_UNIX;
	FAILS(EINVAL, bind(fd, (void *)&a, 1));
	FAILS(EINVAL, bind(fd, (void *)&a, 0));
	FAILS(EINVAL, bind(fd, (void *)&a, sizeof(a) + 1));
	FAILS(EINVAL, bind(fd, (void *)&a, (socklen_t)-1));
	FAILS(EINVAL, syscall(SYS_bind, fd, NULL, 129));
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_bind, fd, p, sizeof(a)));
	}
	FAILS(EFAULT, syscall(SYS_bind, fd, page_edge() - 4, 8));
	FAILS(EBADF, syscall(SYS_bind, -1, NULL, 999));
	CHECK(close(fd) == 0);
}

RUN(TEST(a_path_becomes_a_socket_node), TEST(the_mode_comes_from_the_socket),
    TEST(path_errors), TEST(the_longest_path), TEST(a_directory_can_forbid_it),
    TEST(abstract_names), TEST(the_kernel_chooses), TEST(proc_lists_them),
    TEST(bad_addresses))
