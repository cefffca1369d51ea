/* SPDX-License-Identifier: MIT */
/* sys_futex2.c - futex_waitv(2), futex_wait(2), futex_wake(2), futex_requeue(2): the
 * operations of futex(2) with flags per word and 64-bit values, of which only words of
 * 32 bits are there, as on Linux. Timeouts are absolute, so that a call begins anew after
 * a signal. */
#include "abi/errno.h"
#include "abi/futex.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "base/slab.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "process/user_time.h"
#include "time/clock.h"

static bool flags_are_valid(uint32_t flags)
{
	return !(flags & ~(uint32_t)(FUTEX2_SIZE_U64 | FUTEX2_NUMA | FUTEX2_PRIVATE)) &&
	       (flags & FUTEX2_SIZE_U64) == FUTEX2_SIZE_U32;
}

/* FUTEX2_NUMA: behind the word is the number of its node, of which there is one. -1 asks
 * for the caller's. */
static int node_settle(uaddr_t word, uint32_t flags)
{
	uaddr_t place = word + sizeof(uint32_t);
	uint32_t node;

	if (likely(!(flags & FUTEX2_NUMA)))
		return 0;
	if (word % (2 * sizeof(uint32_t)))
		return -EINVAL;
	if (get_user_u32(&node, place))
		return -EFAULT;
	if (node == UINT32_MAX)
		return put_user_u32(place, 0);
	return node ? -EINVAL : 0;
}

static int deadline_get(uaddr_t timeout, int clock, struct deadline *out)
{
	nsec_t t;
	int err;

	*out = deadline_monotonic(NSEC_NEVER);
	if (!timeout)
		return 0;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return -EINVAL;
	err = timespec_copy_in(&t, timeout);
	if (!err)
		*out = (struct deadline){clock, time_ns_to_machine(clock, t)};
	return err;
}

/* all_flags: of each word; or NULL. */
static int words_copy_in(struct futex_word *words, uaddr_t from, unsigned int count,
			 uint32_t *all_flags)
{
	for (unsigned int i = 0; i < count; i++) {
		struct linux_futex_waitv v;

		if (COPY_IN(&v, from + i * sizeof(v)))
			return -EFAULT;
		if (v.reserved || !flags_are_valid(v.flags) || v.val > UINT32_MAX)
			return -EINVAL;
		int err = node_settle(v.uaddr, v.flags);

		if (err)
			return err;
		if (all_flags)
			all_flags[i] = v.flags;
		words[i] = (struct futex_word){v.uaddr, (uint32_t)v.val,
					       v.flags & FUTEX2_PRIVATE};
	}
	return 0;
}

long sys_futex_waitv(struct task *t, uaddr_t waiters, unsigned int count,
		     unsigned int flags, uaddr_t timeout, int clock)
{
	struct futex_word *words;
	struct deadline deadline;
	int err;

	(void)t;
	if (flags || !count || count > FUTEX_WAITV_MAX || !waiters)
		return -EINVAL;
	err = deadline_get(timeout, clock, &deadline);
	if (err)
		return err;
	words = kmalloc(count * sizeof(*words));
	if (!words)
		return -ENOMEM;
	err = words_copy_in(words, waiters, count, NULL);
	if (!err)
		err = futex_wait_many(words, (int)count, deadline);
	kfree(words);
	return err;
}

long sys_futex_wait(struct task *t, uaddr_t addr, uint64_t value, uint64_t mask,
		    TYPE_FUTEX2FLAGS flags, uaddr_t timeout, int clock)
{
	struct deadline deadline;
	int err;

	(void)t;
	if (!flags_are_valid((uint32_t)flags) || value > UINT32_MAX || mask > UINT32_MAX)
		return -EINVAL;
	err = deadline_get(timeout, clock, &deadline);
	if (err)
		return err;
	if (!mask)
		return -EINVAL;
	err = node_settle(addr, (uint32_t)flags);
	if (err)
		return err;
	return futex_wait(addr, flags & FUTEX2_PRIVATE, (uint32_t)value, (uint32_t)mask,
			  deadline);
}

long sys_futex_wake(struct task *t, uaddr_t addr, uint64_t mask, int count,
		    TYPE_FUTEX2FLAGS flags)
{
	struct futex_key key;
	int err;

	if (!flags_are_valid((uint32_t)flags) || mask > UINT32_MAX || !mask)
		return -EINVAL;
	err = node_settle(addr, (uint32_t)flags);
	if (!err)
		err = futex_key_get(t->mm, addr, flags & FUTEX2_PRIVATE, &key);
	if (err || !count) /* none means none here */
		return err;
	return futex_wake_key(&key, MAX(count, 1), (uint32_t)mask);
}

long sys_futex_requeue(struct task *t, uaddr_t waiters, unsigned int flags, int wake,
		       int requeue)
{
	struct futex_word words[2];
	uint32_t all_flags[2];
	int err;

	(void)t;
	if (flags || !waiters)
		return -EINVAL;
	err = words_copy_in(words, waiters, 2, all_flags);
	if (err)
		return err;
	if (all_flags[0] != all_flags[1])
		return -EINVAL;
	return futex_requeue(&words[0], &words[1], wake, requeue, &words[0].value);
}
