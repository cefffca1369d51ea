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
    TEST(what_another_opened_is_not_ones_own))
