/* SPDX-License-Identifier: MIT */
/* What /proc tells of the whole system. */
/* calls: open read uname sysinfo */
#include "fixture.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

static const char *value_of(const char *file, const char *key)
{
	const char *text = file_get(file), *at = strstr(text, key);

	CHECK(at && (at == text || at[-1] == '\n'));
	return at + strlen(key);
}

static void cpuinfo_has_every_processor(void)
{
	const char *text = file_get("/proc/cpuinfo");
	int n = 0;

	for (const char *at = text; (at = strstr(at, "processor\t:")); at++)
		n++;
	CHECK(n >= 1 && n == sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(strstr(text, "flags\t\t:") && strstr(text, "fpu") &&
	      strstr(text, "model name"));
}

static void meminfo_adds_up(void)
{
	long total = atol(value_of("/proc/meminfo", "MemTotal:"));
	long avail = atol(value_of("/proc/meminfo", "MemAvailable:"));
	long left = atol(value_of("/proc/meminfo", "MemFree:"));
	struct sysinfo si;

	CHECK(total > 0 && left > 0 && left <= total && avail > 0 && avail <= total);
	CHECK(sysinfo(&si) == 0 && si.mem_unit > 0);
	CHECK(labs((long)(si.totalram * si.mem_unit / 1024) - total) <= total / 50);
}

static void stat_counts_time_and_processes(void)
{
	unsigned long user, nice, system, idle;

	CHECK(sscanf(file_get("/proc/stat"), "cpu %lu %lu %lu %lu", &user, &nice, &system,
		     &idle) == 4);
	CHECK(strstr(file_get("/proc/stat"), "\ncpu0 "));
	CHECK(atol(value_of("/proc/stat", "btime")) > 1000000000);
	CHECK(atol(value_of("/proc/stat", "processes")) > 0);
	CHECK(strstr(file_get("/proc/stat"), "\nprocs_running "));
}

static void uptime_moves(void)
{
	double a, b, idle;

	CHECK(sscanf(file_get("/proc/uptime"), "%lf %lf", &a, &idle) == 2 && a > 0);
	sleep_ms(40);
	CHECK(sscanf(file_get("/proc/uptime"), "%lf", &b) == 1 && b > a && b < a + 60);
}

static void mounts_name_the_root(void)
{
	CHECK(strstr(file_get("/proc/mounts"), " / "));
	CHECK(strstr(file_get("/proc/self/mounts"), " /proc proc "));
	CHECK(strstr(file_get("/proc/self/mountinfo"), " / / ") ||
	      strstr(file_get("/proc/self/mountinfo"), " / "));
}

static void the_version_is_that_of_uname(void)
{
	struct utsname u;
	char start[200];

	CHECK(uname(&u) == 0 && strcmp(u.sysname, "Linux") == 0);
	CHECK(strcmp(u.machine, "x86_64") == 0);
	snprintf(start, sizeof(start), "%s version %s ", u.sysname, u.release);
	CHECK(strncmp(file_get("/proc/version"), start, strlen(start)) == 0);
	CHECK(strncmp(file_get("/proc/sys/kernel/osrelease"), u.release,
		      strlen(u.release)) == 0);
}

static void loadavg_has_five_fields(void)
{
	double a, b, c;
	int running, all, last;

	CHECK(sscanf(file_get("/proc/loadavg"), "%lf %lf %lf %d/%d %d", &a, &b, &c,
		     &running, &all, &last) == 6);
	CHECK(running >= 1 && all >= running && last > 0);
}

static void filesystems_are_listed(void)
{
	CHECK(strstr(file_get("/proc/filesystems"), "nodev\tproc\n"));
	CHECK(strstr(file_get("/proc/filesystems"), "nodev\ttmpfs\n"));
}

static void limits_can_be_read(void)
{
	CHECK(atol(file_get("/proc/sys/kernel/pid_max")) > 100);
	CHECK(atol(file_get("/proc/sys/fs/pipe-max-size")) >= 65536);
}

static void user_writes(void)
{
	become_user();
	FAILS(EACCES, open("/proc/sys/kernel/pid_max", O_WRONLY));
	CHECK(open("/proc/version", O_WRONLY) == -1 && errno == EACCES);
	CHECK(open("/proc/new", O_WRONLY | O_CREAT, 0600) == -1);
	CHECK(errno == ENOENT || errno == EACCES);
	CHECK(mkdir("/proc/new", 0755) == -1 && unlink("/proc/version") == -1);
}

static void users_may_not_write(void)
{
	CHECK(in_child(user_writes) == 0);
}

/* What the build options say goes with what is there. */
static void config_is_a_gzip_file(void)
{
	char line[256];
	bool has_proc = false, has_futex = false;
	FILE *f;

	if (access("/proc/config.gz", F_OK) != 0)
		return; /* not every Linux has it */
	f = popen("gzip -dc /proc/config.gz", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		CHECK(line[0] == '#' || line[0] == '\n' ||
		      strncmp(line, "CONFIG_", 7) == 0);
		has_proc |= strcmp(line, "CONFIG_PROC_FS=y\n") == 0;
		has_futex |= strcmp(line, "CONFIG_FUTEX=y\n") == 0;
	}
	CHECK(pclose(f) == 0 && has_proc && has_futex);
}

RUN(TEST(cpuinfo_has_every_processor), TEST(meminfo_adds_up),
    TEST(stat_counts_time_and_processes), TEST(uptime_moves), TEST(mounts_name_the_root),
    TEST(the_version_is_that_of_uname), TEST(loadavg_has_five_fields),
    TEST(filesystems_are_listed), TEST(limits_can_be_read), TEST(users_may_not_write),
    TEST(config_is_a_gzip_file))
