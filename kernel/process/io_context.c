/* SPDX-License-Identifier: MIT */
/* io_context.c - see io_context.h. */
#include "process/io_context.h"

#include "abi/errno.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "process/task.h"

static SLAB_CACHE(context_cache, "io_context", sizeof(struct io_context), 8);

static struct io_context *create(uint32_t ioprio)
{
	struct io_context *c = slab_alloc(&context_cache);

	if (!c)
		return NULL;
	ref_init(&c->refs);
	c->ioprio = ioprio;
	return c;
}

void io_context_put(struct io_context *c)
{
	if (c && ref_put(&c->refs))
		slab_free(&context_cache, c);
}

uint32_t io_context_ioprio(const struct task *t)
{
	return t->io_context ? atomic_load_relaxed(&t->io_context->ioprio) : 0;
}

int io_context_set(struct task *t, uint32_t ioprio)
{
	if (t->io_context) {
		atomic_store_relaxed(&t->io_context->ioprio, ioprio);
		return 0;
	}
	t->io_context = create(ioprio);
	return t->io_context ? 0 : -ENOMEM;
}

void io_context_fork(struct task *child, const struct task *parent, bool is_shared)
{
	struct lock *lock = &parent->process->lock;

	lock_take(lock); /* another may give the parent its first */
	if (is_shared && parent->io_context) {
		child->io_context = parent->io_context;
		ref_get(&child->io_context->refs);
	} else if (io_context_ioprio(parent)) {
		child->io_context = create(io_context_ioprio(parent));
	}
	lock_drop(lock);
}
