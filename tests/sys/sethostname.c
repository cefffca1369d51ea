/* SPDX-License-Identifier: MIT */
/* The names of the machine: changed in a namespace of its own, or not at all. */
/* calls: sethostname setdomainname */
#include "fixture.h"

#include <sched.h>
#include <sys/utsname.h>

#define CALLS(body)                                                                      \
	for (int i_ = 0; i_ < 2; i_++) {                                                 \
		long call = i_ ? SYS_setdomainname : SYS_sethostname;                    \
		body                                                                     \
	}

/* In a child: what changes here changes nowhere else. False: nothing may change. A
 * sandbox, which has no namespaces to give, has names of its own already. */
static bool names_are_ours(void)
{
	struct utsname u;

	CHECK(uname(&u) == 0);
	if (unshare(CLONE_NEWUTS) != 0 && !strstr(u.release, "carbyne"))
		return false;
	errno = 0;
	return syscall(SYS_sethostname, NULL, -1) == -1 && errno == EINVAL;
}

static void change(void)
{
	char name[64];
	struct utsname u;

	if (!names_are_ours())
		return;
	memset(name, 'n', sizeof(name));
	CHECK(sethostname("first", 5) == 0 && setdomainname("second", 6) == 0);
	CHECK(uname(&u) == 0 && strcmp(u.nodename, "first") == 0);
	CHECK(strcmp(u.domainname, "second") == 0);
	CHECK(file_is("/proc/sys/kernel/hostname", "first\n"));
	CHECK(file_is("/proc/sys/kernel/domainname", "second\n"));
	file_put("/proc/sys/kernel/hostname", "third\n");
	file_put("/proc/sys/kernel/domainname", "fourth");
	CHECK(uname(&u) == 0 && strcmp(u.nodename, "third") == 0);
	CHECK(strcmp(u.domainname, "fourth") == 0);
	CHECK(sethostname("x", 1) == 0 && uname(&u) == 0 && strcmp(u.nodename, "x") == 0);
	CHECK(sethostname(name, 64) == 0 && uname(&u) == 0);
	CHECK(memcmp(u.nodename, name, 64) == 0 && u.nodename[64] == 0);
	CHECK(sethostname("", 0) == 0 && uname(&u) == 0 && u.nodename[0] == 0);
	CALLS({
		FAILS(EINVAL, syscall(call, name, 65));
		FAILS(EINVAL, syscall(call, name, -1));
		FOR_BAD(p)
		{
			FAILS(EFAULT, syscall(call, p, 5));
			FAILS(EINVAL, syscall(call, p, 65));
		}
	})
	CHECK(sethostname("carbyne", 7) == 0 && setdomainname("(none)", 6) == 0);
}

static void changes_are_seen(void)
{
	CHECK(in_child(change) == 0);
}

static void refused(void)
{
	become_user();
	CALLS({
		FAILS(EPERM, syscall(call, "name", 4));
		FAILS(EPERM, syscall(call, NULL, 4));
		FAILS(EPERM, syscall(call, "name", -1));
	})
}

static void users_may_not(void)
{
	CHECK(in_child(refused) == 0);
}

RUN(TEST(changes_are_seen), TEST(users_may_not))
