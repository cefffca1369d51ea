/* SPDX-License-Identifier: MIT */
/* The kernel's log: who may read it, and the arguments. Nothing that would change the
 * log of a machine is tried. */
#include "capability.h"
#include "fixture.h"

enum { READ_ALL = 3, SIZE_UNREAD = 9, SIZE_BUFFER = 10 };

static bool is_restricted(void)
{
	return !exists("/proc/sys/kernel/dmesg_restrict") ||
	       !file_is("/proc/sys/kernel/dmesg_restrict", "0\n");
}

static void who_may_read(void)
{
	static char text[1 << 16];

	if (has_cap(CAP_SYSLOG) || !is_restricted()) {
		CHECK(syscall(SYS_syslog, SIZE_BUFFER, NULL, 0) > 0);
		CHECK(syscall(SYS_syslog, READ_ALL, text, sizeof(text)) >= 0);
		CHECK(syscall(SYS_syslog, READ_ALL, text, 0) == 0);
		FAILS(EINVAL, syscall(SYS_syslog, READ_ALL, NULL, 10));
		FAILS(EINVAL, syscall(SYS_syslog, READ_ALL, text, -1));
	} else {
		FAILS(EPERM, syscall(SYS_syslog, SIZE_BUFFER, NULL, 0));
		FAILS(EPERM, syscall(SYS_syslog, READ_ALL, text, sizeof(text)));
		FAILS(EPERM, syscall(SYS_syslog, READ_ALL, NULL, -1));
	}
}

static void the_rest_needs_the_capability(void)
{
	if (has_cap(CAP_SYSLOG)) {
		CHECK(syscall(SYS_syslog, SIZE_UNREAD, NULL, 0) >= 0);
		FAILS(EINVAL, syscall(SYS_syslog, -1, NULL, 0));
		FAILS(EINVAL, syscall(SYS_syslog, 11, NULL, 0));
		FAILS(EINVAL, syscall(SYS_syslog, 8, NULL, 0)); /* levels are 1 to 8 */
		FAILS(EINVAL, syscall(SYS_syslog, 8, NULL, 9));
	} else {
		for (int type = -1; type < 12; type++)
			if (type != READ_ALL && type != SIZE_BUFFER)
				FAILS(EPERM, syscall(SYS_syslog, type, NULL, 0));
	}
}

RUN(TEST(who_may_read), TEST(the_rest_needs_the_capability))
