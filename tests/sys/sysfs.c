/* SPDX-License-Identifier: MIT */
/* /sys as programs read it: processors, their caches, memory nodes, the loopback device.
 */
/* calls: open read statfs */
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <sched.h>
#include <sys/vfs.h>

#define CPUS "/sys/devices/system/cpu/"

static bool is_number(const char *file)
{
	const char *text = file_get(file);
	char *end;

	(void)strtol(text, &end, 10);
	return end != text && *end == '\n';
}

static void it_is_a_sysfs(void)
{
	struct statfs s;
	struct stat st;

	CHECK(statfs("/sys", &s) == 0 && s.f_type == 0x62656572);
	CHECK(stat("/sys", &st) == 0 && st.st_mode == (S_IFDIR | 0555));
	CHECK(open("/sys/new", O_WRONLY | O_CREAT, 0600) == -1);
	CHECK(errno == EACCES || errno == EPERM || errno == ENOENT);
}

static void processors_are_those_that_there_are(void)
{
	char path[100];
	long count = sysconf(_SC_NPROCESSORS_CONF);
	struct stat st;

	CHECK(count >= 1);
	for (long i = 0; i < count; i++) {
		snprintf(path, sizeof(path), CPUS "cpu%ld/topology/core_id", i);
		CHECK(is_number(path));
		snprintf(path, sizeof(path), CPUS "cpu%ld/topology/physical_package_id",
			 i);
		CHECK(is_number(path));
	}
	snprintf(path, sizeof(path), CPUS "cpu%ld", count);
	CHECK(stat(path, &st) == -1 && errno == ENOENT);
	CHECK(strncmp(file_get(CPUS "online"), "0", 1) == 0);
	CHECK(strncmp(file_get(CPUS "possible"), "0", 1) == 0);
	CHECK(strncmp(file_get(CPUS "present"), "0", 1) == 0);
	CHECK(file_is(CPUS "offline", "\n") || count > 0);
}

static void caches_are_described(void)
{
	long line =
		strtol(file_get(CPUS "cpu0/cache/index0/coherency_line_size"), NULL, 10);
	const char *size;

	CHECK(line >= 16 && line <= 256);
	CHECK(file_is(CPUS "cpu0/cache/index0/level", "1\n"));
	size = file_get(CPUS "cpu0/cache/index0/size");
	CHECK(atol(size) >= 4 && size[strlen(size) - 2] == 'K');
	CHECK(is_number(CPUS "cpu0/cache/index0/number_of_sets"));
	CHECK(is_number(CPUS "cpu0/cache/index0/ways_of_associativity"));
	CHECK(strchr("DUI", file_get(CPUS "cpu0/cache/index0/type")[0]));
	CHECK(strncmp(file_get(CPUS "cpu0/cache/index0/shared_cpu_list"), "0", 1) == 0);
}

static void there_is_a_node(void)
{
	CHECK(strncmp(file_get("/sys/devices/system/node/online"), "0", 1) == 0);
	CHECK(strncmp(file_get("/sys/devices/system/node/node0/cpulist"), "0", 1) == 0);
	CHECK(strstr(file_get("/sys/devices/system/node/node0/meminfo"),
		     "Node 0 MemTotal: "));
	CHECK(atoi(file_get("/sys/devices/system/node/node0/distance")) == 10);
	CHECK(access("/sys/devices/system/node/node0/cpu0/topology", F_OK) == 0);
}

static void the_loopback_device(void)
{
	char to[200];
	ssize_t n = readlink("/sys/class/net/lo", to, sizeof(to) - 1);

	CHECK(n > 0);
	to[n] = 0;
	CHECK(strcmp(to, "../../devices/virtual/net/lo") == 0);
	CHECK(file_is("/sys/class/net/lo/type", "772\n"));
	CHECK(file_is("/sys/class/net/lo/ifindex", "1\n"));
	CHECK(file_is("/sys/class/net/lo/address", "00:00:00:00:00:00\n"));
	CHECK(is_number("/sys/class/net/lo/mtu"));
	CHECK(is_number("/sys/class/net/lo/statistics/rx_bytes"));
}

static void settings_of_the_kernel(void)
{
	CHECK(strchr(file_get("/sys/kernel/mm/transparent_hugepage/enabled"), '['));
	CHECK(atol(file_get("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")) ==
	      2 << 20);
	CHECK(is_number("/sys/kernel/mm/ksm/run"));
	CHECK(is_number("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"));
	CHECK(access("/sys/fs/cgroup", F_OK) == 0);
}

static int count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void directories_are_listed(void)
{
	CHECK(count("/sys") >= 2 + 8 && count("/sys/class/net") >= 3);
	CHECK(count(CPUS "cpu0/cache") >= 3 && count("/sys/module") >= 2);
	CHECK(count("/sys/block") >= 2 && count("/sys/kernel") > 4);
}

RUN(TEST(it_is_a_sysfs), TEST(processors_are_those_that_there_are),
    TEST(caches_are_described), TEST(there_is_a_node), TEST(the_loopback_device),
    TEST(settings_of_the_kernel), TEST(directories_are_listed))
