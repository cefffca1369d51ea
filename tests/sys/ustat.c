/* SPDX-License-Identifier: MIT */
/* files */
/* Two calls of old: a mounted file system by its device, and the kinds there are. */
/* calls: ustat sysfs */
#include "fixture.h"

struct old_ustat {
	int32_t f_tfree;
	uint64_t f_tinode;
	char f_fname[6];
	char f_fpack[6];
};

static void a_mounted_device(void)
{
	struct old_ustat u;
	struct stat st;

	memset(&u, 0x5a, sizeof(u));
	CHECK(stat("/dev/shm", &st) == 0);
	CHECK(syscall(SYS_ustat, (unsigned)st.st_dev, &u) == 0);
	CHECK(u.f_tfree >= 0 && u.f_fname[0] == 0 && u.f_fpack[0] == 0);
	CHECK(stat("/proc", &st) == 0);
	CHECK(syscall(SYS_ustat, (unsigned)st.st_dev, &u) == 0 && u.f_tfree == 0);
}

static void not_mounted(void)
{
	struct old_ustat u;
	struct stat st;

	FAILS(EINVAL, syscall(SYS_ustat, 0xfffff, &u));
	CHECK(stat("/proc", &st) == 0);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_ustat, (unsigned)st.st_dev, p));
		FAILS(EINVAL, syscall(SYS_ustat, 0xfffff, p));
	}
}

/* Linux can be built without sysfs(2). */
static bool there_is_no_sysfs(void)
{
	return syscall(SYS_sysfs, 3) == -1 && errno == ENOSYS;
}

static void names_and_numbers(void)
{
	char name[256];
	long count, proc;

	if (there_is_no_sysfs())
		return;
	count = syscall(SYS_sysfs, 3);
	CHECK(count > 3);
	for (long i = 0; i < count; i++) {
		CHECK(syscall(SYS_sysfs, 2, i, name) == 0 && name[0] != 0);
		CHECK(syscall(SYS_sysfs, 1, name) == i);
		CHECK(strstr(file_get("/proc/filesystems"), name) != NULL);
	}
	proc = syscall(SYS_sysfs, 1, "proc");
	CHECK(proc >= 0 && syscall(SYS_sysfs, 2, proc, name) == 0);
	CHECK(strcmp(name, "proc") == 0);
	FAILS(EINVAL, syscall(SYS_sysfs, 2, count, name));
	FAILS(EINVAL, syscall(SYS_sysfs, 1, "no such kind"));
}

static void documented_errors(void)
{
	if (there_is_no_sysfs())
		return;
	FAILS(EINVAL, syscall(SYS_sysfs, 0));
	FAILS(EINVAL, syscall(SYS_sysfs, 4));
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_sysfs, 1, p));
		FAILS(EFAULT, syscall(SYS_sysfs, 2, 0, p));
	}
}

RUN(TEST(a_mounted_device), TEST(not_mounted), TEST(names_and_numbers),
    TEST(documented_errors))
