/* SPDX-License-Identifier: MIT */
/* futex_two.c - futex operations on two words. */
#include "abi/errno.h"
#include "abi/futex.h"
#include "lib/atomic.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/task.h"

/* Moves up to count waiters from one key, in bucket from, to another; both buckets
 * locked. Stops at one that waits for a PI lock: *err is -EINVAL then. */
static int move_some(struct futex_bucket *from, const struct futex_key *key,
		     struct futex_bucket *to, const struct futex_key *new_key, int count,
		     int *err)
{
	struct list moved = LIST_INIT(moved);
	struct list *pos;
	struct list *after;
	int n = 0;

	list_for_each_safe(pos, after, &from->waiters)
	{
		struct futex_waiter *w = list_entry(pos, struct futex_waiter, link);

		if (n == count)
			break;
		if (!futex_key_equal(&w->key, key))
			continue;
		if (w->pi_owner || w->wants_pi) {
			*err = -EINVAL;
			break;
		}
		n++;
		if (futex_key_equal(key, new_key))
			continue; /* who stays counts as well */
		list_remove(pos);
		list_add_tail(&moved, pos);
		futex_count(from, -1);
		futex_count(to, 1);
		w->key = *new_key;
		atomic_store(&w->bucket, to);
	}
	while ((pos = list_pop(&moved)))
		futex_enqueue_locked(to, list_entry(pos, struct futex_waiter, link));
	return n;
}

static int compare(uaddr_t uaddr, const uint32_t *expected)
{
	uint32_t seen;

	if (!expected)
		return 0;
	if (get_user_u32(&seen, uaddr))
		return -EFAULT;
	return seen == *expected ? 0 : -EAGAIN;
}

/* More than a batch is woken in steps; only the last moves the rest. */
int futex_requeue(const struct futex_word *from, const struct futex_word *to, int wake,
		  int requeue, const uint32_t *expected)
{
	struct mm *mm = current()->mm;
	struct sleeper *woken[FUTEX_WAKE_BATCH];
	struct futex_bucket *a;
	struct futex_bucket *b;
	struct futex_key key;
	struct futex_key new_key;
	bool more = true;
	int total = 0;
	int err;

	if (wake < 0 || requeue < 0)
		return -EINVAL;
	err = futex_key_get(mm, from->uaddr, from->is_private, &key);
	if (!err)
		err = futex_key_get(mm, to->uaddr, to->is_private, &new_key);
	if (err)
		return err;
	a = futex_bucket_of(&key);
	b = futex_bucket_of(&new_key);
	while (more && !err) {
		int n = 0;

		lock_take_pair(&a->lock, &b->lock);
		err = compare(from->uaddr, expected);
		if (!err) {
			n = futex_release_some_locked(a, &key, UINT32_MAX, woken,
						      MIN(wake - total, FUTEX_WAKE_BATCH),
						      &err);
			total += n;
			more = n == FUTEX_WAKE_BATCH && total < wake;
			if (!more && !err)
				total += move_some(a, &key, b, &new_key, requeue, &err);
		}
		lock_drop_pair(&a->lock, &b->lock);
		for (int i = 0; i < n; i++)
			(void)sleeper_wake(woken[i]);
		expected = NULL; /* only once */
	}
	return err ? err : total;
}

static int32_t field_signed(uint32_t op, int shift)
{
	return (int32_t)(op << (20 - shift)) >> 20; /* twelve bits */
}

static int compute(uint32_t kind, uint32_t old, uint32_t arg, uint32_t *out)
{
	switch (kind) {
	case FUTEX_OP_SET:
		*out = arg;
		return 0;
	case FUTEX_OP_ADD:
		*out = old + arg;
		return 0;
	case FUTEX_OP_OR:
		*out = old | arg;
		return 0;
	case FUTEX_OP_ANDN:
		*out = old & ~arg;
		return 0;
	case FUTEX_OP_XOR:
		*out = old ^ arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* Does to the word what op says, in one step. Returns what op's comparison of the old
 * value says: 0, 1 or an error. */
static int change_word(uaddr_t uaddr, uint32_t op)
{
	uint32_t kind = op >> 28 & 7;
	uint32_t arg = (uint32_t)field_signed(op, 12);
	int32_t with = field_signed(op, 0);
	uint32_t seen;
	uint32_t old;
	uint32_t new_value;
	int32_t was;
	int err = compute(kind, 0, arg,
			  &new_value); /* it is one, before the word is read */

	if (err)
		return err;
	if (op >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = 1U << (arg & 31);
	if (get_user_u32(&old, uaddr))
		return -EFAULT;
	for (;;) {
		(void)compute(kind, old, arg, &new_value);
		if (user_cmpxchg_u32(uaddr, old, new_value, &seen))
			return -EFAULT;
		if (seen == old)
			break;
		old = seen;
	}
	was = (int32_t)old;
	switch (op >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return was == with;
	case FUTEX_OP_CMP_NE:
		return was != with;
	case FUTEX_OP_CMP_LT:
		return was < with;
	case FUTEX_OP_CMP_LE:
		return was <= with;
	case FUTEX_OP_CMP_GT:
		return was > with;
	case FUTEX_OP_CMP_GE:
		return was >= with;
	default:
		return -ENOSYS;
	}
}

/* Of one of the words: whom to wake. */
struct wake_part {
	struct futex_key key;
	struct futex_bucket *bucket;
	int left;
};

/* Up to room of them; *full: there may be more. */
static int release_part(struct wake_part *p, struct sleeper **out, int room, bool *full,
			int *err)
{
	int n = futex_release_some_locked(p->bucket, &p->key, UINT32_MAX, out,
					  MIN(p->left, room), err);

	p->left -= n;
	*full = p->left && n == room;
	return n;
}

/* Under both locks: one that waits at both words is woken, and counted, twice. */
static int wake_both(struct wake_part *a, struct wake_part *b)
{
	struct sleeper *woken[FUTEX_WAKE_BATCH];
	bool more = true;
	int total = 0;
	int err = 0;

	while (more && !err) {
		int n;

		lock_take_pair(&a->bucket->lock, &b->bucket->lock);
		n = release_part(a, woken, FUTEX_WAKE_BATCH, &more, &err);
		if (!more && !err)
			n += release_part(b, woken + n, FUTEX_WAKE_BATCH - n, &more,
					  &err);
		lock_drop_pair(&a->bucket->lock, &b->bucket->lock);
		for (int i = 0; i < n; i++)
			(void)sleeper_wake(woken[i]);
		total += n;
	}
	return err ? err : total;
}

/* No lock joins the change and the wake-ups: who comes to wait in between sees the new
 * word. */
int futex_wake_op(uaddr_t uaddr, uaddr_t uaddr2, bool is_private, int wake, int wake2,
		  uint32_t op)
{
	struct mm *mm = current()->mm;
	struct wake_part a = {.left = MAX(wake, 1)};
	struct wake_part b = {.left = MAX(wake2, 1)};
	int err = futex_key_get(mm, uaddr, is_private, &a.key);
	int ret;

	if (!err)
		err = futex_key_get(mm, uaddr2, is_private, &b.key);
	if (err)
		return err;
	ret = change_word(uaddr2, op);
	if (ret < 0)
		return ret;
	if (!ret)
		return futex_wake_key(&a.key, a.left, UINT32_MAX);
	a.bucket = futex_bucket_of(&a.key);
	b.bucket = futex_bucket_of(&b.key);
	if (futex_bucket_is_empty(a.bucket) && futex_bucket_is_empty(b.bucket))
		return 0;
	return wake_both(&a, &b);
}
