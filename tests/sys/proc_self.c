/* SPDX-License-Identifier: MIT */
/* What /proc tells a program of itself and of its children. */
/* calls: open read readlink getdents64 */
#include "fixture.h"

#include <dirent.h>
#include <sys/prctl.h>

static const char *link_of(const char *path)
{
	static char b[4096];
	ssize_t n = readlink(path, b, sizeof(b) - 1);

	CHECK(n > 0);
	b[n] = 0;
	return b;
}

/* The value behind "key:" in a status-like file. */
static const char *value_of(const char *file, const char *key)
{
	const char *text = file_get(file), *at = strstr(text, key);

	CHECK(at && (at == text || at[-1] == '\n') && at[strlen(key)] == ':');
	at += strlen(key) + 1;
	return at + strspn(at, " \t");
}

static void self_is_the_own_id(void)
{
	char want[32];

	snprintf(want, sizeof(want), "%d", getpid());
	CHECK(strcmp(link_of("/proc/self"), want) == 0);
	snprintf(want, sizeof(want), "%d/task/%ld", getpid(), syscall(SYS_gettid));
	CHECK(strcmp(link_of("/proc/thread-self"), want) == 0);
}

static void the_exe_link_leads_to_the_program(void)
{
	struct stat a, b;
	const char *exe = link_of("/proc/self/exe");

	CHECK(exe[0] == '/' && stat(exe, &a) == 0 && stat("/proc/self/exe", &b) == 0);
	CHECK(a.st_ino == b.st_ino && (a.st_mode & 0111));
}

static void cwd_and_root(void)
{
	char cwd[4096];

	CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(link_of("/proc/self/cwd"), cwd) == 0);
	CHECK(strcmp(link_of("/proc/self/root"), "/") == 0);
	file_put("here", "x");
	CHECK(file_is("/proc/self/cwd/here", "x") && exists("/proc/self/root/proc"));
}

static void comm_can_be_read_and_written(void)
{
	int fd;

	CHECK(strcmp(file_get("/proc/self/comm"), "proc_self\n") == 0);
	CHECK(prctl(PR_SET_NAME, "another") == 0);
	CHECK(strcmp(file_get("/proc/self/comm"), "another\n") == 0);
	fd = open("/proc/self/comm", O_WRONLY);
	CHECK(write(fd, "a name that is too long", 23) == 23 && close(fd) == 0);
	CHECK(strcmp(file_get("/proc/self/comm"), "a name that is \n") == 0);
	CHECK(prctl(PR_SET_NAME, "proc_self") == 0);
}

static void the_command_line_and_environment(void)
{
	int fd = open("/proc/self/cmdline", O_RDONLY);
	char b[4096];
	ssize_t n = read(fd, b, sizeof(b));

	CHECK(n > 9 && b[n - 1] == 0 && strcmp(b + n - 10, "proc_self") == 0);
	CHECK(close(fd) == 0);
	fd = open("/proc/self/environ", O_RDONLY);
	CHECK(fd >= 0 && read(fd, b, sizeof(b)) >= 0 && close(fd) == 0);
}

static void stat_has_its_fields(void)
{
	const char *text = file_get("/proc/self/stat"), *end = strrchr(text, ')');
	int pid, ppid, pgrp, session;
	char state;

	CHECK(end && sscanf(text, "%d (proc_self)", &pid) == 1 && pid == getpid());
	CHECK(sscanf(end + 2, "%c %d %d %d", &state, &ppid, &pgrp, &session) == 4);
	CHECK(state == 'R' && ppid == getppid() && pgrp == getpgrp());
	CHECK(session == getsid(0));
	int spaces = 0;
	for (const char *c = end; *c; c++)
		spaces += *c == ' ';
	CHECK(spaces == 50 && text[strlen(text) - 1] == '\n');
}

static void status_has_names_ids_and_sizes(void)
{
	const char *s = "/proc/self/status";
	unsigned int r, e;

	CHECK(strncmp(value_of(s, "Name"), "proc_self\n", 10) == 0);
	CHECK(value_of(s, "State")[0] == 'R' && atoi(value_of(s, "Pid")) == getpid());
	CHECK(atoi(value_of(s, "Tgid")) == getpid());
	CHECK(atoi(value_of(s, "PPid")) == getppid());
	CHECK(sscanf(value_of(s, "Uid"), "%u %u", &r, &e) == 2 && r == getuid());
	CHECK(e == geteuid() && atoi(value_of(s, "Threads")) == 1);
	CHECK(atoi(value_of(s, "VmSize")) > 0 && atoi(value_of(s, "VmRSS")) > 0);
	CHECK(strlen(value_of(s, "SigBlk")) > 16 &&
	      strtoul(value_of(s, "SigBlk"), 0, 16) == 0);
}

static void statm_counts_pages(void)
{
	unsigned long size, rss;

	CHECK(sscanf(file_get("/proc/self/statm"), "%lu %lu", &size, &rss) == 2);
	CHECK(size > 0 && rss > 0 && rss <= size);
}

static int count_in(const char *dir, bool *first_is_number)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	CHECK(d);
	*first_is_number = true;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			n++;
			if (e->d_name[0] < '0' || e->d_name[0] > '9')
				*first_is_number = false;
		}
	closedir(d);
	return n;
}

static void descriptors_are_listed(void)
{
	bool numbers;
	int before = count_in("/proc/self/fd", &numbers), fd = open("here", O_RDONLY);

	CHECK(numbers && count_in("/proc/self/fd", &numbers) == before + 1);
	CHECK(close(fd) == 0 && count_in("/proc/self/fd", &numbers) == before);
	CHECK(count_in("/proc/self/fdinfo", &numbers) == before);
}

static void fdinfo_has_position_and_flags(void)
{
	int fd = open("here", O_RDWR | O_APPEND);
	char path[40];

	CHECK(lseek(fd, 77, SEEK_SET) == 77);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(atoi(value_of(path, "pos")) == 77);
	CHECK((strtol(value_of(path, "flags"), NULL, 8) & (O_ACCMODE | O_APPEND)) ==
	      (O_RDWR | O_APPEND));
	CHECK(close(fd) == 0);
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st;
}

static void *wait_a_little(void *arg)
{
	char b;

	CHECK(read(*(int *)arg, &b, 1) == 0);
	return NULL;
}

static void threads_are_listed(void)
{
	bool numbers;
	pthread_t t;
	int p[2];

	CHECK(pipe(p) == 0 && count_in("/proc/self/task", &numbers) == 1);
	CHECK(stat_of("/proc/self/task").st_nlink == 3);
	CHECK(pthread_create(&t, NULL, wait_a_little, &p[0]) == 0);
	CHECK(count_in("/proc/self/task", &numbers) == 2 && numbers);
	CHECK(stat_of("/proc/self/task").st_nlink == 4);
	CHECK(atoi(value_of("/proc/self/status", "Threads")) == 2);
	CHECK(close(p[1]) == 0 && pthread_join(t, NULL) == 0 && close(p[0]) == 0);
}

/* The links of a directory: its directories, its "." and its name. */
static void links_are_counted(void)
{
	const char *dirs[] = {"/proc/self", "/proc/thread-self/"};

	for (int i = 0; i < 2; i++) {
		DIR *d = opendir(dirs[i]);
		struct dirent *e;
		nlink_t n = 0;

		CHECK(d);
		while ((e = readdir(d)))
			n += e->d_type == DT_DIR;
		CHECK(closedir(d) == 0 && n > 4 && stat_of(dirs[i]).st_nlink == n);
	}
}

static int held[2];

static void child_waits(void)
{
	char b;

	CHECK(close(held[1]) == 0 && chdir("/") == 0 && read(held[0], &b, 1) == 0);
}

static void children_are_visible(void)
{
	char path[64], state;
	pid_t pid;
	int ppid;

	CHECK(pipe(held) == 0);
	pid = child_start(child_waits);
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	for (int i = 0; i < 20000 && strcmp(link_of(path), "/") != 0; i++)
		sleep_ms(1);
	CHECK(strcmp(link_of(path), "/") == 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 20000; i++) {
		CHECK(sscanf(strrchr(file_get(path), ')') + 2, "%c %d", &state, &ppid) ==
		      2);
		if (state == 'S')
			break;
		sleep_ms(1);
	}
	CHECK(state == 'S' && ppid == getpid());
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	CHECK(strcmp(file_get(path), "proc_self\n") == 0);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	CHECK(strstr(file_get(path), "[stack]"));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, held[0]);
	CHECK(strncmp(link_of(path), "pipe:[", 6) == 0);
	CHECK(close(held[1]) == 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 20000 && state != 'Z'; i++) {
		sscanf(strrchr(file_get(path), ')') + 2, "%c", &state);
		sleep_ms(1);
	}
	CHECK(state == 'Z' && child_wait(pid) == 0 && !exists(path));
	CHECK(close(held[0]) == 0);
}

static void ids_that_do_not_exist(void)
{
	FAILS(ENOENT, open("/proc/0/stat", O_RDONLY));
	FAILS(ENOENT, open("/proc/99999999/stat", O_RDONLY));
	FAILS(ENOENT, open("/proc/01/stat", O_RDONLY));
	FAILS(ENOENT, open("/proc/self/nosuch", O_RDONLY));
}

static void own_processes_are_listed(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	bool me = false;

	CHECK(d);
	while ((e = readdir(d)))
		me |= atoi(e->d_name) == getpid();
	closedir(d);
	CHECK(me);
}

static void seeking_and_small_reads_agree(void)
{
	static char whole[65536], piece[65536];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, whole, sizeof(whole));
	size_t got = 0;

	CHECK(n > 100 && lseek(fd, 0, SEEK_SET) == 0);
	while (read(fd, piece + got, 1) == 1)
		got++;
	CHECK(got > 100 && memcmp(piece, whole, 50) == 0);
	CHECK(pread(fd, piece, 10, 5) == 10 && memcmp(piece, whole + 5, 10) == 0);
	CHECK(close(fd) == 0);
}

RUN(TEST(self_is_the_own_id), TEST(the_exe_link_leads_to_the_program), TEST(cwd_and_root),
    TEST(comm_can_be_read_and_written), TEST(the_command_line_and_environment),
    TEST(stat_has_its_fields), TEST(status_has_names_ids_and_sizes),
    TEST(statm_counts_pages), TEST(descriptors_are_listed),
    TEST(fdinfo_has_position_and_flags), TEST(threads_are_listed),
    TEST(links_are_counted), TEST(children_are_visible), TEST(ids_that_do_not_exist),
    TEST(own_processes_are_listed), TEST(seeking_and_small_reads_agree))
