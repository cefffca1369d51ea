/* SPDX-License-Identifier: MIT */
/* task_fault.c - the kernel's own accesses to memory whose faults the guest deals with
 * (mm/uffd.h), or that lets a stack grow. */
#include "arch/x86_64/task_hooks.h"
#include "lib/atomic.h"
#include "mm/uffd.h"
#include "mm/usercopy.h"
#include "process/task.h"

bool task_access_fault(struct task *t, uint64_t addr, bool is_write, bool may_sleep)
{
	if (!t->mm || addr >= USER_END)
		return false;
	if (may_sleep)
		return true;
	t->held_fault = addr;
	t->held_write = is_write;
	t->is_held = true;
	(void)atomic_or(&t->sleeper.work, WORK_TASK);
	return false;
}

static bool wait_for(uaddr_t addr, bool is_write)
{
	struct task *t = current();
	struct uffd_access a = {.addr = addr,
				.is_write = is_write,
				.tid = t->tid,
				.drops_seen = &t->uffd_drops_seen};

	enum uffd_verdict v = UFFD_NOT_MINE;

	if (!t->mm)
		return false;
	if (unlikely(atomic_load(&t->mm->uffd)))
		v = uffd_fault(t->mm, &a);
	if (v != UFFD_RETRY &&
	    (v != UFFD_NOT_MINE || !mm_grow(t->mm, addr, &t->growths_seen)))
		return false;
	t->fault_waits++;
	return true;
}

int user_fault_held(uint64_t addr, uint64_t error)
{
	return wait_for(addr, error & PAGE_FAULT_WRITE);
}

bool user_fault_retry(void)
{
	struct task *t = current();

	if (likely(!t->is_held))
		return false;
	t->is_held = false;
	return wait_for(t->held_fault, t->held_write);
}

void user_fault_forget(void)
{
	current()->is_held = false;
}
