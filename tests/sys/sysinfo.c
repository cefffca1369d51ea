/* SPDX-License-Identifier: MIT */
/* sysinfo.c - memory, load and uptime of the system. */
#include "proc.h"
#include <sys/sysinfo.h>

static void values_are_plausible(void)
{
	struct sysinfo s;
	struct timespec boot;

	memset(&s, 0xee, sizeof(s));
	CHECK(syscall(SYS_sysinfo, &s) == 0);
	CHECK(clock_gettime(CLOCK_BOOTTIME, &boot) == 0);
	CHECK(s.uptime >= 0 && s.uptime - boot.tv_sec <= 2 &&
	      boot.tv_sec - s.uptime <= 2);
	CHECK(s.mem_unit >= 1 && s.totalram * s.mem_unit > 16 << 20);
	CHECK(s.freeram <= s.totalram && s.freeswap <= s.totalswap);
	CHECK(s.procs >= 1);
}

static void bad_pointers_give_efault(void)
{
	FAILS(EFAULT, syscall(SYS_sysinfo, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_sysinfo, KERNEL_PTR));
	FAILS(EFAULT, syscall(SYS_sysinfo, NULL));
}

RUN(TEST(values_are_plausible), TEST(bad_pointers_give_efault))
