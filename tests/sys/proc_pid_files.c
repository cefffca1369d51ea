/* SPDX-License-Identifier: MIT */
/* The files of /proc/PID: which there are, with what modes, what they take, and that what
 * they say is true. */
/* calls: open read write readlink pidfd_send_signal */
#include "fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MIB (1L << 20)

static long value_of(const char *file, const char *key)
{
	const char *text = file_get(file), *at = text;
	size_t len = strlen(key);

	while (at && (strncmp(at, key, len) != 0 || at[len] != ':')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	CHECK(at);
	return strtol(at + len + 1, NULL, 10);
}

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static const struct {
	const char *name;
	unsigned mode;
	bool in_task;
} files[] = {
	{"auxv", S_IFREG | 0400, true},
	{"attr", S_IFDIR | 0555, true},
	{"cgroup", S_IFREG | 0444, true},
	{"clear_refs", S_IFREG | 0200, true},
	{"cmdline", S_IFREG | 0444, true},
	{"comm", S_IFREG | 0644, true},
	{"coredump_filter", S_IFREG | 0644, false},
	{"cpuset", S_IFREG | 0444, true},
	{"cwd", S_IFLNK | 0777, true},
	{"environ", S_IFREG | 0400, true},
	{"exe", S_IFLNK | 0777, true},
	{"fd", S_IFDIR | 0500, true},
	{"fdinfo", S_IFDIR | 0555, true},
	{"gid_map", S_IFREG | 0644, true},
	{"io", S_IFREG | 0400, true},
	{"limits", S_IFREG | 0444, true},
	{"loginuid", S_IFREG | 0644, true},
	{"map_files", S_IFDIR | 0500, false},
	{"maps", S_IFREG | 0444, true},
	{"mem", S_IFREG | 0600, true},
	{"mountinfo", S_IFREG | 0444, true},
	{"mounts", S_IFREG | 0444, true},
	{"mountstats", S_IFREG | 0400, false},
	{"net", S_IFDIR | 0555, true},
	{"ns", S_IFDIR | 0511, true},
	{"numa_maps", S_IFREG | 0444, true},
	{"oom_adj", S_IFREG | 0644, true},
	{"oom_score", S_IFREG | 0444, true},
	{"oom_score_adj", S_IFREG | 0644, true},
	{"pagemap", S_IFREG | 0400, true},
	{"personality", S_IFREG | 0400, true},
	{"projid_map", S_IFREG | 0644, true},
	{"root", S_IFLNK | 0777, true},
	{"sched", S_IFREG | 0644, true},
	{"schedstat", S_IFREG | 0444, true},
	{"sessionid", S_IFREG | 0444, true},
	{"setgroups", S_IFREG | 0644, true},
	{"smaps", S_IFREG | 0444, true},
	{"smaps_rollup", S_IFREG | 0444, true},
	{"stack", S_IFREG | 0400, true},
	{"stat", S_IFREG | 0444, true},
	{"statm", S_IFREG | 0444, true},
	{"status", S_IFREG | 0444, true},
	{"syscall", S_IFREG | 0400, true},
	{"task", S_IFDIR | 0555, false},
	{"timens_offsets", S_IFREG | 0644, false},
	{"timers", S_IFREG | 0444, false},
	{"timerslack_ns", S_IFREG | 0666, false},
	{"uid_map", S_IFREG | 0644, true},
	{"wchan", S_IFREG | 0444, true},
};

static void modes_are_linuxs(void)
{
	char path[80];
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", files[i].name);
		if (lstat(path, &st) != 0 || st.st_mode != files[i].mode)
			printf("# %s %o\n", path, st.st_mode);
		CHECK(lstat(path, &st) == 0 && st.st_mode == files[i].mode);
		CHECK(st.st_uid == geteuid() && st.st_gid == getegid());
		snprintf(path, sizeof(path), "/proc/thread-self/%s", files[i].name);
		if (files[i].in_task)
			CHECK(lstat(path, &st) == 0 && st.st_mode == files[i].mode);
		else
			CHECK(lstat(path, &st) == -1 && errno == ENOENT);
	}
	CHECK(lstat("/proc/thread-self/children", &st) == 0);
}

/* Root may read all of its own. */
static void all_can_be_read(void)
{
	char path[80], b[4096];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd;

		if (!S_ISREG(files[i].mode) || strcmp(files[i].name, "clear_refs") == 0)
			continue;
		if (strcmp(files[i].name, "stack") == 0 && getuid() != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/%s", files[i].name);
		fd = open(path, O_RDONLY);
		CHECK(fd >= 0);
		if (strcmp(files[i].name, "mem") != 0)
			CHECK(read(fd, b, sizeof(b)) >= 0);
		CHECK(close(fd) == 0);
	}
}

static void resident_memory_grows_with_use(void)
{
	long before = value_of("/proc/self/status", "RssAnon"), with, file;
	char *p = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && madvise(p, 64 * MIB, MADV_NOHUGEPAGE) == 0);
	with = value_of("/proc/self/status", "RssAnon");
	CHECK(labs(with - before) < 1024);
	memset(p, 1, 32 * MIB);
	with = value_of("/proc/self/status", "RssAnon");
	CHECK(labs(with - before - 32 * 1024) < 1024);
	file = value_of("/proc/self/status", "RssFile");
	CHECK(labs(value_of("/proc/self/status", "VmRSS") - with - file -
		   value_of("/proc/self/status", "RssShmem")) < 1024);
	CHECK(labs(value_of("/proc/self/smaps_rollup", "Anonymous") - with) < 1024);
	CHECK(value_of("/proc/self/status", "VmHWM") >= 32 * 1024);
	CHECK(madvise(p, 32 * MIB, MADV_DONTNEED) == 0);
	with = value_of("/proc/self/status", "RssAnon");
	CHECK(labs(with - before) < 1024);
	CHECK(value_of("/proc/self/status", "VmPeak") >=
	      value_of("/proc/self/status", "VmSize"));
	CHECK(munmap(p, 64 * MIB) == 0);
	CHECK(value_of("/proc/self/status", "VmPeak") >=
	      value_of("/proc/self/status", "VmSize") + 64 * 1024);
}

static int go[2];
static char *ballast;

static void child_grows(void)
{
	char b;

	ballast = malloc(16 * MIB);
	memset(ballast, 1, 16 * MIB);
	CHECK(write(go[1], "x", 1) == 1);
	while (read(go[0], &b, 1) == 1 && b != 'y') {
		CHECK(write(go[1], "x", 1) == 1);
		sleep_ms(1);
	}
}

static void memory_of_others_is_measured(void)
{
	char path[64], b;
	pid_t pid;

	CHECK(pipe(go) == 0);
	pid = child_start(child_grows);
	CHECK(read(go[0], &b, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	CHECK(value_of(path, "RssAnon") >= 16 * 1024);
	CHECK(value_of(path, "RssAnon") < 24 * 1024);
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	CHECK(value_of(path, "Anonymous") >= 16 * 1024);
	CHECK(write(go[1], "y", 1) == 1 && child_wait(pid) == 0);
	CHECK(close(go[0]) == 0 && close(go[1]) == 0);
}

static void pagemap_tells_what_is_present(void)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t e[10];
	off_t at = (off_t)((uintptr_t)p / PAGE * 8);

	p[0] = p[3 * PAGE] = 1;
	CHECK(fd >= 0 && pread(fd, e, 64, at) == 64);
	for (int i = 0; i < 8; i++)
		CHECK(e[i] >> 63 == (i == 0 || i == 3) && !(e[i] >> 61 & 1));
	CHECK(munmap(p + 3 * PAGE, PAGE) == 0);
	CHECK(pread(fd, e, 64, at) == 64 && e[0] >> 63 && !(e[3] >> 63));
	at = (off_t)((uintptr_t)pagemap_tells_what_is_present / PAGE * 8);
	CHECK(pread(fd, e, 8, at) == 8 && e[0] >> 63 && (e[0] >> 61 & 1));
	FAILS(EINVAL, pread(fd, e, 8, at + 1));
	FAILS(EINVAL, pread(fd, e, 7, at));
	CHECK(pread(fd, e, 0, at) == 0 && pread(fd, e, 8, 1L << 60) == 0);
	CHECK(close(fd) == 0 && munmap(p, 8 * PAGE) == 0);
}

static void clear_refs_takes_one_to_five(void)
{
	CHECK(put("/proc/self/clear_refs", "1") == 0);
	CHECK(put("/proc/self/clear_refs", "4\n") == 0);
	FAILS(EINVAL, put("/proc/self/clear_refs", "0"));
	FAILS(EINVAL, put("/proc/self/clear_refs", "6"));
	FAILS(EINVAL, put("/proc/self/clear_refs", "x"));
	if (getuid() != 0)
		FAILS(EACCES, open("/proc/self/clear_refs", O_RDONLY));
}

static void the_peak_can_be_reset(void)
{
	char *p = mmap(NULL, 48 * MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(value_of("/proc/self/status", "VmHWM") >= 48 * 1024);
	CHECK(munmap(p, 48 * MIB) == 0);
	CHECK(value_of("/proc/self/status", "VmHWM") >= 48 * 1024);
	CHECK(put("/proc/self/clear_refs", "5") == 0);
	CHECK(value_of("/proc/self/status", "VmHWM") < 40 * 1024);
}

static void mapped_files_are_links(void)
{
	DIR *d = opendir("/proc/self/map_files");
	char exe[PATH_MAX], to[PATH_MAX], path[600];
	struct dirent *e;
	int found = 0;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	CHECK(d && n > 0);
	exe[n] = 0;
	while ((e = readdir(d))) {
		unsigned long from, end;

		if (e->d_name[0] == '.')
			continue;
		CHECK(sscanf(e->d_name, "%lx-%lx", &from, &end) == 2 && from < end);
		snprintf(path, sizeof(path), "/proc/self/map_files/%s", e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		CHECK(n > 0);
		to[n] = 0;
		found += strcmp(to, exe) == 0;
		if (getuid() == 0)
			CHECK(access(path, F_OK) == 0);
	}
	closedir(d);
	CHECK(found >= 2);
	FAILS(ENOENT, readlink("/proc/self/map_files/1000-2000", to, 10));
	FAILS(ENOENT, readlink("/proc/self/map_files/x", to, 10));
}

static void reads_and_writes_are_counted(void)
{
	const char *io = "/proc/self/io";
	long r = value_of(io, "rchar"), w = value_of(io, "wchar");
	long rc = value_of(io, "syscr"), wc = value_of(io, "syscw");
	char b[1000] = {0};
	int fd = open("counted", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 0; i < 10; i++)
		CHECK(write(fd, b, 1000) == 1000);
	CHECK(value_of(io, "wchar") == w + 10000 && value_of(io, "syscw") == wc + 10);
	for (int i = 0; i < 5; i++)
		CHECK(pread(fd, b, 1000, 0) == 1000);
	CHECK(value_of(io, "rchar") >= r + 5000 && value_of(io, "syscr") >= rc + 5);
	CHECK(close(fd) == 0);
}

static void child_writes(void)
{
	int fd = open("/dev/null", O_WRONLY);
	static char b[4000];

	for (int i = 0; i < 25; i++)
		CHECK(write(fd, b, 4000) == 4000);
}

static void children_that_were_waited_for_count(void)
{
	long w = value_of("/proc/self/io", "wchar");

	CHECK(in_child(child_writes) == 0);
	CHECK(value_of("/proc/self/io", "wchar") >= w + 100000);
	CHECK(value_of("/proc/thread-self/io", "wchar") < w + 100000);
}

static void out_of_memory_scores(void)
{
	const char *adj = "/proc/self/oom_adj", *score = "/proc/self/oom_score_adj";

	CHECK(put(score, "0") == 0 && file_is(adj, "0\n"));
	CHECK(put(score, " 100\n") == 0 && file_is(score, "100\n"));
	CHECK(file_is(adj, "1\n") && atol(file_get("/proc/self/oom_score")) > 0);
	CHECK(put(adj, "8") == 0 && file_is(score, "470\n") && file_is(adj, "7\n"));
	CHECK(put(adj, "15") == 0 && file_is(score, "1000\n") && file_is(adj, "15\n"));
	FAILS(EINVAL, put(adj, "16"));
	FAILS(EINVAL, put(adj, "-18"));
	FAILS(EINVAL, put(adj, ""));
	FAILS(EINVAL, put(score, "1001"));
	FAILS(EINVAL, put(score, "-1001"));
	FAILS(EINVAL, put(score, "1x"));
}

static void users_lower_score(void)
{
	int score = open("/proc/self/oom_score_adj", O_WRONLY);
	int adj = open("/proc/self/oom_adj", O_WRONLY);

	CHECK(write(score, "0", 1) == 1);
	become_user();
	CHECK(write(score, "500", 3) == 3);
	CHECK(write(score, "400", 3) == 3); /* not below where it began */
	FAILS(EACCES, write(score, "-1", 2));
	FAILS(EACCES, write(adj, "1", 1));
	CHECK(write(score, "0", 1) == 1);
}

static void lowering_a_score_takes_a_capability(void)
{
	CHECK(in_child(users_lower_score) == 0);
}

static void core_filters_are_kept(void)
{
	const char *f = "/proc/self/coredump_filter";

	CHECK(put(f, "0x7f") == 0 && file_is(f, "0000007f\n"));
	CHECK(put(f, "010") == 0 && file_is(f, "00000008\n"));
	CHECK(put(f, "51\n") == 0 && file_is(f, "00000033\n"));
	FAILS(EINVAL, put(f, "x"));
	FAILS(EINVAL, put(f, ""));
	FAILS(EINVAL, put(f, "0x"));
}

static void id_maps_are_set_once(void)
{
	FAILS(EPERM, put("/proc/self/uid_map", "0 0 1"));
	FAILS(EPERM, put("/proc/self/gid_map", "0 0 1"));
	if (getuid() == 0)
		FAILS(EINVAL, put("/proc/self/setgroups", "x"));
	else
		FAILS(EACCES, put("/proc/self/setgroups", "x"));
	if (getuid() == 0)
		CHECK(put("/proc/self/setgroups", "allow") == 0);
	CHECK(file_is("/proc/self/setgroups", "allow\n"));
	CHECK(file_is("/proc/self/uid_map", "         0          0 4294967295\n"));
}

static void there_is_no_security_module(void)
{
	char b[10];
	int fd = open("/proc/self/attr/current", O_RDWR);

	CHECK(fd >= 0);
	FAILS(EINVAL, read(fd, b, sizeof(b)));
	FAILS(EINVAL, write(fd, "x", 1));
	CHECK(close(fd) == 0);
}

static void child_reads(void)
{
	char b;

	close(go[1]);
	CHECK(read(go[0], &b, 1) == 0);
}

static void a_call_that_sleeps_is_named(void)
{
	long want = SYS_read, nr = -1;
	unsigned long fd = 0, buf, count = 0;
	char path[64];
	pid_t pid;

	CHECK(pipe(go) == 0);
	pid = child_start(child_reads);
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (int i = 0; i < 20000 && (nr != want || fd != (unsigned long)go[0]); i++) {
		(void)sscanf(file_get(path), "%ld %lx %lx %lx", &nr, &fd, &buf, &count);
		sleep_ms(1);
	}
	CHECK(nr == want && fd == (unsigned long)go[0] && count == 1);
	CHECK(close(go[1]) == 0 && child_wait(pid) == 0 && close(go[0]) == 0);
	CHECK(sscanf(file_get("/proc/self/syscall"), "%ld", &nr) == 1 && nr == SYS_read);
}

static void timers_are_listed(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	char want[100];
	timer_t id;

	CHECK(file_is("/proc/self/timers", ""));
	e.sigev_value.sival_ptr = (void *)0x1234;
	CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0);
	snprintf(
		want, sizeof(want),
		"ID: 0\nsignal: %d/0000000000001234\nnotify: signal/pid.%d\nClockID: 1\n",
		SIGUSR1, getpid());
	CHECK(file_is("/proc/self/timers", want) && timer_delete(id) == 0);
}

static void *thread_forks(void *arg)
{
	char want[32], path[64];
	pid_t pid = child_start(child_reads);

	(void)arg;
	snprintf(want, sizeof(want), "%d ", pid);
	CHECK(file_is("/proc/thread-self/children", want));
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	CHECK(file_is(path, ""));
	CHECK(close(go[1]) == 0 && child_wait(pid) == 0 && close(go[0]) == 0);
	return NULL;
}

static void children_belong_to_their_thread(void)
{
	pthread_t t;

	CHECK(pipe(go) == 0);
	CHECK(pthread_create(&t, NULL, thread_forks, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

static void switches_are_counted(void)
{
	const char *s = "/proc/self/status";
	long before = value_of(s, "voluntary_ctxt_switches");

	for (int i = 0; i < 20; i++)
		sleep_ms(1);
	CHECK(value_of(s, "voluntary_ctxt_switches") >= before + 20);
}

static void signals_go_through_a_directory(void)
{
	char path[64];
	pid_t pid;
	int fd, status;

	CHECK(pipe(go) == 0);
	pid = child_start(child_reads);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0);
	CHECK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
	FAILS(ESRCH, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	CHECK(close(fd) == 0 && close(go[0]) == 0 && close(go[1]) == 0);
	fd = open("/proc/self/task", O_RDONLY);
	FAILS(EBADF, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	CHECK(close(fd) == 0);
}

/* ---- sleeping on what is not in memory ---- */

static int udp, listener;

static void sleeps_in_recv(void)
{
	char b;

	(void)!recv(udp, &b, 1, 0);
}

static void sleeps_in_accept(void)
{
	(void)!accept(listener, NULL, NULL);
}

static void sleeps_in_poll(void)
{
	struct pollfd p = {udp, POLLIN, 0};

	(void)!poll(&p, 1, -1);
}

static void sleeps_in_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int ep = epoll_create1(0);

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, udp, &e) == 0);
	(void)!epoll_wait(ep, &e, 1, -1);
}

static char state_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return strrchr(file_get(path), ')')[2];
}

static void who_waits_for_the_network_sleeps(void)
{
	static void (*const kinds[])(void) = {sleeps_in_recv, sleeps_in_accept,
					      sleeps_in_poll, sleeps_in_epoll};
	struct sockaddr_in a = {.sin_family = AF_INET};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(udp >= 0 && bind(udp, (struct sockaddr *)&a, sizeof(a)) == 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(listener >= 0 && listen(listener, 1) == 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		pid_t pid = child_start(kinds[i]);
		int seen = 0;

		/* Not only in passing. */
		for (int k = 0; k < 30000 && seen < 20; k++) {
			seen = state_of(pid) == 'S' ? seen + 1 : 0;
			sleep_ms(1);
		}
		CHECK(seen == 20 && kill(pid, SIGKILL) == 0);
		(void)child_wait(pid);
	}
	CHECK(close(udp) == 0 && close(listener) == 0);
}

static void sequences_take_no_offsets(void)
{
	static const char *const lines[] = {"comm", "timerslack_ns"};
	char path[64], b[64];
	int fd;

	for (size_t i = 0; i < 2; i++) {
		struct iovec v = {b, 1};

		snprintf(path, sizeof(path), "/proc/self/%s", lines[i]);
		fd = open(path, O_RDWR);
		CHECK(fd >= 0 && pread(fd, b, sizeof(b), 1) > 0);
		FAILS(ESPIPE, pwrite(fd, "7", 1, 0));
		FAILS(ESPIPE, pwrite(fd, "7", 1, 3));
		FAILS(ESPIPE, pwritev(fd, &v, 1, 0));
		CHECK(lseek(fd, 3, SEEK_SET) == 3 && write(fd, "50000", 5) == 5);
		CHECK(close(fd) == 0);
	}
	fd = open("/proc/self/coredump_filter", O_RDWR);
	CHECK(fd >= 0 && pwrite(fd, "0x33", 4, 5) == 4 && close(fd) == 0);
}

static pid_t gone;

static void files_of_one_that_has_ended(void)
{
	static const char *const names[] = {"status", "maps",	      "cmdline",
					    "stat",   "limits",	      "smaps_rollup",
					    "io",     "oom_score_adj"};
	int fds[8];
	char path[64], b[64];

	CHECK(pipe(go) == 0);
	gone = child_start(child_reads);
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", gone, names[i]);
		fds[i] = open(path, O_RDONLY);
		CHECK(fds[i] >= 0);
	}
	CHECK(close(go[1]) == 0 && child_wait(gone) == 0 && close(go[0]) == 0);
	for (int i = 0; i < 8; i++) {
		errno = 0;
		ssize_t n = read(fds[i], b, sizeof(b));

		if (n != -1 || errno != ESRCH)
			printf("# %s: %zd errno %d\n", names[i], n, errno);
		/* maps and cmdline know their memory: it has gone. */
		CHECK((n == -1 && errno == ESRCH) ||
		      (n == 0 && (i == 1 || i == 2 || i == 5)));
		CHECK(close(fds[i]) == 0);
	}
}

RUN(TEST(modes_are_linuxs), TEST(all_can_be_read), TEST(resident_memory_grows_with_use),
    TEST(memory_of_others_is_measured), TEST(pagemap_tells_what_is_present),
    TEST(clear_refs_takes_one_to_five), TEST(the_peak_can_be_reset),
    TEST(mapped_files_are_links), TEST(reads_and_writes_are_counted),
    TEST(children_that_were_waited_for_count), TEST(out_of_memory_scores),
    TEST(lowering_a_score_takes_a_capability), TEST(core_filters_are_kept),
    TEST(id_maps_are_set_once), TEST(there_is_no_security_module),
    TEST(a_call_that_sleeps_is_named), TEST(timers_are_listed),
    TEST(children_belong_to_their_thread), TEST(switches_are_counted),
    TEST(who_waits_for_the_network_sleeps), TEST(sequences_take_no_offsets),
    TEST(signals_go_through_a_directory), TEST(files_of_one_that_has_ended))
