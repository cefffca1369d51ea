/* SPDX-License-Identifier: MIT */
/* Keyrings: those that a user has, and what cannot be found or made in them. */
/* calls: keyctl add_key request_key */
#include "fixture.h"

#include <linux/keyctl.h>

#define SESSION KEY_SPEC_SESSION_KEYRING
#define USER	KEY_SPEC_USER_KEYRING

static long ctl(int op, unsigned long a, unsigned long b, unsigned long c)
{
	return syscall(SYS_keyctl, op, a, b, c, 0UL);
}

static long add(const void *type, const void *what, const void *data, size_t size, int to)
{
	return syscall(SYS_add_key, type, what, data, size, to);
}

static long request(const void *type, const void *what, const void *callout, int to)
{
	return syscall(SYS_request_key, type, what, callout, to);
}

static void the_users_keyrings(void)
{
	long user = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)USER, 0, 0);
	long session = ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)SESSION, 0, 0);
	char text[256] = "";
	char want[64];
	long len;

	CHECK(user > 0 && session > 0 && user != session);
	CHECK(ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)user, 0, 0) == user);
	len = ctl(KEYCTL_DESCRIBE, (unsigned long)user, (unsigned long)text,
		  sizeof(text));
	CHECK(len > 0 && strlen(text) + 1 == (size_t)len);
	CHECK(strncmp(text, "keyring;", 8) == 0);
	snprintf(want, sizeof(want), ";_uid.%d", getuid());
	CHECK(strstr(text, want));
	CHECK(ctl(KEYCTL_DESCRIBE, (unsigned long)user, 0, 0) == len);
	text[0] = 'x';
	CHECK(ctl(KEYCTL_DESCRIBE, (unsigned long)user, (unsigned long)text, 3) == len);
	CHECK(text[0] == 'x');
	FAILS(EFAULT, ctl(KEYCTL_DESCRIBE, (unsigned long)user, 16, 4096));
	CHECK(ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)USER, 0, 0) == user);
}

static void there_are_no_others(void)
{
	FAILS(EINVAL, ctl(KEYCTL_GET_KEYRING_ID, 0, 0, 0));
	FAILS(EINVAL, ctl(KEYCTL_GET_KEYRING_ID, -6UL, 0, 0));
	FAILS(EINVAL, ctl(KEYCTL_GET_KEYRING_ID, -99UL, 0, 0));
	FAILS(ENOKEY, ctl(KEYCTL_GET_KEYRING_ID, 0x7fffffff, 0, 0));
	FAILS(ENOKEY, ctl(KEYCTL_GET_KEYRING_ID, -1UL, 0, 0)); /* of the thread */
	FAILS(ENOKEY, ctl(KEYCTL_GET_KEYRING_ID, -2UL, 0, 0)); /* of the process */
	FAILS(ENOKEY, ctl(KEYCTL_DESCRIBE, 0x7fffffff, 0, 0));
	FAILS(ENOKEY, ctl(KEYCTL_READ, 0x7fffffff, 0, 0));
	FAILS(EOPNOTSUPP, ctl(999, 0, 0, 0));
	FAILS(EOPNOTSUPP, ctl(-1, 0, 0, 0));
}

static void nothing_is_found(void)
{
	char dots[5000];

	FAILS(ENOKEY, request("user", "carbyne:absent", NULL, 0));
	FAILS(ENOKEY, request("no such type", "carbyne:absent", NULL, 0));
	FAILS(EINVAL, request("", "x", NULL, 0));
	FAILS(EPERM, request(".user", "x", NULL, 0));
	FAILS(EINVAL, request("a type name that is longer than 31 bytes", "x", NULL, 0));
	memset(dots, '.', sizeof(dots));
	dots[sizeof(dots) - 1] = 0;
	FAILS(EINVAL, request("user", dots, NULL, 0));
	FAILS(EINVAL, request("user", "x", NULL, -99));
	FOR_BAD(p)
	{
		FAILS(EFAULT, request(p, "x", NULL, 0));
		FAILS(EFAULT, request("user", p, NULL, 0));
		if (p)
			FAILS(EFAULT, request("user", "x", p, 0));
	}
	FAILS(ENOKEY, ctl(KEYCTL_SEARCH, (unsigned long)USER, (unsigned long)"user",
			  (unsigned long)"carbyne:absent"));
	FAILS(EFAULT, ctl(KEYCTL_SEARCH, (unsigned long)USER, 16, (unsigned long)"x"));
}

static void what_cannot_be_added(void)
{
	FAILS(EINVAL, add("user", "x", "y", 1 << 20, USER));
	FAILS(EINVAL, add("", "x", "y", 1, USER));
	FAILS(EPERM, add(".user", "x", "y", 1, USER));
	FAILS(ENODEV, add("no such type", "x", "y", 1, USER));
	FAILS(EINVAL, add("user", "x", "y", 1, 0));
	FAILS(EINVAL, add("user", "x", "y", 1, -99));
	FAILS(ENOKEY, add("user", "x", "y", 1, 0x7fffffff));
	FOR_BAD(p)
	{
		FAILS(EFAULT, add(p, "x", "y", 1, USER));
		if (p)
			FAILS(EFAULT, add("user", p, "y", 1, USER));
		FAILS(EFAULT, add("user", "x", p, 1, USER));
	}
}

static void nobody_is_asked_to_make_one(void)
{
	FAILS(EPERM, ctl(KEYCTL_INSTANTIATE, 1, 0, 0));
	FAILS(EPERM, ctl(KEYCTL_NEGATE, 1, 0, 0));
	FAILS(EINVAL, ctl(KEYCTL_ASSUME_AUTHORITY, -1UL, 0, 0));
	CHECK(ctl(KEYCTL_ASSUME_AUTHORITY, 0, 0, 0) == 0);
	CHECK(ctl(KEYCTL_SET_REQKEY_KEYRING, -1UL, 0, 0) == 0);
	FAILS(EINVAL, ctl(KEYCTL_SET_REQKEY_KEYRING, 99, 0, 0));
}

RUN(TEST(the_users_keyrings), TEST(there_are_no_others), TEST(nothing_is_found),
    TEST(what_cannot_be_added), TEST(nobody_is_asked_to_make_one))
