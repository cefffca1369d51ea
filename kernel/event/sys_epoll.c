/* SPDX-License-Identifier: MIT */
/* sys_epoll.c - epoll_create(2), epoll_ctl(2), epoll_wait(2) and their kin. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/syscall.h"
#include "event/epoll.h"
#include "event/internal.h"
#include "event/timeout.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "mm/usercopy.h"
#include "signal/signal.h"

long sys_epoll_create1(struct task *t, int flags)
{
	struct file *f;
	int fd;

	(void)t;
	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	fd = epoll_create_file(&f);
	if (fd)
		return fd;
	return fd_install_or_put(f, flags ? O_CLOEXEC : 0);
}

long sys_epoll_create(struct task *t, int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(t, 0);
}

static bool exclusive_is_ok(int op, uint32_t events, const struct file *target)
{
	const uint32_t allowed = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP |
				 EPOLLET | EPOLLEXCLUSIVE;

	if (op == EPOLL_CTL_DEL || !(events & EPOLLEXCLUSIVE))
		return true;
	return op != EPOLL_CTL_MOD && !file_is_epoll(target) && !(events & ~allowed);
}

static long epoll_ctl_files(struct file *epf, int op, int fd, struct file *f,
			    struct linux_epoll_event *ev)
{
	struct epoll_hold hold;
	struct epoll *ep;
	long ret;

	if (!f->ops || (!f->ops->poll && f->host_poll_fd < 0))
		return -EPERM;
	if (epf == f || !file_is_epoll(epf) || !exclusive_is_ok(op, ev->events, f))
		return -EINVAL;
	ev->events &= ~(uint32_t)EPOLLWAKEUP;
	ep = epf->private;
	ret = epoll_enter(ep, &hold);
	if (ret)
		return ret;
	switch (op) {
	case EPOLL_CTL_ADD:
		ret = epoll_add(ep, f, fd, ev);
		break;
	case EPOLL_CTL_MOD:
		ret = epoll_modify(ep, f, fd, ev);
		break;
	case EPOLL_CTL_DEL:
		ret = epoll_delete(ep, f, fd);
		break;
	default:
		ret = -EINVAL;
	}
	epoll_leave(&hold);
	return ret;
}

long sys_epoll_ctl(struct task *t, int epfd, int op, int fd, uaddr_t event)
{
	struct linux_epoll_event ev = {0, 0};
	struct fdref ep;
	struct fdref f;
	long ret = -EBADF;

	(void)t;
	if (op != EPOLL_CTL_DEL && COPY_IN(&ev, event))
		return -EFAULT;
	ep = fd_get(epfd);
	f = fd_get(fd);
	if (ep.file && f.file)
		ret = epoll_ctl_files(ep.file, op, fd, f.file, &ev);
	fd_put(f);
	fd_put(ep);
	return ret;
}

static long epoll_wait_fd(int epfd, uaddr_t events, int max, nsec_t deadline)
{
	struct fdref f = fd_get(epfd);
	long ret = -EINVAL;

	if (!f.file)
		return -EBADF;
	if (max <= 0 || (size_t)max > INT32_MAX / sizeof(struct linux_epoll_event))
		ret = -EINVAL;
	else if (!user_range_ok(events, (size_t)max * sizeof(struct linux_epoll_event)))
		ret = -EFAULT;
	else if (file_is_epoll(f.file))
		ret = epoll_wait_events(f.file->private, events, max, deadline);
	fd_put(f);
	return ret;
}

long sys_epoll_wait(struct task *t, int epfd, uaddr_t events, int max, int timeout_ms)
{
	(void)t;
	return epoll_wait_fd(epfd, events, max, deadline_from_ms(timeout_ms));
}

static long epoll_wait_masked(int epfd, uaddr_t events, int max, nsec_t deadline,
			      uaddr_t mask, size_t setsize)
{
	long ret = mask ? signal_set_mask_for_call(mask, setsize) : 0;

	return ret ? ret : epoll_wait_fd(epfd, events, max, deadline);
}

long sys_epoll_pwait(struct task *t, int epfd, uaddr_t events, int max, int timeout_ms,
		     uaddr_t mask, size_t setsize)
{
	(void)t;
	return epoll_wait_masked(epfd, events, max, deadline_from_ms(timeout_ms), mask,
				 setsize);
}

long sys_epoll_pwait2(struct task *t, int epfd, uaddr_t events, int max, uaddr_t timeout,
		      uaddr_t mask, size_t setsize)
{
	nsec_t deadline;
	long ret = deadline_from_timespec(timeout, &deadline);

	(void)t;
	return ret ? ret : epoll_wait_masked(epfd, events, max, deadline, mask, setsize);
}
