/* SPDX-License-Identifier: MIT */
/* Network namespaces (network_namespaces(7)): how they are made, entered and left, and
 * what they keep apart beside the internet. */
/* calls: bind unshare setns clone clone3 ioctl getsockopt */
#include "net_ns.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/un.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#define SIOCGSKNS_ 0x894c

static ino_t own(void)
{
	return ns_number("/proc/self/ns/net");
}

static void another_is_another(void)
{
	ino_t before = own();
	int fd = net_ns_fd();
	ino_t fresh;

	CHECK(unshare(CLONE_NEWNET) == 0);
	fresh = own();
	CHECK(fresh != before);
	CHECK(unshare(CLONE_NEWNET | CLONE_FILES | CLONE_FS) == 0);
	CHECK(own() != fresh && own() != before);
	CHECK(setns(fd, CLONE_NEWNET) == 0 && own() == before);
	CHECK(setns(fd, 0) == 0);
	FAILS(EINVAL, setns(fd, CLONE_NEWUTS));
	CHECK(close(fd) == 0);
}

static void it_is_made_and_entered(void)
{
	if (may_unshare_net())
		CHECK(in_child(another_is_another) == 0);
}

static long clone_with(uint64_t flags)
{
	struct clone_args a = {.flags = flags, .exit_signal = SIGCHLD};

	return syscall(SYS_clone3, &a, sizeof(a));
}

static void child_has_another(long pid, ino_t before)
{
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(own() == before);
	CHECK(child_wait((pid_t)pid) == 0);
}

static void a_child_may_be_made_in_one(void)
{
	ino_t before = own();

	if (!may_unshare_net())
		return;
	child_has_another(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0), before);
	child_has_another(clone_with(CLONE_NEWNET), before);
	child_has_another(clone_with(CLONE_NEWNET | CLONE_FILES), before);
	CHECK(own() == before);
}

static void *thread_body(void *arg)
{
	CHECK(unshare(CLONE_NEWNET) == 0);
	*(ino_t *)arg = ns_number("/proc/thread-self/ns/net");
	return NULL;
}

static void threads_differ(void)
{
	ino_t before = own();
	ino_t there = 0;
	pthread_t t;

	CHECK(pthread_create(&t, NULL, thread_body, &there) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(there && there != before && own() == before);
}

static void each_thread_has_its_own(void)
{
	if (may_unshare_net())
		CHECK(in_child(threads_differ) == 0);
}

static void made_by_user(void)
{
	int fd = net_ns_fd();

	become_user_here();
	FAILS(EPERM, unshare(CLONE_NEWNET));
	FAILS(EPERM, setns(fd, CLONE_NEWNET));
	FAILS(EPERM, clone_with(CLONE_NEWNET));
}

static void users_get_none(void)
{
	CHECK(in_child(made_by_user) == 0);
}

/* ---- by way of a process ---- */

static void entered_by_pidfd(void)
{
	ino_t before = own();
	int ready[2], go[2];
	pid_t pid;
	char path[64];
	char c = 0;
	int fd;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		bool ok = unshare(CLONE_NEWNET) == 0 && write(ready[1], &c, 1) == 1;

		_exit(close(go[1]) != 0 || read(go[0], &c, 1) != 0 || !ok);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	CHECK(ns_number(path) != before);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK(fd >= 0 && setns(fd, CLONE_NEWNET) == 0);
	CHECK(own() == ns_number(path));
	CHECK(close(go[0]) == 0 && close(go[1]) == 0 && child_wait(pid) == 0);
	CHECK(own() != before); /* it stays as long as somebody is in it */
}

static void a_pidfd_leads_into_one(void)
{
	if (may_unshare_net())
		CHECK(in_child(entered_by_pidfd) == 0);
}

/* ---- sockets ---- */

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0);
	CHECK(len == sizeof(cookie));
	return cookie;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

static ino_t ns_of_socket(int fd)
{
	int ns = ioctl(fd, SIOCGSKNS_, 0);
	struct stat st;

	CHECK(ns >= 0 && fcntl(ns, F_GETFD) == FD_CLOEXEC);
	CHECK(ioctl(ns, NS_GET_NSTYPE) == CLONE_NEWNET);
	CHECK(fstat(ns, &st) == 0 && close(ns) == 0);
	return st.st_ino;
}

static void sockets_stay(void)
{
	ino_t before = own();
	int old = unix_socket();
	int pair[2];
	int fresh;

	CHECK(unshare(CLONE_NEWNET) == 0);
	fresh = unix_socket();
	CHECK(cookie_of(old) != cookie_of(fresh));
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CHECK(cookie_of(pair[0]) == cookie_of(fresh));
	CHECK(ns_of_socket(old) == before && ns_of_socket(fresh) == own());
}

static void a_socket_stays_where_it_was_made(void)
{
	if (may_unshare_net())
		CHECK(in_child(sockets_stay) == 0);
}

static void only_who_may_asks_for_a_sockets(void)
{
	int fd = unix_socket();

	become_user_here();
	FAILS(EPERM, ioctl(fd, SIOCGSKNS_, 0));
}

static void users_do_not_learn_of_it(void)
{
	CHECK(in_child(only_who_may_asks_for_a_sockets) == 0);
}

/* ---- names of AF_UNIX ---- */

static socklen_t abstract(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(a->sun_path + 1, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static void names_are_apart(void)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, "carbyne-net-namespace");
	struct sockaddr_un p = {.sun_family = AF_UNIX, .sun_path = "listener"};
	int first = unix_socket();
	int second = unix_socket();
	int other;

	CHECK(bind(first, (void *)&a, len) == 0 && listen(first, 5) == 0);
	CHECK(bind(second, (void *)&p, sizeof(p)) == 0 && listen(second, 5) == 0);
	CHECK(unshare(CLONE_NEWNET) == 0);
	other = unix_socket();
	FAILS(ECONNREFUSED, connect(other, (void *)&a, len));
	CHECK(bind(other, (void *)&a, len) == 0 && listen(other, 5) == 0);
	FAILS(EADDRINUSE, bind(unix_socket(), (void *)&a, len));
	CHECK(connect(unix_socket(), (void *)&a, len) == 0);
	/* A path is for all that see it. */
	CHECK(connect(unix_socket(), (void *)&p, sizeof(p)) == 0);
	CHECK(accept(second, NULL, NULL) >= 0);
	/* Where a socket looks depends on where it was made. */
	FAILS(EINVAL, bind(first, (void *)&a, len));
	CHECK(unlink("listener") == 0);
}

static void abstract_names_are_its_own(void)
{
	if (may_unshare_net())
		CHECK(in_child(names_are_apart) == 0);
}

static bool is_listed(const char *name)
{
	char text[65536];
	int fd = open("/proc/self/net/unix", O_RDONLY);
	ssize_t got;

	CHECK(fd >= 0);
	got = read(fd, text, sizeof(text) - 1);
	CHECK(got > 0 && close(fd) == 0);
	text[got] = 0;
	return strstr(text, name) != NULL;
}

static void lists_are_apart(void)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, "carbyne-is-listed");
	int first = unix_socket();
	int ns = net_ns_fd();

	CHECK(bind(first, (void *)&a, len) == 0);
	CHECK(is_listed("@carbyne-is-listed"));
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(!is_listed("@carbyne-is-listed"));
	CHECK(setns(ns, CLONE_NEWNET) == 0);
	CHECK(is_listed("@carbyne-is-listed"));
}

static void proc_net_tells_of_the_readers(void)
{
	if (may_unshare_net())
		CHECK(in_child(lists_are_apart) == 0);
}

/* ---- netlink ---- */

static void ports_are_apart(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = 4242};
	int first = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	int other;

	CHECK(first >= 0 && bind(first, (void *)&a, sizeof(a)) == 0);
	CHECK(unshare(CLONE_NEWNET) == 0);
	other = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	CHECK(other >= 0);
	FAILS(ECONNREFUSED, sendto(other, "x", 1, 0, (void *)&a, sizeof(a)));
	CHECK(close(other) == 0);
	other = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	CHECK(bind(other, (void *)&a, sizeof(a)) == 0);
	FAILS(EADDRINUSE, bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK), (void *)&a,
			       sizeof(a)));
}

static void netlink_ports_are_its_own(void)
{
	if (may_unshare_net())
		CHECK(in_child(ports_are_apart) == 0);
}

/* ---- settings ---- */

#define RANGE "/proc/sys/net/ipv4/ip_local_port_range"

static void read_range(char text[32])
{
	int fd = open(RANGE, O_RDONLY);

	memset(text, 0, 32);
	CHECK(fd >= 0 && read(fd, text, 31) > 0 && close(fd) == 0);
}

static bool write_range(const char *text)
{
	int fd = open(RANGE, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	CHECK(fd >= 0 && close(fd) == 0);
	return ok;
}

static void settings_are_apart(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	char before[32], now[32];
	int ns = net_ns_fd();
	int fd;

	read_range(before);
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(write_range("40000 40009"));
	CHECK(!write_range("500 600") && errno == EINVAL); /* they need a privilege */
	CHECK(!write_range("50000 40000") && errno == EINVAL);
	read_range(now);
	CHECK(strcmp(now, "40000\t40009\n") == 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(fd >= 0 && bind(fd, (void *)&a, sizeof(a)) == 0);
	CHECK(getsockname(fd, (void *)&a, &len) == 0);
	CHECK(ntohs(a.sin_port) >= 40000 && ntohs(a.sin_port) <= 40009);
	CHECK(setns(ns, CLONE_NEWNET) == 0);
	read_range(now);
	CHECK(strcmp(now, before) == 0);
}

static char tag(const char *fresh)
{
	int fd = open("/proc/sys/net/ipv4/conf/lo/tag", fresh ? O_RDWR : O_RDONLY);
	char c = 0;

	CHECK(fd >= 0);
	CHECK(!fresh || write(fd, fresh, strlen(fresh)) == (ssize_t)strlen(fresh));
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, &c, 1) == 1 && close(fd) == 0);
	return c;
}

static void devices_settings_are_apart(void)
{
	int ns = net_ns_fd();
	char before = tag(NULL);

	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(tag(NULL) == '0' && tag("7") == '7');
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(tag(NULL) == '0');
	CHECK(setns(ns, CLONE_NEWNET) == 0 && tag(NULL) == before);
}

static void its_settings_are_its_own(void)
{
	if (may_unshare_net())
		CHECK(in_child(devices_settings_are_apart) == 0);
	if (may_unshare_net())
		CHECK(in_child(settings_are_apart) == 0);
}

/* ---- nsfs ---- */

static void asked(void)
{
	struct stat user, got;
	int fd, owner;

	CHECK(unshare(CLONE_NEWNET) == 0);
	fd = net_ns_fd();
	CHECK(ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET);
	FAILS(EINVAL, ioctl(fd, NS_GET_PARENT));
	owner = ioctl(fd, NS_GET_USERNS);
	CHECK(owner >= 0 && ioctl(owner, NS_GET_NSTYPE) == CLONE_NEWUSER);
	CHECK(stat("/proc/self/ns/user", &user) == 0 && fstat(owner, &got) == 0);
	CHECK(user.st_ino == got.st_ino && user.st_dev == got.st_dev);
}

static void its_file_tells_whose_it_is(void)
{
	if (may_unshare_net())
		CHECK(in_child(asked) == 0);
}

RUN(TEST(it_is_made_and_entered), TEST(a_child_may_be_made_in_one),
    TEST(each_thread_has_its_own), TEST(users_get_none), TEST(a_pidfd_leads_into_one),
    TEST(a_socket_stays_where_it_was_made), TEST(users_do_not_learn_of_it),
    TEST(abstract_names_are_its_own), TEST(proc_net_tells_of_the_readers),
    TEST(netlink_ports_are_its_own), TEST(its_settings_are_its_own),
    TEST(its_file_tells_whose_it_is))
