/* SPDX-License-Identifier: MIT */
/* fanotify_perm.c - questions of a fanotify group, and their answers.
 *
 * Whoever asks sleeps until the answer has been written, or it is told to die, or the
 * group is closed. A question belongs to who asked it; but when that one has died after
 * it was read, to who answers it. */
#include "abi/errno.h"
#include "event/fanotify.h"
#include "fs/file.h"
#include "process/task.h"

enum { ANSWERS = FAN_ALLOW | FAN_DENY };

static uint32_t errno_in(uint32_t response)
{
	return response >> FAN_ERRNO_SHIFT;
}

static int result_of(uint32_t response)
{
	uint32_t err = errno_in(response);

	if ((response & ANSWERS) == FAN_ALLOW)
		return 0;
	return err ? -(int)err : -EPERM;
}

int fanotify_wait(void *question)
{
	struct fanotify_event *e = question;
	struct fanotify *g = e->group;
	int err = 0;

	lock_take(&g->lock);
	while (!err && e->state != FANOTIFY_ANSWERED)
		err = waitq_sleep_killable(&e->answered, &g->lock, NSEC_NEVER);
	if (e->state == FANOTIFY_ANSWERED && !err) {
		err = result_of(e->response);
	} else if (e->state == FANOTIFY_TOLD) {
		e->state = FANOTIFY_GIVEN_UP;
		e = NULL;
	} else if (e->state == FANOTIFY_QUEUED) {
		fanotify_unqueue_locked(g, e);
	}
	lock_drop(&g->lock);
	fanotify_event_free(e);
	return err;
}

/* The question is on no list any more. True: nobody waits for it, it is to be freed. */
static bool answer_locked(struct fanotify_event *e, uint32_t response)
{
	if (e->state == FANOTIFY_GIVEN_UP)
		return true;
	e->response = response;
	e->state = FANOTIFY_ANSWERED;
	waitq_wake_all(&e->answered, 0);
	return false;
}

void fanotify_told(struct fanotify *g, struct fanotify_event *e, int fd, int err)
{
	bool is_mine = false;

	lock_take(&g->lock);
	if (err || fd < 0) {
		is_mine = answer_locked(e, FAN_DENY);
	} else {
		e->fd = fd;
		list_add_tail(&g->told, &e->link);
	}
	lock_drop(&g->lock);
	if (is_mine)
		fanotify_event_free(e);
}

void fanotify_let_all_go(struct fanotify *g)
{
	struct fanotify_event *e;
	bool is_mine;

	do {
		lock_take(&g->lock);
		e = list_first_entry(&g->told, struct fanotify_event, link);
		if (e)
			list_remove(&e->link);
		is_mine = e && answer_locked(e, FAN_ALLOW);
		lock_drop(&g->lock);
		if (is_mine)
			fanotify_event_free(e);
	} while (e);
	do {
		lock_take(&g->lock);
		e = list_first_entry(&g->events, struct fanotify_event, link);
		if (e)
			fanotify_unqueue_locked(g, e);
		is_mine = e && (!e->group || answer_locked(e, FAN_ALLOW));
		lock_drop(&g->lock);
		if (is_mine)
			fanotify_event_free(e);
	} while (e);
}

/* ---- write(2) ---- */

static bool is_errno_allowed(uint32_t err)
{
	switch (err) {
	case EIO:
	case EPERM:
	case EBUSY:
	case ETXTBSY:
	case EAGAIN:
	case ENOSPC:
	case EDQUOT:
		return true;
	default:
		return false;
	}
}

static int response_check(const struct fanotify *g, uint32_t response)
{
	const uint32_t known = ANSWERS | FAN_AUDIT | FAN_INFO | 0xffU << FAN_ERRNO_SHIFT;
	uint32_t err = errno_in(response);

	if (response & ~known)
		return -EINVAL;
	switch (response & ANSWERS) {
	case FAN_ALLOW:
		if (err)
			return -EINVAL;
		break;
	case FAN_DENY:
		if (err &&
		    (!(g->flags & FAN_CLASS_PRE_CONTENT) || !is_errno_allowed(err)))
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return (response & FAN_AUDIT) && !(g->flags & FAN_ENABLE_AUDIT) ? -EINVAL : 0;
}

/* What an audit rule had to do with it: there is no audit to tell. */
static int info_check(struct uio *u)
{
	struct linux_fanotify_audit_rule rule;

	if (u->left != sizeof(rule))
		return -EINVAL;
	if (uio_copy_in(u, &rule, sizeof(rule)) != sizeof(rule))
		return -EFAULT;
	if (rule.type != FAN_RESPONSE_AUDIT_RULE || rule.pad || rule.len != sizeof(rule))
		return -EINVAL;
	return 0;
}

static int answer(struct fanotify *g, int fd, uint32_t response)
{
	struct fanotify_event *e = NULL;
	bool is_mine = false;
	struct list *pos;

	lock_take(&g->lock);
	list_for_each (pos, &g->told) {
		if (list_entry(pos, struct fanotify_event, link)->fd != fd)
			continue;
		e = list_entry(pos, struct fanotify_event, link);
		list_remove(&e->link);
		is_mine = answer_locked(e, response);
		break;
	}
	lock_drop(&g->lock);
	if (is_mine)
		fanotify_event_free(e);
	return e ? 0 : -ENOENT;
}

ssize_t fanotify_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct fanotify *g = f->private;
	struct linux_fanotify_response r;
	ssize_t size = sizeof(r);
	int err;

	(void)pos;
	if (u->left < sizeof(r))
		return -EINVAL;
	if (uio_copy_in(u, &r, sizeof(r)) != sizeof(r))
		return -EFAULT;
	err = response_check(g, r.response);
	if (err)
		return err;
	if (r.response & FAN_INFO) {
		err = info_check(u);
		if (err)
			return err;
		size += (ssize_t)sizeof(struct linux_fanotify_audit_rule);
		if (r.fd == FAN_NOFD)
			return size;
	}
	if (r.fd < 0)
		return -EINVAL;
	err = answer(g, r.fd, r.response);
	return err ? err : size;
}
