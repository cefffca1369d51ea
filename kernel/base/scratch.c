/* SPDX-License-Identifier: MIT */
/* scratch.c - see scratch.h. */
#include "base/scratch.h"

#include "base/page.h"
#include "base/slab.h"

#define SCRATCH_KMALLOC UINT32_MAX

static void give_back(struct scratch *s)
{
	if (s->order == SCRATCH_KMALLOC)
		kfree(s->data);
	else
		page_free(s->data, s->order);
}

static void scratch_abandon(struct claim *c)
{
	give_back(container_of(c, struct scratch, claim));
}

static void *begin(struct scratch *s, void *data, uint32_t order)
{
	s->data = data;
	s->order = order;
	if (data)
		claim_begin(&s->claim, scratch_abandon);
	return data;
}

void *scratch_alloc(struct scratch *s, size_t size)
{
	return begin(s, kmalloc_zeroed(size), SCRATCH_KMALLOC);
}

void *scratch_pages(struct scratch *s, uint32_t order)
{
	return begin(s, page_alloc(order), order);
}

void scratch_free(struct scratch *s)
{
	claim_end(&s->claim);
	give_back(s);
}
