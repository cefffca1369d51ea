/* SPDX-License-Identifier: MIT */
/* /proc/sys: modes hold for root too, numbers take numbers, what was set is read back.
 * What changes is the test's own: a network namespace natively. */
/* calls: open read write */
#define _GNU_SOURCE
#include "fixture.h"

#include <sched.h>

static const struct {
	const char *name;
	unsigned mode;
} files[] = {
	{"abi", S_IFDIR | 0555},
	{"fs/file-max", S_IFREG | 0644},
	{"fs/file-nr", S_IFREG | 0444},
	{"fs/mqueue/msg_max", S_IFREG | 0644},
	{"kernel/cap_last_cap", S_IFREG | 0444},
	{"kernel/hostname", S_IFREG | 0644},
	{"kernel/ngroups_max", S_IFREG | 0444},
	{"kernel/ostype", S_IFREG | 0444},
	{"kernel/pid_max", S_IFREG | 0644},
	{"kernel/random/uuid", S_IFREG | 0444},
	{"kernel/threads-max", S_IFREG | 0644},
	{"net/core/somaxconn", S_IFREG | 0644},
	{"net/ipv4/conf/all/rp_filter", S_IFREG | 0644},
	{"net/ipv4/conf/lo/forwarding", S_IFREG | 0644},
	{"net/ipv4/tcp_rmem", S_IFREG | 0644},
	{"net/ipv6/conf/default/hop_limit", S_IFREG | 0644},
	{"user/max_user_namespaces", S_IFREG | 0644},
	{"vm/compact_memory", S_IFREG | 0200},
	{"vm/drop_caches", S_IFREG | 0200},
	{"vm/max_map_count", S_IFREG | 0644},
	{"vm/mmap_rnd_bits", S_IFREG | 0600},
	{"vm/overcommit_memory", S_IFREG | 0644},
	{"vm/swappiness", S_IFREG | 0644},
};

static const char *path_of(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return path;
}

static ssize_t put(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY);
	ssize_t n;
	int err;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	errno = err;
	return n;
}

static void modes_are_linuxs(void)
{
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (lstat(path_of(files[i].name), &st) != 0 ||
		    st.st_mode != files[i].mode)
			printf("# %s %o\n", files[i].name, st.st_mode);
		CHECK(lstat(path_of(files[i].name), &st) == 0);
		CHECK(st.st_mode == files[i].mode && st.st_uid == 0 && st.st_gid == 0);
	}
}

static void modes_hold_for_root_too(void)
{
	FAILS(EACCES, open(path_of("kernel/ostype"), O_WRONLY));
	FAILS(EACCES, open(path_of("kernel/ngroups_max"), O_RDWR));
	FAILS(EACCES, open(path_of("vm/drop_caches"), O_RDONLY));
	FAILS(EACCES, open(path_of("vm/compact_memory"), O_RDONLY));
	CHECK(open(path_of("kernel/new"), O_WRONLY | O_CREAT, 0600) == -1);
	FAILS(EPERM, chmod(path_of("vm/swappiness"), 0666));
}

static void users_read(void)
{
	become_user();
	FAILS(EACCES, open(path_of("vm/swappiness"), O_WRONLY));
	FAILS(EACCES, open(path_of("vm/mmap_rnd_bits"), O_RDONLY));
	CHECK(atol(file_get(path_of("vm/swappiness"))) >= 0);
}

static void users_may_not_write(void)
{
	CHECK(in_child(users_read) == 0);
}

static void numbers_take_numbers(void)
{
	if (getuid() != 0)
		return;
	FAILS(EINVAL, put("vm/swappiness", "x"));
	FAILS(EINVAL, put("vm/swappiness", "5x"));
	FAILS(EINVAL, put("vm/swappiness", " "));
	FAILS(EINVAL, put("net/core/somaxconn", "many"));
	FAILS(EINVAL, put("kernel/pid_max", "300"));
	FAILS(EINVAL, put("kernel/pid_max", "4194305"));
	FAILS(EINVAL, put("kernel/threads-max", "0"));
	FAILS(EINVAL, put("kernel/threads-max", "1073741824"));
}

static void settings_are_kept(void)
{
	const char *range = "net/ipv4/ip_local_port_range";

	if (getuid() != 0)
		return;
	CHECK(unshare(CLONE_NEWNET) == 0 || errno == EPERM);
	CHECK(put(range, "33000 60999\n") == 12);
	CHECK(file_is(path_of(range), "33000\t60999\n"));
	CHECK(put(range, "32768") == 5);
	CHECK(file_is(path_of(range), "32768\t60999\n"));
	CHECK(put("net/ipv4/tcp_keepalive_time", "600") == 3);
	CHECK(file_is(path_of("net/ipv4/tcp_keepalive_time"), "600\n"));
	CHECK(put("net/ipv4/tcp_keepalive_time", "7200") == 4);
}

/* Opens what is to be written in namespaces of its own, in a table that others have. */
static void open_for_others(const char *path, int told, int until)
{
	char c;
	int fd = open(path, O_WRONLY);

	CHECK(write(told, &fd, sizeof(fd)) == sizeof(fd));
	(void)!read(until, &c, 1);
	_exit(0);
}

static void others_may_write(const char *path, const char *value)
{
	char before[32];
	int told[2], until[2], fd;
	pid_t pid;

	CHECK(snprintf(before, sizeof(before), "%s", file_get(path)) > 0);
	CHECK(strcmp(before, value) != 0);
	CHECK(pipe(told) == 0 && pipe(until) == 0);
	pid = (pid_t)syscall(SYS_clone,
			     CLONE_NEWUSER | CLONE_NEWNET | CLONE_FILES | SIGCHLD, 0, 0,
			     0, 0);
	if (pid < 0)
		return; /* nobody may make any here */
	if (pid == 0)
		open_for_others(path, told[1], until[0]);
	CHECK(read(told[0], &fd, sizeof(fd)) == sizeof(fd) && fd >= 0);
	(void)!write(fd, value, strlen(value));
	CHECK(file_is(path, before));
	CHECK(write(until[1], "x", 1) == 1 && child_wait(pid) == 0);
	CHECK(file_is(path, before));
}

/* In a child with namespaces of its own that shares its descriptors: opens path, and
 * ends when it is told so. */
static pid_t open_elsewhere(const char *path, int *fd, int until[2])
{
	int told[2];
	pid_t pid;
	char c;

	CHECK(pipe(told) == 0 && pipe(until) == 0);
	pid = (pid_t)syscall(SYS_clone,
			     CLONE_NEWUSER | CLONE_NEWNET | CLONE_FILES | SIGCHLD, 0, 0,
			     0, 0);
	if (pid < 0)
		return -1; /* nobody may make any here */
	if (pid == 0) {
		int own = open(path, O_RDWR);

		CHECK(write(told[1], &own, sizeof(own)) == sizeof(own));
		(void)!read(until[0], &c, 1);
		_exit(0);
	}
	CHECK(read(told[0], fd, sizeof(*fd)) == sizeof(*fd) && *fd >= 0);
	return pid;
}

static bool reads(int fd, const char *value)
{
	char text[64] = "";

	CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0);
	return strcmp(text, value) == 0;
}

static int other_fd;
static void strangers_may_not(void)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(12345) == 0 && setuid(12345) == 0);
	FAILS(EPERM, pwrite(other_fd, "1234\n", 5, 0));
}

/* A file leads to what is the namespace's that it was opened in; who writes must have the
 * right over that. */
static void it_is_the_openers_value(const char *path, const char *value, bool is_of_net)
{
	char before[64], text[64];
	int until[2];
	pid_t pid = open_elsewhere(path, &other_fd, until);

	if (pid < 0)
		return;
	snprintf(before, sizeof(before), "%s", file_get(path));
	CHECK(strcmp(before, value) != 0 && !reads(other_fd, value));
	CHECK(pwrite(other_fd, value, strlen(value), 0) == (ssize_t)strlen(value));
	CHECK(reads(other_fd, value) && file_is(path, before));
	FAILS(EINVAL, pwrite(other_fd, "none\n", 5, 0));
	if (getuid() == 0)
		CHECK(in_child(strangers_may_not) == 0);
	CHECK(reads(other_fd, value) && file_is(path, before));
	CHECK(write(until[1], "x", 1) == 1 && child_wait(pid) == 0);
	/* The file keeps no network: what was its is no more, some time later. */
	for (int i = 0; is_of_net && pread(other_fd, text, sizeof(text), 0) >= 0; i++) {
		CHECK(i < 6000);
		usleep(10000);
	}
	if (is_of_net)
		FAILS(ENOENT, pread(other_fd, text, sizeof(text), 0));
	if (is_of_net)
		FAILS(ENOENT, pwrite(other_fd, value, strlen(value), 0));
	CHECK(file_is(path, before));
	CHECK(close(other_fd) == 0 && close(until[0]) == 0 && close(until[1]) == 0);
}

static void a_file_is_of_who_opened_it(void)
{
	it_is_the_openers_value(path_of("net/core/somaxconn"), "4001\n", true);
	it_is_the_openers_value(path_of("net/ipv4/ip_default_ttl"), "61\n", true);
	it_is_the_openers_value(path_of("net/ipv4/ip_local_port_range"), "33002\t60003\n",
				true);
	it_is_the_openers_value(path_of("user/max_net_namespaces"), "1001\n", false);
}

/* Who may set what is his own sets nothing else by the hand of others. */
static void what_another_opened_is_not_ones_own(void)
{
	others_may_write(path_of("net/core/somaxconn"), "4000\n");
	others_may_write(path_of("net/ipv4/ip_default_ttl"), "63\n");
	others_may_write(path_of("net/ipv4/ip_local_port_range"), "33000\t60000\n");
	others_may_write(path_of("net/ipv4/ping_group_range"), "0\t0\n");
	others_may_write(path_of("user/max_user_namespaces"), "1000\n");
	others_may_write(path_of("user/max_net_namespaces"), "1000\n");
}

RUN(TEST(modes_are_linuxs), TEST(modes_hold_for_root_too), TEST(users_may_not_write),
    TEST(numbers_take_numbers), TEST(settings_are_kept),
    TEST(what_another_opened_is_not_ones_own), TEST(a_file_is_of_who_opened_it))
