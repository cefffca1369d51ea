/* SPDX-License-Identifier: MIT */
/* sys_futex.c - futex(2), set_robust_list(2), get_robust_list(2). */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/futex.h"
#include "abi/syscall.h"
#include "abi/time.h"
#include "mm/usercopy.h"
#include "process/futex.h"
#include "process/identity.h"
#include "process/task.h"
#include "process/time_ns.h"
#include "process/user_ns.h"
#include "process/user_time.h"
#include "time/clock.h"

static long restart_wait(struct task *t);

/* What restart_wait() needs stays in the task. */
static long wait_restartable(struct task *t, uaddr_t addr, bool is_private,
			     uint32_t value, uint32_t bitset, struct deadline deadline)
{
	int err;

	if (!bitset)
		return -EINVAL;
	err = futex_wait(addr, is_private, value, bitset, deadline);
	if (err != -ERESTARTSYS || deadline.at == NSEC_NEVER)
		return err;
	t->restart = restart_wait;
	t->restart_arg[0] = addr;
	t->restart_arg[1] = is_private;
	t->restart_arg[2] = value;
	t->restart_arg[3] = bitset;
	t->restart_arg[4] = (uint64_t)deadline.at;
	t->restart_arg[5] = (uint64_t)deadline.clock;
	return -ERESTART_RESTARTBLOCK;
}

static long restart_wait(struct task *t)
{
	const uint64_t *arg = t->restart_arg;

	return wait_restartable(t, arg[0], arg[1], (uint32_t)arg[2], (uint32_t)arg[3],
				(struct deadline){(int)arg[5], (nsec_t)arg[4]});
}

static bool has_timeout(int cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

/* When an operation gives up: FUTEX_WAIT's timeout is relative, the
 * others' are absolute. */
static int deadline_get(int cmd, bool realtime, uaddr_t timeout, struct deadline *out)
{
	nsec_t t;
	int err;

	*out = deadline_monotonic(NSEC_NEVER);
	if (!timeout || !has_timeout(cmd))
		return 0;
	err = timespec_copy_in(&t, timeout);
	if (err)
		return err;
	if (realtime || cmd == FUTEX_LOCK_PI)
		out->clock = CLOCK_REALTIME;
	out->at =
		cmd == FUTEX_WAIT ? deadline_after(t) : time_ns_to_machine(out->clock, t);
	return 0;
}

long sys_futex(struct task *t, uaddr_t addr, int op, uint32_t val, uint64_t timeout,
	       uaddr_t addr2, uint32_t val3)
{
	int cmd = op & FUTEX_CMD_MASK;
	bool is_private = op & FUTEX_PRIVATE_FLAG;
	bool realtime = op & FUTEX_CLOCK_REALTIME;
	struct futex_word one = {addr, val, is_private};
	struct futex_word two = {addr2, 0, is_private};
	int val2 = (int)timeout; /* for operations without a timeout */
	struct deadline deadline;
	int err;

	err = deadline_get(cmd, realtime, timeout, &deadline);
	if (err)
		return err;
	if (realtime && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2 &&
	    cmd != FUTEX_WAIT_REQUEUE_PI)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		return wait_restartable(t, addr, is_private, val, UINT32_MAX, deadline);
	case FUTEX_WAIT_BITSET:
		return wait_restartable(t, addr, is_private, val, val3, deadline);
	case FUTEX_WAKE:
		return futex_wake(addr, is_private, (int)val, UINT32_MAX);
	case FUTEX_WAKE_BITSET:
		return val3 ? futex_wake(addr, is_private, (int)val, val3) : -EINVAL;
	case FUTEX_REQUEUE:
		return futex_requeue(&one, &two, (int)val, val2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(&one, &two, (int)val, val2, &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, addr2, is_private, (int)val, val2, val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(addr, is_private, deadline);
	case FUTEX_TRYLOCK_PI:
		return futex_trylock_pi(addr, is_private);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr, is_private);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(&one, &two, deadline);
	case FUTEX_CMP_REQUEUE_PI:
		one.value = val3;
		return futex_requeue_pi(&one, &two, (int)val, val2);
	default:
		return -ENOSYS;
	}
}

long sys_set_robust_list(struct task *t, uaddr_t head, size_t size)
{
	if (size != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	t->robust_list = head;
	t->robust_list_len = size;
	return 0;
}

/* Only of tasks of the same user. */
static bool may_look(struct task *other)
{
	const struct creds *self = current_creds();
	struct creds *c = task_creds(other);
	bool ok = c && self->uid == c->uid && self->uid == c->euid &&
		  self->uid == c->suid && self->user_ns == c->user_ns;

	if (!ok)
		ok = ns_capable(c ? c->user_ns : &first_user_ns, CAP_SYS_PTRACE);
	creds_put(c);
	return ok;
}

long sys_get_robust_list(struct task *t, pid_t pid, uaddr_t head, uaddr_t size)
{
	struct task *other = pid ? task_lookup(pid) : t;
	uaddr_t list;

	if (!other)
		return -ESRCH;
	list = other->robust_list;
	if (pid) {
		bool ok = may_look(other);

		task_put(other);
		if (!ok)
			return -EPERM;
	}
	if (put_user_u64(size, sizeof(struct linux_robust_list_head)) ||
	    put_user_u64(head, list))
		return -EFAULT;
	return 0;
}
