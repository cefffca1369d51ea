/* SPDX-License-Identifier: MIT */
/* cpu_clock.c - CPU time. A guest process is a host process (thread), so the host has
 * counted; what a process used before it moved to another host process is added. */
#include "process/cpu_clock.h"

#include "abi/errno.h"
#include "host/host.h"
#include "process/task.h"

bool clock_id_is_fd(int clock_id)
{
	return clock_id < 0 &&
	       (clock_id & (CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_CLOCK_MASK)) == CLOCKFD;
}

bool cpu_clock_parse(int clock_id, struct cpu_clock *out)
{
	if (clock_id == CLOCK_PROCESS_CPUTIME_ID || clock_id == CLOCK_THREAD_CPUTIME_ID) {
		*out = (struct cpu_clock){clock_id == CLOCK_THREAD_CPUTIME_ID, 0,
					  CPUCLOCK_SCHED};
		return true;
	}
	if (clock_id >= 0 || (clock_id & CPUCLOCK_CLOCK_MASK) == CLOCKFD)
		return false;
	out->is_thread = clock_id & CPUCLOCK_PERTHREAD_MASK;
	out->id = ~clock_id >> 3; /* not negative */
	out->kind = clock_id & CPUCLOCK_CLOCK_MASK;
	return true;
}

int cpu_clock_id(const struct cpu_clock *c)
{
	unsigned int id = ~(unsigned int)c->id << 3 | (unsigned int)c->kind;

	return (int)(c->is_thread ? id | CPUCLOCK_PERTHREAD_MASK : id);
}

static nsec_t host_cpu_time(int host_id, int kind, bool is_thread)
{
	unsigned int id = ~(unsigned int)host_id << 3 | (unsigned int)kind;

	return host_clock((int)(is_thread ? id | CPUCLOCK_PERTHREAD_MASK : id));
}

/* The host process that p's tasks run in; 0: none just now. */
static int host_process_of(const struct process *p)
{
	const struct list *pos;

	for (pos = p->tasks.next; pos != &p->tasks; pos = pos->next) {
		const struct cpu *c = list_entry(pos, struct task, thread_link)->cpu;

		if (c && c->host_pid)
			return c->host_pid;
	}
	return 0;
}

nsec_t cpu_time_of_process(const struct process *p, int kind)
{
	nsec_t base = p->user_time + (kind == CPUCLOCK_VIRT ? 0 : p->system_time);
	int host_pid = host_process_of(p);

	return host_pid ? base + host_cpu_time(host_pid, kind, false) : base;
}

nsec_t cpu_time_of_task(const struct task *t, int kind)
{
	const struct cpu *c = t->cpu;
	nsec_t before = kind == CPUCLOCK_VIRT ? t->past_user : t->cpu_time_base;

	return c && c->host_tid ? before + host_cpu_time(c->host_tid, kind, true)
				: before;
}

/* process_tree_lock held */
static int read_other(const struct cpu_clock *c, nsec_t *out)
{
	struct task *t = task_find(c->id);

	if (!t ||
	    (c->is_thread ? t->process != current()->process : t->process->pid != c->id))
		return -EINVAL;
	lock_take(&t->process->lock);
	*out = c->is_thread ? cpu_time_of_task(t, c->kind)
			    : cpu_time_of_process(t->process, c->kind);
	lock_drop(&t->process->lock);
	return 0;
}

int cpu_clock_read(const struct cpu_clock *c, nsec_t *out)
{
	const struct task *self = current();
	const struct process *p = self->process;
	int err;

	if (!c->id) {
		*out = host_cpu_time(0, c->kind, c->is_thread);
		if (c->is_thread)
			*out += self->cpu_time_base;
		else
			*out += p->user_time +
				(c->kind == CPUCLOCK_VIRT ? 0 : p->system_time);
		return 0;
	}
	lock_take(&process_tree_lock);
	err = read_other(c, out);
	lock_drop(&process_tree_lock);
	return err;
}
