/* SPDX-License-Identifier: MIT */
/* What a thread is allowed beyond its user id, and giving it up. */
/* calls: capget capset */
#include "fixture.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#define WORDS 2

static struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};

static void start_head(uint32_t version, int pid)
{
	head.version = version;
	head.pid = pid;
}

static long get(struct __user_cap_data_struct *d)
{
	start_head(_LINUX_CAPABILITY_VERSION_3, 0);
	return syscall(SYS_capget, &head, d);
}

static long set(struct __user_cap_data_struct *d)
{
	start_head(_LINUX_CAPABILITY_VERSION_3, 0);
	return syscall(SYS_capset, &head, d);
}

static bool same(const struct __user_cap_data_struct *a,
		 const struct __user_cap_data_struct *b)
{
	return memcmp(a, b, WORDS * sizeof(*a)) == 0;
}

static uint64_t status_line(const char *name)
{
	const char *at = strstr(file_get("/proc/self/status"), name);

	CHECK(at != NULL);
	return strtoull(at + strlen(name), NULL, 16);
}

static void they_are_what_proc_shows(void)
{
	struct __user_cap_data_struct d[WORDS];
	uint64_t both[3];

	CHECK(get(d) == 0);
	both[0] = d[0].effective | (uint64_t)d[1].effective << 32;
	both[1] = d[0].permitted | (uint64_t)d[1].permitted << 32;
	both[2] = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	CHECK(both[0] == status_line("CapEff:") && both[1] == status_line("CapPrm:"));
	CHECK(both[2] == status_line("CapInh:"));
	CHECK((both[0] & ~both[1]) == 0);
	if (geteuid() != 0)
		CHECK(both[0] == 0 && both[1] == 0);
}

static void processes_are_named_by_id(void)
{
	struct __user_cap_data_struct mine[WORDS], named[WORDS];

	CHECK(get(mine) == 0);
	start_head(_LINUX_CAPABILITY_VERSION_3, getpid());
	CHECK(syscall(SYS_capget, &head, named) == 0 && same(mine, named));
	start_head(_LINUX_CAPABILITY_VERSION_3, getppid());
	CHECK(syscall(SYS_capget, &head, named) == 0);
	start_head(_LINUX_CAPABILITY_VERSION_3, -1);
	FAILS(EINVAL, syscall(SYS_capget, &head, named));
	start_head(_LINUX_CAPABILITY_VERSION_3, 0x7ffffff0);
	FAILS(ESRCH, syscall(SYS_capget, &head, named));
}

static void versions(void)
{
	struct __user_cap_data_struct d[WORDS], old[WORDS];

	memset(old, 0x5a, sizeof(old));
	CHECK(get(d) == 0);
	start_head(_LINUX_CAPABILITY_VERSION_1, 0);
	CHECK(syscall(SYS_capget, &head, old) == 0);
	CHECK(old[0].permitted == d[0].permitted && old[1].permitted == 0x5a5a5a5a);
	start_head(_LINUX_CAPABILITY_VERSION_2, 0);
	CHECK(syscall(SYS_capget, &head, old) == 0 && same(old, d));
	start_head(0, 0);
	FAILS(EINVAL, syscall(SYS_capget, &head, d));
	CHECK(head.version == _LINUX_CAPABILITY_VERSION_3);
	start_head(0, 0);
	FAILS(EINVAL, syscall(SYS_capset, &head, d));
	CHECK(head.version == _LINUX_CAPABILITY_VERSION_3);
	/* Asking for the version alone, which does not look at the process. */
	start_head(0, -1);
	CHECK(syscall(SYS_capget, &head, NULL) == 0);
	CHECK(head.version == _LINUX_CAPABILITY_VERSION_3);
	CHECK(syscall(SYS_capget, &head, NULL) == 0);
}

static void give_up(void)
{
	struct __user_cap_data_struct d[WORDS], now[WORDS];
	const uint32_t kill = 1U << CAP_KILL;
	bool had;

	CHECK(get(d) == 0 && set(d) == 0);
	had = d[0].permitted & kill;
	d[0].effective &= ~kill;
	CHECK(set(d) == 0 && get(now) == 0 && same(d, now));
	if (had) { /* what is permitted may come back */
		d[0].effective |= kill;
		CHECK(set(d) == 0 && get(now) == 0 && same(d, now));
		d[0].inheritable |= kill;
		CHECK(set(d) == 0 && get(now) == 0 && same(d, now));
	}
	memset(d, 0, sizeof(d));
	CHECK(set(d) == 0 && get(now) == 0 && same(d, now));
	/* What is gone is gone. */
	d[0].permitted = kill;
	FAILS(EPERM, set(d));
	d[0].effective = kill;
	FAILS(EPERM, set(d));
	d[0].permitted = 0;
	FAILS(EPERM, set(d));
	d[0].effective = 0;
	d[0].inheritable = kill;
	FAILS(EPERM, set(d));
	CHECK(get(now) == 0);
	CHECK(now[0].effective == 0 && now[0].permitted == 0 && now[0].inheritable == 0);
}

static void what_is_given_up_stays_gone(void)
{
	CHECK(in_child(give_up) == 0);
}

static void work_without(void)
{
	struct __user_cap_data_struct none[WORDS];

	file_put("secret", "x");
	CHECK(chmod("secret", 0) == 0);
	memset(none, 0, sizeof(none));
	CHECK(set(none) == 0);
	FAILS(EACCES, open("secret", O_RDONLY));
	CHECK(unlink("secret") == 0);
}

static void they_count(void)
{
	CHECK(in_child(work_without) == 0);
}

static void other_processes_keep_theirs(void)
{
	struct __user_cap_data_struct d[WORDS];

	CHECK(get(d) == 0);
	start_head(_LINUX_CAPABILITY_VERSION_3, getppid());
	FAILS(EPERM, syscall(SYS_capset, &head, d));
	start_head(_LINUX_CAPABILITY_VERSION_3, getpid());
	CHECK(syscall(SYS_capset, &head, d) == 0);
}

static void bad_addresses(void)
{
	struct __user_cap_data_struct d[WORDS];

	CHECK(get(d) == 0);
	FOR_BAD(p)
	{
		FAILS(EFAULT, syscall(SYS_capget, p, d));
		FAILS(EFAULT, syscall(SYS_capset, p, d));
		start_head(_LINUX_CAPABILITY_VERSION_3, 0);
		FAILS(EFAULT, syscall(SYS_capset, &head, p));
		if (p)
			FAILS(EFAULT, syscall(SYS_capget, &head, p));
	}
}

RUN(TEST(they_are_what_proc_shows), TEST(processes_are_named_by_id), TEST(versions),
    TEST(what_is_given_up_stays_gone), TEST(they_count),
    TEST(other_processes_keep_theirs), TEST(bad_addresses))
