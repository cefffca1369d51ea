/* SPDX-License-Identifier: MIT */
/* kernel_pages.c - pages of the kernel's own that a guest maps.
 *
 * They lie in the kernel segment, whose memfd the host maps once more where the guest
 * wants them. Each area that shows them holds a reference, so that they are not put to
 * other use before the last one has gone. */
#include "mm/kernel_pages.h"

#include "abi/errno.h"
#include "base/page.h"
#include "base/ref.h"
#include "base/slab.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"

struct kernel_pages {
	struct vm_object object;
	struct vm_object_ops ops;
	struct ref refs;
	void *data;
	size_t size;
	const struct kernel_pages_kind *kind;
	uint32_t charge;
	uint64_t ino;
};

static SLAB_CACHE(kernel_pages_slab, "kernel_pages", sizeof(struct kernel_pages), 8);
static uint64_t last_ino;
static int segment_fd = -1;
static uintptr_t segment_base;

void kernel_pages_init(int fd, uintptr_t base)
{
	segment_fd = fd;
	segment_base = base;
}

static struct kernel_pages *of(struct vm_object *o)
{
	return container_of(o, struct kernel_pages, object);
}

static void get(struct vm_object *o)
{
	ref_get(&of(o)->refs);
}

static void put(struct vm_object *o)
{
	kernel_pages_put(of(o));
}

void kernel_pages_put(struct kernel_pages *p)
{
	if (!p || !ref_put(&p->refs))
		return;
	page_free(p->data, page_order_for(p->size));
	p->kind->gone(p->charge);
	slab_free(&kernel_pages_slab, p);
}

/* Nothing beyond the end, where other data of the kernel's are. */
static int host_backing(struct vm_object *o, uint64_t off, size_t size, bool shared,
			bool exec, int *fd, int64_t *host_off)
{
	const struct kernel_pages *p = of(o);

	if (exec || !shared)
		return -EACCES;
	if (off > p->size || size > p->size - off)
		return -EINVAL;
	*fd = segment_fd;
	*host_off = (int64_t)((uintptr_t)p->data - segment_base + off);
	return 0;
}

static void describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
		     uint64_t *ino)
{
	strlcpy(buf, of(o)->kind->name, size);
	*dev = 1;
	*ino = of(o)->ino;
}

struct kernel_pages *
kernel_pages_create(size_t size, const struct kernel_pages_kind *kind, uint32_t charge)
{
	struct kernel_pages *p = slab_alloc(&kernel_pages_slab);

	if (!p)
		return NULL;
	p->data = page_alloc_zeroed(page_order_for(size));
	if (!p->data) {
		slab_free(&kernel_pages_slab, p);
		return NULL;
	}
	ref_init(&p->refs);
	p->size = size;
	p->kind = kind;
	p->charge = charge;
	p->ino = atomic_add(&last_ino, 1) + 1;
	p->ops = (struct vm_object_ops){
		.get = get,
		.put = put,
		.host_backing = host_backing,
		.describe = describe,
		.moved = kind->moved,
	};
	p->object = (struct vm_object){.ops = &p->ops};
	return p;
}

void *kernel_pages_data(const struct kernel_pages *p)
{
	return p->data;
}

struct vm_object *kernel_pages_object(struct kernel_pages *p)
{
	return &p->object;
}
