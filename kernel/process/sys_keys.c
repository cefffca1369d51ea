/* SPDX-License-Identifier: MIT */
/* sys_keys.c - add_key(2), request_key(2), keyctl(2): keyrings without room.
 *
 * A user has the two keyrings that Linux gives each: one of his own, and one for
 * sessions, which holds the first and which everything runs in. Nothing can be added
 * (EDQUOT, as for a user whose quota is used up) and so nothing is found (ENOKEY): keys
 * are secrets that a kernel keeps from processes, and this one could not keep them from
 * its host. */
#include "abi/errno.h"
#include "abi/keyctl.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

enum { TYPE_MAX = 32 };
#define PAYLOAD_MAX    ((1 << 20) - 1)
#define USER_RING_BASE 0x20000000 /* two serial numbers a user from here */
#define USER_RING_PERM 0x1f3f0000 /* possessor all but setattr, user all */

enum ring { RING_USER, RING_SESSION };

static const char *const types[] = {"keyring", "user", "logon", "big_key"};

static int32_t ring_serial(enum ring ring)
{
	uint32_t uid = current_creds()->uid & 0x0fffffff;

	return (int32_t)(USER_RING_BASE + 2 * uid + ring);
}

/* The keyring that id means to the current user: one of enum ring, or -errno. */
static int ring_find(int32_t id, bool create)
{
	switch (id) {
	case KEY_SPEC_USER_KEYRING:
		return RING_USER;
	case KEY_SPEC_SESSION_KEYRING:
	case KEY_SPEC_USER_SESSION_KEYRING:
		return RING_SESSION;
	case KEY_SPEC_THREAD_KEYRING:
	case KEY_SPEC_PROCESS_KEYRING:
		return create ? -EDQUOT : -ENOKEY;
	case KEY_SPEC_REQKEY_AUTH_KEY:
	case KEY_SPEC_REQUESTOR_KEYRING:
		return -ENOKEY;
	default:
		break;
	}
	if (id <= 0)
		return -EINVAL;
	if (id == ring_serial(RING_USER))
		return RING_USER;
	return id == ring_serial(RING_SESSION) ? RING_SESSION : -ENOKEY;
}

/* ---- names ---- */

static int type_get(char type[TYPE_MAX], uaddr_t from)
{
	long len = strncpy_from_user(type, from, TYPE_MAX);

	if (len == -ENAMETOOLONG || !len)
		return -EINVAL;
	if (len < 0)
		return (int)len;
	return type[0] == '.' ? -EPERM : 0;
}

static bool type_is_known(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static int text_check(uaddr_t from)
{
	long len = strnlen_user(from, PAGE_SIZE - 1);

	if (len == -E2BIG)
		return -EINVAL;
	return len < 0 ? (int)len : 0;
}

/* ---- adding and asking ---- */

static int payload_check(uaddr_t payload, size_t size)
{
	char piece[64];

	for (size_t at = 0; at < size; at += sizeof(piece))
		if (copy_from_user(piece, payload + at, MIN(size - at, sizeof(piece))))
			return -EFAULT;
	return 0;
}

long sys_add_key(struct task *t, uaddr_t type, uaddr_t description, uaddr_t payload,
		 size_t size, int ring)
{
	char name[TYPE_MAX];
	int err;

	(void)t;
	if (size > PAYLOAD_MAX)
		return -EINVAL;
	err = type_get(name, type);
	if (!err && description)
		err = text_check(description);
	if (!err)
		err = payload_check(payload, size);
	if (!err)
		err = ring_find(ring, true);
	if (err < 0)
		return err;
	return type_is_known(name) ? -EDQUOT : -ENODEV;
}

long sys_request_key(struct task *t, uaddr_t type, uaddr_t description, uaddr_t callout,
		     int ring)
{
	char name[TYPE_MAX];
	int err = type_get(name, type);

	(void)t;
	if (!err)
		err = text_check(description);
	if (!err && callout)
		err = text_check(callout);
	if (!err && ring)
		err = ring_find(ring, true);
	return err < 0 ? err : -ENOKEY;
}

/* ---- keyctl ---- */

static long serial_or_error(int ring)
{
	return ring < 0 ? ring : ring_serial((enum ring)ring);
}

/* Copies what fits; the answer is how much there is. */
static long answer(uaddr_t buf, uint64_t room, const void *data, size_t size)
{
	if (buf && room && copy_to_user(buf, data, MIN(room, size)))
		return -EFAULT;
	return (long)size;
}

/* A description is given whole or not at all. */
static long ring_describe(int ring, uaddr_t buf, uint64_t room)
{
	char text[64];
	size_t size;
	uid_t uid = uid_out(current_creds()->uid);

	if (ring < 0)
		return ring;
	size = 1 + (size_t)scnprintf(text, sizeof(text), "keyring;%u;%d;%08x;%s.%u", uid,
				     -1, USER_RING_PERM,
				     ring == RING_USER ? "_uid" : "_uid_ses",
				     current_creds()->uid);
	return room < size ? (long)size : answer(buf, room, text, size);
}

static long ring_read(int ring, uaddr_t buf, uint64_t room)
{
	int32_t held = ring_serial(RING_USER);

	if (ring < 0)
		return ring;
	return ring == RING_SESSION ? answer(buf, room, &held, sizeof(held)) : 0;
}

static long ring_search(int ring, uaddr_t type, uaddr_t description)
{
	char name[TYPE_MAX];
	int err = type_get(name, type);

	if (!err)
		err = text_check(description);
	if (!err && ring < 0)
		err = ring;
	return err ? err : -ENOKEY;
}

/* Which keyring keys go to that are made on demand: only the default will do. */
static long default_ring(int id)
{
	if (id == -1 || id == 0)
		return 0;
	return id < 0 || id > 7 ? -EINVAL : -EDQUOT;
}

static long ring_change(int op, int ring, int other)
{
	if (ring < 0)
		return ring;
	switch (op) {
	case KEYCTL_UPDATE:
		return -EOPNOTSUPP;
	case KEYCTL_CLEAR:
		return ring == RING_USER ? 0 : -EACCES;
	case KEYCTL_LINK: /* of one into the other, which has no room */
		return other < 0 ? other : -EDQUOT;
	case KEYCTL_UNLINK:
		return other < 0 ? other : -ENOENT;
	default:
		return -EACCES;
	}
}

long sys_keyctl(struct task *t, int op, uint64_t arg2, uint64_t arg3, uint64_t arg4,
		uint64_t arg5)
{
	int id = (int)arg2;

	(void)t, (void)arg5;
	switch (op) {
	case KEYCTL_GET_KEYRING_ID:
		return serial_or_error(ring_find(id, (int)arg3));
	case KEYCTL_JOIN_SESSION_KEYRING:
		id = arg2 ? text_check(arg2) : 0;
		return id ? id : -EDQUOT;
	case KEYCTL_DESCRIBE:
		return ring_describe(ring_find(id, false), arg3, arg4);
	case KEYCTL_READ:
		return ring_read(ring_find(id, false), arg3, arg4);
	case KEYCTL_SEARCH:
		return ring_search(ring_find(id, false), arg3, arg4);
	case KEYCTL_GET_SECURITY: /* there are no labels */
		id = ring_find(id, false);
		return id < 0 ? id : answer(arg3, arg4, "", 1);
	case KEYCTL_UPDATE:
	case KEYCTL_REVOKE:
	case KEYCTL_CHOWN:
	case KEYCTL_SETPERM:
	case KEYCTL_CLEAR:
	case KEYCTL_SET_TIMEOUT:
	case KEYCTL_INVALIDATE:
		return ring_change(op, ring_find(id, false), 0);
	case KEYCTL_LINK:
	case KEYCTL_UNLINK:
		return ring_change(op, ring_find(id, false), ring_find((int)arg3, false));
	case KEYCTL_SET_REQKEY_KEYRING:
		return default_ring(id);
	case KEYCTL_ASSUME_AUTHORITY: /* nobody is asked to make a key */
		if (id < 0)
			return -EINVAL;
		return id ? -ENOKEY : 0;
	case KEYCTL_INSTANTIATE:
	case KEYCTL_NEGATE:
	case KEYCTL_REJECT:
	case KEYCTL_INSTANTIATE_IOV:
	case KEYCTL_SESSION_TO_PARENT:
		return -EPERM;
	default:
		return -EOPNOTSUPP;
	}
}
