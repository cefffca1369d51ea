/* SPDX-License-Identifier: MIT */
/* sys_poll.c - poll(2), ppoll(2). */
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/syscall.h"
#include "base/slab.h"
#include "event/poller.h"
#include "event/timeout.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "signal/signal.h"

enum { POLL_INSIDE = 12 };

/* Writes revents back. What has not changed is not written, except once a page: a page
 * that cannot be written must be noticed. */
static int revents_write(uaddr_t ufds, const struct linux_pollfd *fds,
			 const struct poll_target *targets, unsigned count)
{
	uaddr_t last_page = UINT64_MAX;

	for (unsigned i = 0; i < count; i++) {
		uaddr_t at =
			ufds + i * sizeof(*fds) + offsetof(struct linux_pollfd, revents);
		int16_t revents = (int16_t)targets[i].got;

		if (revents == fds[i].revents && at >> PAGE_SHIFT == last_page)
			continue;
		last_page = at >> PAGE_SHIFT;
		if (COPY_OUT(at, &revents))
			return -EFAULT;
	}
	return 0;
}

static void target_init(struct poll_target *t, const struct linux_pollfd *p)
{
	*t = (struct poll_target){.ref = {NULL, false}};
	if (p->fd < 0)
		return;
	t->ref = fd_get(p->fd);
	if (t->ref.file)
		t->want = (uint16_t)p->events | POLLERR | POLLHUP;
	else
		t->got = POLLNVAL;
}

static long poll_fds(uaddr_t ufds, struct linux_pollfd *fds, struct poll_target *targets,
		     unsigned count, nsec_t deadline, void *memory)
{
	struct poller p;
	long ret;

	if (copy_from_user(fds, ufds, count * sizeof(*fds)))
		return -EFAULT;
	poller_init(&p, targets, memory);
	for (unsigned i = 0; i < count; i++) {
		target_init(&targets[i], &fds[i]);
		poller_target_added(&p);
	}
	ret = poller_run(&p, deadline);
	poller_fini(&p);
	if (revents_write(ufds, fds, targets, count))
		return -EFAULT;
	return ret;
}

/* -ERESTARTNOHAND: interrupted. */
static long poll_guest(uaddr_t ufds, unsigned count, nsec_t deadline)
{
	struct linux_pollfd fds_inside[POLL_INSIDE];
	struct poll_target inside[POLL_INSIDE];
	struct poll_target *targets;
	long ret;

	if (count > rlimit_current(RLIMIT_NOFILE))
		return -EINVAL;
	if (count <= POLL_INSIDE)
		return poll_fds(ufds, fds_inside, inside, count, deadline, NULL);
	targets = kmalloc(count * (sizeof(*targets) + sizeof(struct linux_pollfd)));
	if (!targets)
		return -ENOMEM;
	ret = poll_fds(ufds, (struct linux_pollfd *)&targets[count], targets, count,
		       deadline, targets);
	kfree(targets);
	return ret;
}

/* poll_guest() without a file to wait for is a plain sleep, which it does as well. */
static long poll_restart(struct task *t)
{
	long ret = poll_guest(t->restart_arg[0], (unsigned)t->restart_arg[1],
			      (nsec_t)t->restart_arg[2]);

	return ret == -ERESTARTNOHAND ? -ERESTART_RESTARTBLOCK : ret;
}

long sys_poll(struct task *t, uaddr_t ufds, unsigned int count, int timeout_ms)
{
	nsec_t deadline = deadline_from_ms(timeout_ms);
	long ret = poll_guest(ufds, count, deadline);

	if (ret != -ERESTARTNOHAND)
		return ret;
	t->restart = poll_restart;
	t->restart_arg[0] = ufds;
	t->restart_arg[1] = count;
	t->restart_arg[2] = (uint64_t)deadline;
	return -ERESTART_RESTARTBLOCK;
}

long sys_ppoll(struct task *t, uaddr_t ufds, unsigned int count, uaddr_t timeout,
	       uaddr_t mask, size_t setsize)
{
	nsec_t deadline;
	long ret = deadline_from_timespec(timeout, &deadline);

	(void)t;
	if (ret)
		return ret;
	if (mask) {
		ret = signal_set_mask_for_call(mask, setsize);
		if (ret)
			return ret;
	}
	ret = poll_guest(ufds, count, deadline);
	return timeout_write_back(timeout, false, deadline, ret);
}
