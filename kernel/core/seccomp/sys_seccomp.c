/* SPDX-License-Identifier: MIT */
/* sys_seccomp.c - seccomp(2). */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "core/seccomp/filter.h"
#include "core/seccomp/internal.h"
#include "core/seccomp/seccomp.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define FILTER_FLAGS                                                                     \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                           \
	 SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |             \
	 SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

static int check_flags(uint32_t flags)
{
	const uint32_t both =
		SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER;

	if (flags & ~(uint32_t)FILTER_FLAGS)
		return -EINVAL;
	/* The result would be a thread's id or a descriptor. */
	if ((flags & both) == both && !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return -EINVAL;
	if ((flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) &&
	    !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return -EINVAL;
	return 0;
}

/* Attaches f with a listener: its descriptor, or an error. */
static long attach_with_listener(struct task *t, struct seccomp_filter *f, uint32_t flags)
{
	struct file *file;
	int fd = fd_reserve(O_CLOEXEC);
	int err;

	if (fd < 0)
		return fd;
	err = listener_create(f, &file);
	if (!err) {
		err = filter_attach(t, f, flags);
		if (!err) {
			fd_fill(fd, file);
			return fd;
		}
		file_put(file);
	}
	fd_unreserve(fd);
	return err;
}

static long set_filter(struct task *t, uint32_t flags, uaddr_t program)
{
	struct seccomp_filter *f;
	long ret = check_flags(flags);

	if (!ret)
		ret = filter_create(t, program, flags, &f);
	if (ret)
		return ret;
	if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
		ret = attach_with_listener(t, f, flags);
		if (ret < 0)
			filter_put(f);
		return ret;
	}
	ret = filter_attach(t, f, flags);
	if (ret)
		filter_put(f);
	return ret;
}

static long action_available(uaddr_t from)
{
	uint32_t action;

	if (get_user_u32(&action, from))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static long notif_sizes(uaddr_t to)
{
	const struct linux_seccomp_notif_sizes sizes = {
		.notif = sizeof(struct linux_seccomp_notif),
		.resp = sizeof(struct linux_seccomp_notif_resp),
		.data = sizeof(struct linux_seccomp_data),
	};

	return COPY_OUT(to, &sizes);
}

long sys_seccomp(struct task *t, unsigned int op, unsigned int flags, uaddr_t args)
{
	if (op == SECCOMP_SET_MODE_FILTER)
		return set_filter(t, flags, args);
	if (flags)
		return -EINVAL;
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return args ? -EINVAL : seccomp_enter_strict(t);
	case SECCOMP_GET_ACTION_AVAIL:
		return action_available(args);
	case SECCOMP_GET_NOTIF_SIZES:
		return notif_sizes(args);
	default:
		return -EINVAL;
	}
}
