/* SPDX-License-Identifier: MIT */
/* notify.c - SECCOMP_RET_USER_NOTIF: a listener, who has a descriptor, decides about
 * calls of the tasks that have the filter: seccomp_unotify(2).
 *
 * A task that waits for an answer has a notification on its kernel stack. It goes from
 * NEW to SENT when a listener reads it, and to ANSWERED. Descriptors that the listener
 * sends are installed by the waiting task itself, which comes out of its sleep for each,
 * since only it may change its table: the filter's lock is not held then.
 *
 * Whoever is woken wants the lock, so wake-ups follow its release. By then the
 * notification may be gone, but not its sleeper, since tasks are type-stable. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/resource.h"
#include "base/claim.h"
#include "base/slab.h"
#include "core/seccomp/internal.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define WORK_SIGNALS (WORK_SIGNAL | WORK_KILL | WORK_STOP)

enum notification_state { NEW, SENT, ANSWERED };

struct notification {
	struct seccomp_wait wait;
	uint64_t id;
	pid_t tid;
	const struct linux_seccomp_data *data;
	enum notification_state state;
	struct sleeper *sleeper; /* woken when the state or the list of addfds changes */
	/* the answer */
	int64_t val;
	int32_t error;
	uint32_t flags;
};

/* A descriptor on its way. Two references: of who sends it, and of who installs it. */
struct addfd {
	struct list link;
	struct ref refs;
	struct file *file; /* ref */
	uint32_t flags;	   /* SECCOMP_ADDFD_FLAG_* */
	uint32_t fd_flags; /* O_CLOEXEC */
	uint32_t fd;	   /* SECCOMP_ADDFD_FLAG_SETFD */
	bool is_taken;
	bool is_done;
	int result; /* the descriptor, or an error */
	struct waitq done;
};

static SLAB_CACHE(addfd_cache, "seccomp_addfd", sizeof(struct addfd), 8);

/* Until the notification changes. */
static int sleep_for_change(struct lock *lock, uint32_t mask) NO_LOCK_CHECK
{
	int err;

	sleeper_prepare();
	lock_drop(lock);
	err = sleeper_wait(NSEC_NEVER, mask);
	lock_take(lock);
	return err;
}

/* Like waitq_sleep(), but what interrupts is said. */
static int sleep_on(struct waitq *q, struct lock *lock, uint32_t mask) NO_LOCK_CHECK
{
	struct wait_place p;
	int err;

	sleeper_prepare();
	wait_place_take(&p, q, NULL, false);
	lock_drop(lock);
	err = sleeper_wait(NSEC_NEVER, mask);
	wait_place_leave(&p);
	lock_take(lock);
	return err && p.entry.woken ? 0 : err;
}

/* ---- descriptors ---- */

static void addfd_put(struct addfd *a)
{
	if (!ref_put(&a->refs))
		return;
	file_put(a->file);
	slab_free(&addfd_cache, a);
}

/* The filter's lock is held. The reference of who installs is put without it: the file
 * may be the listener itself, whose release takes it. */
static void addfd_finish(struct addfd *a, int result)
{
	a->result = result;
	a->is_done = true;
	waitq_wake_all(&a->done, 0);
}

static int install(const struct addfd *a)
{
	int err;

	if (!(a->flags & SECCOMP_ADDFD_FLAG_SETFD)) {
		file_get(a->file);
		err = fd_install(a->file, a->fd_flags);
		if (err < 0)
			file_put(a->file);
		return err;
	}
	if (a->fd >= rlimit_current(RLIMIT_NOFILE))
		return -EBADF;
	file_get(a->file);
	err = fdtable_install_at(current()->fds, (int)a->fd, a->file, a->fd_flags);
	if (err)
		file_put(a->file);
	return err ? err : (int)a->fd;
}

/* Installs one descriptor. The lock is dropped meanwhile. */
static void addfd_do(struct seccomp_filter *f, struct notification *n,
		     struct addfd *a) NO_LOCK_CHECK
{
	int fd;

	list_remove(&a->link);
	a->is_taken = true;
	lock_drop(&f->lock);
	fd = install(a);
	lock_take(&f->lock);
	if ((a->flags & SECCOMP_ADDFD_FLAG_SEND) && n->state == ANSWERED) {
		if (fd < 0 && f->has_listener)
			n->state = SENT;
		n->val = fd;
		n->error = fd < 0 ? -ENOSYS : 0; /* the listener has gone meanwhile */
		n->flags = 0;
	}
	addfd_finish(a, fd);
	lock_drop(&f->lock);
	addfd_put(a);
	lock_take(&f->lock);
}

/* Nobody installs these any more. They stay on the list until addfds_put(), which is
 * called without the lock, when w can be found no more. */
static void addfds_refuse(struct seccomp_wait *w)
{
	struct list *l;

	list_for_each (l, &w->addfds)
		addfd_finish(list_entry(l, struct addfd, link), -ESRCH);
}

static void addfds_put(struct seccomp_wait *w)
{
	struct list *l;

	while ((l = list_pop(&w->addfds)))
		addfd_put(list_entry(l, struct addfd, link));
}

/* ---- the task that waits ---- */

static bool is_killable(const struct seccomp_filter *f, const struct notification *n)
{
	return f->is_killable && n->state != NEW;
}

static int wait_for_answer(struct seccomp_filter *f, struct notification *n) NO_LOCK_CHECK
{
	for (;;) {
		struct list *l;
		bool killable;
		int err;

		while ((l = list_first(&n->wait.addfds)))
			addfd_do(f, n, list_entry(l, struct addfd, link));
		if (n->state == ANSWERED)
			return 0;
		killable = is_killable(f, n);
		err = sleep_for_change(&f->lock, killable ? WORK_KILL : WORK_SIGNALS);
		/* It may have been read meanwhile, and signals count no more. */
		if (err && killable == is_killable(f, n) && n->state != ANSWERED)
			return err;
	}
}

bool listener_allows(struct task *t, struct seccomp_filter *f,
		     const struct linux_seccomp_data *data, long *result)
{
	struct notification n = {.wait = {.filter = f},
				 .tid = t->tid,
				 .data = data,
				 .state = NEW,
				 .sleeper = &t->sleeper};
	int err;

	list_init(&n.wait.addfds);
	lock_take(&f->lock);
	if (!f->has_listener) {
		lock_drop(&f->lock);
		*result = -ENOSYS;
		return false;
	}
	n.id = f->next_id++;
	list_add_tail(&f->waiting, &n.wait.link);
	t->seccomp_wait = &n.wait;
	f->requests++;
	lock_drop(&f->lock);
	waitq_wake_all(&f->changed, POLL_READABLE);
	lock_take(&f->lock);
	err = wait_for_answer(f, &n);
	addfds_refuse(&n.wait);
	t->seccomp_wait = NULL;
	list_remove(&n.wait.link);
	lock_drop(&f->lock);
	addfds_put(&n.wait);
	if (!err && (n.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE))
		return true;
	*result = err ? err : n.error ? n.error : n.val;
	return false;
}

void listener_forget(struct task *t)
{
	struct seccomp_wait *w = t->seccomp_wait;
	struct seccomp_filter *f = w->filter;

	lock_take(&f->lock);
	addfds_refuse(w);
	list_remove(&w->link);
	lock_drop(&f->lock);
	addfds_put(w);
	t->seccomp_wait = NULL;
}

/* ---- the listener ---- */

static struct notification *of_link(struct list *l)
{
	return list_entry(l, struct notification, wait.link);
}

static struct notification *find(struct seccomp_filter *f, uint64_t id)
{
	struct list *l;

	list_for_each (l, &f->waiting)
		if (of_link(l)->id == id)
			return of_link(l);
	return NULL;
}

static struct notification *find_new(struct seccomp_filter *f)
{
	struct list *l;

	list_for_each (l, &f->waiting)
		if (of_link(l)->state == NEW)
			return of_link(l);
	return NULL;
}

/* Who is to be woken. */
static struct sleeper *answer(struct notification *n,
			      const struct linux_seccomp_notif_resp *resp) MUST_CHECK;
static struct sleeper *answer(struct notification *n,
			      const struct linux_seccomp_notif_resp *resp)
{
	n->state = ANSWERED;
	n->error = resp->error;
	n->val = resp->val;
	n->flags = resp->flags;
	return n->sleeper;
}

/* Until there is something to read, or nobody left who would make something. A
 * notification whose task has gone again still counts. */
static int wait_for_request(struct seccomp_filter *f) NO_LOCK_CHECK
{
	int err = 0;

	while (!f->requests && atomic_load(&f->users) && !err)
		err = sleep_on(&f->changed, &f->lock, WORK_SIGNALS);
	if (err)
		return err;
	if (f->requests)
		f->requests--;
	return 0;
}

/* Nobody has read the notification after all. */
static void unread(struct seccomp_filter *f, uint64_t id)
{
	struct notification *n;

	lock_take(&f->lock);
	n = find(f, id);
	if (n && n->state == SENT) {
		n->state = NEW;
		f->requests++;
		(void)sleeper_wake(n->sleeper); /* signals count again */
		waitq_wake_all(&f->changed, POLL_READABLE);
	}
	lock_drop(&f->lock);
}

static bool is_zero(const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		if (*p++)
			return false;
	return true;
}

static long do_recv(struct seccomp_filter *f, uaddr_t to)
{
	struct linux_seccomp_notif out;
	struct notification *n = NULL;
	int err = COPY_IN(&out, to);

	if (err)
		return err;
	if (!is_zero(&out, sizeof(out)))
		return -EINVAL;
	lock_take(&f->lock);
	err = wait_for_request(f);
	if (!err) {
		n = find_new(f);
		err = n ? 0 : -ENOENT;
	}
	if (n) {
		out.id = n->id;
		out.pid = (uint32_t)n->tid;
		out.data = *n->data;
		n->state = SENT;
	}
	lock_drop(&f->lock);
	if (n)
		waitq_wake_all(&f->changed, POLL_WRITABLE);
	if (!err && COPY_OUT(to, &out)) {
		unread(f, out.id);
		err = -EFAULT;
	}
	return err;
}

static long do_send(struct seccomp_filter *f, uaddr_t from)
{
	struct linux_seccomp_notif_resp resp;
	struct sleeper *woken = NULL;
	struct notification *n;
	int err = 0;

	if (COPY_IN(&resp, from))
		return -EFAULT;
	if (resp.flags & ~(uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return -EINVAL;
	if ((resp.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE) && (resp.error || resp.val))
		return -EINVAL;
	lock_take(&f->lock);
	n = find(f, resp.id);
	if (!n)
		err = -ENOENT;
	else if (n->state != SENT)
		err = -EINPROGRESS;
	else
		woken = answer(n, &resp);
	lock_drop(&f->lock);
	if (woken)
		(void)sleeper_wake(woken);
	return err;
}

static long is_valid(struct seccomp_filter *f, uaddr_t from)
{
	const struct notification *n;
	uint64_t id;
	bool valid;

	if (get_user_u64(&id, from))
		return -EFAULT;
	lock_take(&f->lock);
	n = find(f, id);
	valid = n && n->state == SENT;
	lock_drop(&f->lock);
	return valid ? 0 : -ENOENT;
}

static long set_flags(struct seccomp_filter *f, uint64_t flags)
{
	if (flags & ~(uint64_t)SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
		return -EINVAL;
	lock_take(&f->lock);
	f->flags = (uint32_t)flags;
	lock_drop(&f->lock);
	return 0;
}

/* Hands a to the task that waits. */
static int addfd_queue(struct seccomp_filter *f, uint64_t id, struct addfd *a)
{
	struct notification *n = find(f, id);

	if (!n)
		return -ENOENT;
	if (n->state != SENT)
		return -EINPROGRESS;
	if (a->flags & SECCOMP_ADDFD_FLAG_SEND) {
		if (list_first(&n->wait.addfds))
			return -EBUSY;
		n->state = ANSWERED;
	}
	ref_get(&a->refs);
	list_add_tail(&n->wait.addfds, &a->link);
	(void)sleeper_wake(n->sleeper);
	return 0;
}

/* A signal has come first. False: the descriptor is being installed all the same. */
static bool addfd_withdraw(struct seccomp_filter *f, uint64_t id, struct addfd *a)
{
	struct notification *n = find(f, id);

	if (a->is_taken || a->is_done)
		return false;
	list_remove(&a->link);
	addfd_put(a);
	if ((a->flags & SECCOMP_ADDFD_FLAG_SEND) && n)
		n->state = SENT;
	return true;
}

static int addfd_send(struct seccomp_filter *f, uint64_t id, struct addfd *a)
{
	uint32_t mask = WORK_SIGNALS;
	int err;

	lock_take(&f->lock);
	err = addfd_queue(f, id, a);
	while (!err && !a->is_done) {
		err = sleep_on(&a->done, &f->lock, mask);
		if (err && mask != WORK_KILL && !addfd_withdraw(f, id, a)) {
			mask = WORK_KILL;
			err = 0;
		}
	}
	if (!err)
		err = a->result;
	lock_drop(&f->lock);
	return err;
}

static long do_addfd(struct seccomp_filter *f, uaddr_t from, size_t size)
{
	struct linux_seccomp_notif_addfd in = {0};
	struct addfd *a;
	struct fdref ref;
	int err;

	if (size < sizeof(in) || size >= PAGE_SIZE)
		return -EINVAL;
	err = copy_struct_from_user(&in, sizeof(in), from, size);
	if (err)
		return err;
	if ((in.newfd_flags & ~(uint32_t)O_CLOEXEC) ||
	    (in.flags & ~(uint32_t)(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND)))
		return -EINVAL;
	if (in.newfd && !(in.flags & SECCOMP_ADDFD_FLAG_SETFD))
		return -EINVAL;
	ref = fd_get((int)in.srcfd);
	if (!ref.file)
		return -EBADF;
	a = slab_alloc_zeroed(&addfd_cache);
	if (!a) {
		fd_put(ref);
		return -ENOMEM;
	}
	ref_init(&a->refs);
	list_init(&a->link);
	waitq_init(&a->done);
	file_get(ref.file);
	a->file = ref.file;
	a->flags = in.flags;
	a->fd_flags = in.newfd_flags;
	a->fd = in.newfd;
	fd_put(ref);
	err = addfd_send(f, in.id, a);
	addfd_put(a);
	return err;
}

static long listener_ioctl(struct file *file, unsigned int cmd, uint64_t arg)
{
	struct seccomp_filter *f = file->private;

	switch (cmd) {
	case SECCOMP_IOCTL_NOTIF_RECV:
		return do_recv(f, arg);
	case SECCOMP_IOCTL_NOTIF_SEND:
		return do_send(f, arg);
	case SECCOMP_IOCTL_NOTIF_ID_VALID:
	case SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR:
		return is_valid(f, arg);
	case SECCOMP_IOCTL_NOTIF_SET_FLAGS:
		return set_flags(f, arg);
	default:
		break;
	}
	/* Of any size and direction. */
	if (IOC_TYPE(cmd) == IOC_TYPE(SECCOMP_IOCTL_NOTIF_ADDFD) &&
	    IOC_NR(cmd) == IOC_NR(SECCOMP_IOCTL_NOTIF_ADDFD))
		return do_addfd(f, arg, IOC_SIZE(cmd));
	return -EINVAL;
}

static uint32_t listener_poll(struct file *file, struct poll_table *pt)
{
	struct seccomp_filter *f = file->private;
	uint32_t ready = 0;
	struct list *l;

	poll_wait(pt, &f->changed);
	lock_take(&f->lock);
	list_for_each (l, &f->waiting) {
		enum notification_state state = of_link(l)->state;

		ready |= state == NEW ? POLL_READABLE : state == SENT ? POLL_WRITABLE : 0;
	}
	lock_drop(&f->lock);
	return atomic_load(&f->users) ? ready : ready | POLLHUP;
}

static void listener_release(struct file *file)
{
	static const struct linux_seccomp_notif_resp none = {.error = -ENOSYS};
	struct seccomp_filter *f = file->private;
	struct list *l;

	lock_take(&f->lock);
	atomic_store(&f->has_listener, false);
	list_for_each (l, &f->waiting)
		if (of_link(l)->state != ANSWERED)
			(void)sleeper_wake(answer(of_link(l), &none));
	lock_drop(&f->lock);
	filter_put(f);
}

static const struct file_ops listener_ops = {
	.poll = listener_poll,
	.ioctl = listener_ioctl,
	.release = listener_release,
};

int listener_create(struct seccomp_filter *f, struct file **out)
{
	int err = file_create_anon_inode("seccomp notify", &listener_ops, O_RDWR, f, out);

	if (err)
		return err;
	filter_get(f);
	if (host_getrandom(&f->next_id, sizeof(f->next_id)) != sizeof(f->next_id))
		f->next_id = 0;
	f->has_listener = true;
	return 0;
}

void listener_users_gone(struct seccomp_filter *f)
{
	/* Whoever has seen users and is about to sleep does so first. */
	lock_take(&f->lock);
	lock_drop(&f->lock);
	waitq_wake_all(&f->changed, POLLHUP);
}
