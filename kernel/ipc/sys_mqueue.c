/* SPDX-License-Identifier: MIT */
/* sys_mqueue.c - mq_open(2) and its kin. */
#include "abi/errno.h"
#include "abi/ipc.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "base/page.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "ipc/internal.h"
#include "ipc/mqueue.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/user_time.h"
#include "time/clock.h"

/* A page with the guest's name: to be freed. */
static int name_copy_in(uaddr_t name, char **out)
{
	char *page = page_alloc(0);
	long len = page ? strncpy_from_user(page, name, PAGE_SIZE) : -ENOMEM;

	if (len < 0) {
		if (page)
			page_free(page, 0);
		return (int)len;
	}
	*out = page;
	return 0;
}

long sys_mq_open(struct task *t, uaddr_t name, int flags, uint32_t mode, uaddr_t attr)
{
	struct linux_mq_attr a;
	struct file *f;
	char *copy = NULL;
	int err;

	(void)t;
	if (attr && COPY_IN(&a, attr))
		return -EFAULT;
	if ((flags & O_ACCMODE) == O_ACCMODE && !(flags & O_CREAT))
		return -EINVAL;
	err = name_copy_in(name, &copy);
	if (err)
		return err;
	err = mqueue_open(copy, (uint32_t)flags, mode, attr ? &a : NULL, &f);
	page_free(copy, 0);
	if (err)
		return err;
	return fd_install_or_put(f, O_CLOEXEC);
}

long sys_mq_unlink(struct task *t, uaddr_t name)
{
	char *copy = NULL;
	int err = name_copy_in(name, &copy);

	(void)t;
	if (err)
		return err;
	err = mqueue_unlink(copy);
	page_free(copy, 0);
	return err;
}

static int deadline_copy_in(uaddr_t timeout, struct deadline *out)
{
	*out = (struct deadline){CLOCK_REALTIME, NSEC_NEVER};
	return timeout ? timespec_copy_in(&out->at, timeout) : 0;
}

/* prio: of what is sent; or where to put that of what is received. */
static long transfer(int fd, uaddr_t buf, size_t size, uint64_t prio, uaddr_t timeout,
		     bool is_send)
{
	struct fdref ref;
	struct deadline deadline;
	long ret = deadline_copy_in(timeout, &deadline);

	if (ret)
		return ret;
	if (is_send && prio >= MQ_PRIO_MAX)
		return -EINVAL;
	ref = fd_get(fd);
	if (!ref.file || !file_is_mqueue(ref.file))
		ret = -EBADF;
	else if (is_send)
		ret = mqueue_send(ref.file, buf, size, (unsigned int)prio, &deadline);
	else
		ret = mqueue_receive(ref.file, buf, size, prio, &deadline);
	fd_put(ref);
	return ret;
}

long sys_mq_timedsend(struct task *t, int fd, uaddr_t buf, size_t size, unsigned int prio,
		      uaddr_t timeout)
{
	(void)t;
	return transfer(fd, buf, size, prio, timeout, true);
}

long sys_mq_timedreceive(struct task *t, int fd, uaddr_t buf, size_t size, uaddr_t prio,
			 uaddr_t timeout)
{
	(void)t;
	return transfer(fd, buf, size, prio, timeout, false);
}

static int event_check(const struct linux_sigevent *e)
{
	switch (e->sigev_kind) {
	case SIGEV_NONE:
	case SIGEV_THREAD:
		return 0;
	case SIGEV_SIGNAL:
		return e->sigev_signo < 0 || e->sigev_signo > 64 ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* SIGEV_THREAD: the value names a cookie, which goes to a thread of the C library's
 * through the netlink socket that the signal's number says. */
static int notice_prepare(const struct linux_sigevent *e, struct netlink_notice *out)
{
	uint8_t cookie[NOTIFY_COOKIE_SIZE];

	if (copy_from_user(cookie, e->sigev_value.sival_ptr, sizeof(cookie)))
		return -EFAULT;
	return netlink_notice_create(out, e->sigev_signo, cookie, sizeof(cookie));
}

long sys_mq_notify(struct task *t, int fd, uaddr_t event)
{
	struct netlink_notice notice = {NULL, NULL};
	struct linux_sigevent e;
	struct fdref ref;
	int err = 0;

	(void)t;
	if (event && COPY_IN(&e, event))
		return -EFAULT;
	if (event)
		err = event_check(&e);
	if (!err && event && e.sigev_kind == SIGEV_THREAD)
		err = notice_prepare(&e, &notice);
	if (err)
		return err;
	ref = fd_get(fd);
	err = ref.file && file_is_mqueue(ref.file)
		      ? mqueue_notify(ref.file, event ? &e : NULL, &notice)
		      : -EBADF;
	fd_put(ref);
	if (err)
		netlink_notice_drop(&notice);
	return err;
}

static int attr_exchange(struct file *f, const struct linux_mq_attr *attr, uaddr_t old)
{
	struct linux_mq_attr was;

	if (!file_is_mqueue(f))
		return -EBADF;
	mqueue_get_attr(f, &was);
	if (attr && (attr->mq_flags & O_NONBLOCK))
		(void)atomic_or(&f->flags, O_NONBLOCK);
	else if (attr)
		(void)atomic_and(&f->flags, ~(uint32_t)O_NONBLOCK);
	return old ? COPY_OUT(old, &was) : 0;
}

long sys_mq_getsetattr(struct task *t, int fd, uaddr_t attr, uaddr_t old)
{
	struct linux_mq_attr a;
	struct fdref ref;
	int err;

	(void)t;
	if (attr && COPY_IN(&a, attr))
		return -EFAULT;
	if (attr && (a.mq_flags & ~(int64_t)O_NONBLOCK))
		return -EINVAL;
	ref = fd_get(fd);
	err = ref.file ? attr_exchange(ref.file, attr ? &a : NULL, old) : -EBADF;
	fd_put(ref);
	return err;
}
