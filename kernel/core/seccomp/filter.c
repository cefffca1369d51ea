/* SPDX-License-Identifier: MIT */
/* filter.c - filters as objects: making them, chains of them, and who has them. */
#include "core/seccomp/filter.h"
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/slab.h"
#include "core/seccomp/internal.h"
#include "core/seccomp/seccomp.h"
#include "lib/atomic.h"
#include "lib/bpf.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

/* Linux's limit for a chain, and what each earlier filter counts beside its length. */
#define WEIGHT_MAX   32768
#define WEIGHT_EXTRA 4

static SLAB_CACHE(seccomp_filter_cache, "seccomp_filter", sizeof(struct seccomp_filter),
		  8);

/* ---- references ---- */

void filter_get(struct seccomp_filter *f)
{
	ref_get(&f->refs);
}

void filter_put(struct seccomp_filter *f)
{
	while (f && ref_put(&f->refs)) {
		struct seccomp_filter *prev = f->prev;

		kfree(f->program);
		slab_free(&seccomp_filter_cache, f);
		f = prev;
	}
}

static void user_add(struct seccomp_filter *f)
{
	if (!f)
		return;
	filter_get(f);
	(void)atomic_add(&f->users, 1);
}

static void user_drop(struct seccomp_filter *f)
{
	for (struct seccomp_filter *at = f; at && atomic_sub(&at->users, 1) == 1;
	     at = at->prev)
		listener_users_gone(at);
	filter_put(f);
}

/* ---- making ---- */

/* Linux translates programs for its own machine, and counts what comes out: two or three
 * instructions for some. */
static uint32_t weight_of(const struct linux_sock_filter *f)
{
	bool is_immediate = !(f->code & BPF_X);
	uint32_t weight = 1;

	switch (f->code) {
	case BPF_RET | BPF_K:
		return 2;
	case BPF_ALU | BPF_DIV | BPF_X:
		return 5;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		weight += is_immediate && (int32_t)f->k < 0;
		/* A jump on the opposite, if there is one, saves the second. */
		if (f->jf && (f->jt || (f->code & ~BPF_X) == (BPF_JMP | BPF_JSET)))
			weight++;
		return weight;
	default:
		return 1;
	}
}

static uint32_t weigh(const struct linux_sock_filter *program, uint32_t count)
{
	uint32_t weight = 3; /* what begins each */

	for (uint32_t i = 0; i < count; i++)
		weight += weight_of(&program[i]);
	return weight;
}

static int copy_program(struct seccomp_filter *f, const struct linux_sock_fprog *from)
{
	size_t size = from->len * sizeof(f->program[0]);
	uint16_t *scratch;
	int err;

	if (!from->filter)
		return -EINVAL;
	f->program = kmalloc(size);
	scratch = kmalloc(from->len * sizeof(*scratch));
	err = f->program && scratch ? copy_from_user(f->program, from->filter, size)
				    : -ENOMEM;
	if (!err && !bpf_check(f->program, from->len, BPF_FOR_CALLS,
			       sizeof(struct linux_seccomp_data), scratch))
		err = -EINVAL;
	kfree(scratch);
	if (err) {
		kfree(f->program);
		return err;
	}
	f->count = from->len;
	f->weight = weigh(f->program, f->count);
	return 0;
}

int filter_create(struct task *t, uaddr_t from, uint32_t flags,
		  struct seccomp_filter **out)
{
	struct linux_sock_fprog fprog;
	struct seccomp_filter *f;
	int err;

	if (COPY_IN(&fprog, from))
		return -EFAULT;
	if (fprog.len == 0 || fprog.len > BPF_MAXINSNS)
		return -EINVAL;
	if (!atomic_load(&t->no_new_privs) &&
	    !ns_capable(current_user_ns(), CAP_SYS_ADMIN))
		return -EACCES;
	f = slab_alloc_zeroed(&seccomp_filter_cache);
	if (!f)
		return -ENOMEM;
	err = copy_program(f, &fprog);
	if (err) {
		slab_free(&seccomp_filter_cache, f);
		return err;
	}
	ref_init(&f->refs);
	f->users = 1;
	f->is_logged = flags & SECCOMP_FILTER_FLAG_LOG;
	f->is_killable = flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	lock_init(&f->lock, RANK_OBJECT);
	waitq_init(&f->changed);
	list_init(&f->waiting);
	*out = f;
	return 0;
}

/* ---- attaching ---- */

/* Two listeners in one chain would both want to answer. */
static bool has_listener(const struct seccomp_filter *f)
{
	for (; f; f = f->prev)
		if (atomic_load(&f->has_listener))
			return true;
	return false;
}

static bool is_ancestor(const struct seccomp_filter *f, const struct seccomp_filter *of)
{
	if (!f)
		return true;
	for (; of; of = of->prev)
		if (of == f)
			return true;
	return false;
}

/* The first task that has other filters than those t has built on: its id, or 0. */
static pid_t find_other_locked(struct task *t)
{
	struct list *l;

	list_for_each (l, &t->process->tasks) {
		struct task *other = list_entry(l, struct task, thread_link);

		if (other == t || atomic_load(&other->is_exiting) ||
		    other->seccomp_mode == SECCOMP_MODE_DISABLED ||
		    (other->seccomp_mode == SECCOMP_MODE_FILTER &&
		     is_ancestor(other->seccomp_filter, t->seccomp_filter)))
			continue;
		return other->tid;
	}
	return 0;
}

static void enter_mode_locked(struct task *t, uint8_t mode)
{
	atomic_store(&t->seccomp_mode, mode);
	(void)atomic_or(&t->call_work, CALL_SECCOMP);
}

/* All tasks of the process get what t has. */
static void spread_locked(struct task *t)
{
	struct list *l;

	list_for_each (l, &t->process->tasks) {
		struct task *other = list_entry(l, struct task, thread_link);
		struct seccomp_filter *old = other->seccomp_filter;

		if (other == t || atomic_load(&other->is_exiting))
			continue;
		user_add(t->seccomp_filter);
		atomic_store(&other->seccomp_filter, t->seccomp_filter);
		user_drop(old); /* not the last: it is in t's chain */
		other->seccomp_count = t->seccomp_count;
		if (t->no_new_privs)
			atomic_store(&other->no_new_privs, true);
		enter_mode_locked(other, SECCOMP_MODE_FILTER);
	}
}

static int check_locked(struct task *t, const struct seccomp_filter *f, uint32_t flags)
{
	uint32_t weight = f->weight;
	pid_t other;

	if (t->seccomp_mode && t->seccomp_mode != SECCOMP_MODE_FILTER)
		return -EINVAL;
	if (f->has_listener && has_listener(t->seccomp_filter))
		return -EBUSY;
	for (const struct seccomp_filter *p = t->seccomp_filter; p; p = p->prev)
		weight += p->weight + WEIGHT_EXTRA;
	if (weight > WEIGHT_MAX)
		return -ENOMEM;
	if (!(flags & SECCOMP_FILTER_FLAG_TSYNC))
		return 0;
	other = find_other_locked(t);
	return other && (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) ? -ESRCH : other;
}

int filter_attach(struct task *t, struct seccomp_filter *f, uint32_t flags)
{
	int err;

	lock_take(&t->process->lock);
	err = check_locked(t, f, flags);
	if (!err) {
		f->prev = t->seccomp_filter; /* with the reference and as a user */
		t->seccomp_count++;
		atomic_store(&t->seccomp_filter, f);
		enter_mode_locked(t, SECCOMP_MODE_FILTER);
		if (flags & SECCOMP_FILTER_FLAG_TSYNC)
			spread_locked(t);
	}
	lock_drop(&t->process->lock);
	return err;
}

int seccomp_enter_strict(struct task *t)
{
	int err = 0;

	lock_take(&t->process->lock);
	if (t->seccomp_mode && t->seccomp_mode != SECCOMP_MODE_STRICT)
		err = -EINVAL;
	else
		enter_mode_locked(t, SECCOMP_MODE_STRICT);
	lock_drop(&t->process->lock);
	return err;
}

void seccomp_inherit_locked(struct task *child, const struct task *parent)
{
	child->no_new_privs = parent->no_new_privs;
	if (!parent->seccomp_mode)
		return;
	user_add(parent->seccomp_filter);
	child->seccomp_filter = parent->seccomp_filter;
	child->seccomp_count = parent->seccomp_count;
	enter_mode_locked(child, parent->seccomp_mode);
}

void seccomp_release(struct task *t)
{
	struct seccomp_filter *f = t->seccomp_filter;

	if (likely(!f))
		return;
	if (t->seccomp_wait)
		listener_forget(t);
	t->seccomp_filter = NULL;
	user_drop(f);
}
