/* SPDX-License-Identifier: MIT */
/* uname.c - the name of the system. */
#include "proc.h"
#include <sys/utsname.h>

static void all_fields_are_told(void)
{
	struct utsname u;
	int major = 0;

	memset(&u, 0xee, sizeof(u));
	CHECK(syscall(SYS_uname, &u) == 0);
	CHECK(strcmp(u.sysname, "Linux") == 0 && strcmp(u.machine, "x86_64") == 0);
	CHECK(sscanf(u.release, "%d.", &major) == 1 && major >= 4);
	CHECK(strlen(u.version) > 0 && strlen(u.nodename) < 65);
	CHECK(memchr(u.domainname, 0, sizeof(u.domainname)));
}

static void the_host_name_agrees(void)
{
	char name[65];
	struct utsname u;

	CHECK(uname(&u) == 0 && gethostname(name, sizeof(name)) == 0);
	CHECK(strcmp(name, u.nodename) == 0);
}

static void bad_pointers_give_efault(void)
{
	FAILS(EFAULT, syscall(SYS_uname, BAD_PTR));
	FAILS(EFAULT, syscall(SYS_uname, KERNEL_PTR));
	FAILS(EFAULT, syscall(SYS_uname, NULL));
}

RUN(TEST(all_fields_are_told), TEST(the_host_name_agrees), TEST(bad_pointers_give_efault))
