/* SPDX-License-Identifier: MIT */
/* remote.c - jobs for a host thread of another address space. See remote.h.
 *
 * The jobs run in a signal handler: they only copy, and ask the host. */
#include "process/remote.h"

#include "abi/errno.h"
#include "base/claim.h"
#include "base/cpu_call.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/job.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/task.h"
#include "time/clock.h"

enum {
	COPY_MAX = 16 << 10,   /* at once */
	VEC_PAGES = 4 << 10,   /* asked of the host at once */
	RANGE_PAGES = 1 << 20, /* of one job: longer ranges are cut */
};
#define PATIENCE NSEC_PER_SEC

struct job {
	struct cpu_call call; /* first */
	struct mm *mm;	      /* NULL: any */
	struct task *task;    /* if not NULL: this one */
	bool is_done;	      /* it was the right address space */
	/* copies */
	uaddr_t addr;
	size_t size, missing;
	bool is_write;
	/* residency */
	struct remote_range *ranges;
	size_t count;
	uint8_t *vec;
	bool keep_vec;
	struct linux_rusage usage; /* of the host process, or of the thread */
	char data[];
};

/* Who asks, and may be killed by an outside hand while it waits. */
struct asker {
	struct claim claim;
	struct job *job;
	struct task *task; /* ref; the one that is asked, or NULL */
	struct cpu *cpu;   /* which may have the job, or NULL */
};

static void asker_abandon(struct claim *claim)
{
	struct asker *a = container_of(claim, struct asker, claim);

	if (!a->cpu || cpu_call_recall(a->cpu, &a->job->call))
		kfree(a->job);
	task_put(a->task);
}

/* A job, with size bytes behind it. */
static struct job *job_begin(struct asker *a, size_t size, struct job what)
{
	struct job *j = kmalloc(sizeof(*j) + size);

	if (!j)
		return NULL;
	*j = what;
	*a = (struct asker){.job = j};
	claim_begin(&a->claim, asker_abandon);
	return j;
}

/* -ETIMEDOUT: the job is lost, its thread died over it. */
static void job_end(struct asker *a, int err)
{
	claim_end(&a->claim);
	if (err != -ETIMEDOUT)
		kfree(a->job);
}

static bool job_fits(struct job *j, struct task *t)
{
	j->is_done = t && (!j->mm || t->mm == j->mm) && (!j->task || t == j->task);
	return j->is_done;
}

static struct task *find_in_process(struct process *p, const struct mm *mm)
{
	struct task *found = NULL;
	struct list *pos;

	lock_take(&p->lock);
	list_for_each (pos, &p->tasks) {
		struct task *t = list_entry(pos, struct task, thread_link);

		if (t->mm != mm || !atomic_load(&t->cpu))
			continue;
		task_get(t);
		found = t;
		break;
	}
	lock_drop(&p->lock);
	return found;
}

struct task *remote_find_task(struct task *first, const struct mm *mm)
{
	struct task *found = NULL;

	if (first->mm == mm && atomic_load(&first->cpu)) {
		task_get(first);
		return first;
	}
	lock_take(&process_tree_lock);
	for (struct process *p = process_next(1); p && !found;
	     p = process_next(p->pid + 1))
		found = find_in_process(p, mm);
	lock_drop(&process_tree_lock);
	return found;
}

static int run_on(struct asker *a, struct task *t, nsec_t deadline)
{
	struct job *j = a->job;
	struct cpu *c = atomic_load(&t->cpu);
	int err;

	if (!c)
		return -ESRCH;
	atomic_store(&a->cpu, c);
	err = cpu_call_on(c, &t->cpu, &j->call, deadline);
	if (err != -ETIMEDOUT)
		atomic_store(&a->cpu, NULL);
	return err || j->is_done ? err : -ESRCH;
}

/* Has the job done by a task of its mm, t if that is one. */
static int job_run(struct asker *a, struct task *t)
{
	struct job *j = a->job;
	nsec_t deadline = clock_now(CLOCK_MONOTONIC) + PATIENCE;
	int err;

	if (j->mm == current()->mm) {
		j->call.func(&j->call, current());
		return 0;
	}
	do {
		struct task *found = remote_find_task(t, j->mm);

		atomic_store(&a->task, found);
		err = found ? run_on(a, found, deadline) : -ESRCH;
		atomic_store(&a->task, NULL);
		task_put(found);
		if (!found)
			break;
	} while (err == -ESRCH && clock_now(CLOCK_MONOTONIC) < deadline);
	return err;
}

static int public_error(int err)
{
	return err == -ETIMEDOUT ? -ESRCH : err;
}

/* ---- copies ---- */

static void copy_func(struct cpu_call *call, struct task *task)
{
	struct job *j = container_of(call, struct job, call);

	if (!job_fits(j, task))
		return;
	j->missing = j->is_write ? copy_to_user_partial(j->addr, j->data, j->size)
				 : copy_from_user_partial(j->data, j->addr, j->size);
}

static ssize_t copy_piece(struct task *t, struct mm *mm, uaddr_t addr, void *buf,
			  size_t size, bool is_write)
{
	struct asker a;
	struct job *j = job_begin(&a, size,
				  (struct job){.call = {.func = copy_func},
					       .mm = mm,
					       .addr = addr,
					       .size = size,
					       .is_write = is_write});
	ssize_t ret;
	int err;

	if (!j)
		return -ENOMEM;
	if (is_write)
		memcpy(j->data, buf, size);
	err = job_run(&a, t);
	ret = err ? public_error(err) : (ssize_t)(size - j->missing);
	if (ret > 0 && !is_write)
		memcpy(buf, j->data, (size_t)ret);
	job_end(&a, err);
	return ret;
}

static ssize_t copy(struct task *t, struct mm *mm, uaddr_t addr, void *buf, size_t size,
		    bool is_write)
{
	size_t done = 0;

	while (done < size) {
		size_t want = MIN(size - done, (size_t)COPY_MAX);
		ssize_t got = copy_piece(t, mm, addr + done, (char *)buf + done, want,
					 is_write);

		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
		if ((size_t)got < want)
			break;
	}
	return (ssize_t)done;
}

ssize_t remote_read(struct task *t, struct mm *mm, uaddr_t addr, void *buf, size_t size)
{
	return copy(t, mm, addr, buf, size, false);
}

ssize_t remote_write(struct task *t, struct mm *mm, uaddr_t addr, const void *buf,
		     size_t size)
{
	return copy(t, mm, addr, (void *)(uintptr_t)buf, size, true);
}

/* ---- jobs of mm/: nothing of them is claimed, their callers hold mm->lock ---- */

static void mm_job_func(struct cpu_call *call, struct task *task)
{
	struct mm_job *j = container_of(call, struct mm_job, call);

	j->is_done = task && task->mm == j->mm;
	if (j->is_done)
		j->result = j->func(j);
}

int mm_job_run(struct mm_job *j)
{
	nsec_t deadline;
	int err;

	if (j->mm == current()->mm)
		return j->func(j);
	deadline = clock_now(CLOCK_MONOTONIC) + PATIENCE;
	j->call.func = mm_job_func;
	do {
		struct task *t = remote_find_task(current(), j->mm);
		struct cpu *c = t ? atomic_load(&t->cpu) : NULL;

		j->is_done = false;
		err = c ? cpu_call_on(c, &t->cpu, &j->call, deadline) : -ESRCH;
		task_put(t);
		if (!err && j->is_done)
			return j->result;
		if (!err)
			err = -ESRCH;
		if (!t)
			break;
	} while (err == -ESRCH && clock_now(CLOCK_MONOTONIC) < deadline);
	return err;
}

/* ---- residency ---- */

static size_t pages_of(const struct remote_range *r)
{
	return (r->end - r->start) >> PAGE_SHIFT;
}

/* A page whose area is gone by now is not resident. */
static void range_ask(struct job *j, struct remote_range *r, uint8_t *vec)
{
	size_t pages = pages_of(r);

	r->resident = 0;
	for (size_t at = 0; at < pages; at += VEC_PAGES) {
		size_t step = MIN(pages - at, (size_t)VEC_PAGES);
		uint8_t *out = j->keep_vec ? vec + at : vec;

		if (host_mincore(r->start + (at << PAGE_SHIFT), step << PAGE_SHIFT, out))
			memset(out, 0, step);
		for (size_t i = 0; i < step; i++)
			r->resident += out[i] & 1;
	}
}

static void residency_func(struct cpu_call *call, struct task *task)
{
	struct job *j = container_of(call, struct job, call);
	uint8_t *vec = j->vec;

	if (!job_fits(j, task))
		return;
	for (size_t i = 0; i < j->count; i++) {
		range_ask(j, &j->ranges[i], vec);
		if (j->keep_vec)
			vec += pages_of(&j->ranges[i]);
	}
	(void)host_getrusage(RUSAGE_SELF, &j->usage);
}

int remote_residency(struct task *t, struct mm *mm, struct remote_range *ranges,
		     size_t count, uint8_t *vec, struct linux_rusage *usage)
{
	size_t list_size = count * sizeof(*ranges);
	size_t budget = RANGE_PAGES;
	size_t pages = 0;
	struct asker a;
	struct job *j;
	int err;

	for (size_t i = 0; i < count; i++) {
		if (pages_of(&ranges[i]) > budget && !vec)
			ranges[i].end = ranges[i].start + (budget << PAGE_SHIFT);
		budget -= MIN(budget, pages_of(&ranges[i]));
		pages += pages_of(&ranges[i]);
	}
	j = job_begin(&a, list_size + (vec ? pages : VEC_PAGES),
		      (struct job){.call = {.func = residency_func},
				   .mm = mm,
				   .count = count,
				   .keep_vec = vec != NULL});
	if (!j)
		return -ENOMEM;
	j->ranges = (struct remote_range *)(void *)j->data;
	j->vec = (uint8_t *)j->data + list_size;
	memcpy(j->ranges, ranges, list_size);
	err = job_run(&a, t);
	if (!err)
		memcpy(ranges, j->ranges, list_size);
	if (!err && vec)
		memcpy(vec, j->vec, pages);
	if (!err && usage)
		*usage = j->usage;
	job_end(&a, err);
	return public_error(err);
}

/* ---- usage ---- */

static void usage_func(struct cpu_call *call, struct task *task)
{
	struct job *j = container_of(call, struct job, call);

	if (job_fits(j, task) && host_getrusage(RUSAGE_THREAD, &j->usage))
		j->is_done = false;
}

int remote_thread_usage(struct task *t, struct linux_rusage *out)
{
	struct asker a;
	struct job *j =
		job_begin(&a, 0, (struct job){.call = {.func = usage_func}, .task = t});
	int err = 0;

	if (!j)
		return -ENOMEM;
	if (t == current())
		j->call.func(&j->call, t);
	else
		err = run_on(&a, t, clock_now(CLOCK_MONOTONIC) + PATIENCE);
	if (!err && !j->is_done)
		err = -ESRCH;
	if (!err)
		*out = j->usage;
	job_end(&a, err);
	return public_error(err);
}
