/* SPDX-License-Identifier: MIT */
/* futex_robust.c - telling the world that the holder of locks has died. The list is the
 * guest's: nothing in it is trusted, and no more than ROBUST_LIST_LIMIT entries are read.
 */
#include "abi/errno.h"
#include "abi/futex.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/task.h"

#define ENTRY_PI 1 /* bit 0 of a pointer */

/* One word. pending: the task was just taking or releasing it, and may not be its owner.
 * Returns 0, or -EFAULT: it is not there. */
static int word_died(struct task *t, uaddr_t uaddr, bool is_pi, bool pending)
{
	uint32_t word;
	uint32_t seen;

	if (uaddr % sizeof(word) || get_user_u32(&word, uaddr))
		return -EFAULT;
	for (;;) {
		uint32_t owner = word & FUTEX_TID_MASK;

		/* It gave the lock back and did not come to wake anybody, or was woken
		 * and did not come to take it. */
		if (pending && !is_pi && !owner) {
			futex_wake_addr(t->mm, uaddr, 1);
			return 0;
		}
		if (owner != (uint32_t)t->tid)
			return 0;
		if (user_cmpxchg_u32(uaddr, word,
				     (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen))
			return -EFAULT;
		if (seen == word)
			break;
		word = seen;
	}
	if (!is_pi && (word & FUTEX_WAITERS))
		futex_wake_addr(t->mm, uaddr, 1);
	return 0;
}

/* The first thing that is not as it should be ends it. */
static void list_walk(struct task *t)
{
	struct linux_robust_list_head head;
	uaddr_t entry;
	uaddr_t pending;
	int left = ROBUST_LIST_LIMIT;

	if (COPY_IN(&head, t->robust_list))
		return;
	entry = head.list.next;
	pending = head.list_op_pending & ~(uaddr_t)ENTRY_PI;
	while ((entry & ~(uaddr_t)ENTRY_PI) != t->robust_list && left--) {
		uaddr_t at = entry & ~(uaddr_t)ENTRY_PI;
		uaddr_t next;
		int err = get_user_u64(&next, at);

		if (at != pending && word_died(t, at + (uint64_t)head.futex_offset,
					       entry & ENTRY_PI, false))
			return;
		if (err)
			return;
		entry = next;
	}
	if (pending)
		(void)word_died(t, pending + (uint64_t)head.futex_offset,
				head.list_op_pending & ENTRY_PI, true);
}

void futex_exit_robust(struct task *t)
{
	if (t->robust_list)
		list_walk(t);
	t->robust_list = 0;
	futex_pi_owner_died(t);
}
