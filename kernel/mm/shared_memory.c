/* SPDX-License-Identifier: MIT */
/* shared_memory.c - MAP_SHARED|MAP_ANONYMOUS: a host memfd, shared by all that inherit
 * the mapping. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "base/ref.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/tree.h"
#include "mm/commit.h"
#include "mm/mm.h"
#include "mm/policy.h"

/* Of /dev/zero any offset may be mapped, of the host's memfd not so: there is nothing
 * from here on either. */
#define OFFSET_MAX (1UL << 62)

struct shared_memory {
	struct vm_object object;
	struct ref refs;
	int fd;	       /* host memfd */
	uint64_t size; /* grows when mremap maps more of it */
	uint64_t ino;
	size_t promised;	  /* pages: mm/commit.h */
	struct policies policies; /* mm/policy.h */
};

static SLAB_CACHE(shared_memory_cache, "shared_memory", sizeof(struct shared_memory), 8);
static uint64_t next_ino;

static struct shared_memory *of(struct vm_object *o)
{
	return container_of(o, struct shared_memory, object);
}

static void get(struct vm_object *o)
{
	ref_get(&of(o)->refs);
}

static void put(struct vm_object *o)
{
	struct shared_memory *m = of(o);

	if (!ref_put(&m->refs))
		return;
	(void)host_close(m->fd);
	policies_fini(&m->policies);
	commit_release(m->promised);
	slab_free(&shared_memory_cache, m);
}

static int host_backing(struct vm_object *o, uint64_t off, size_t size, bool shared,
			bool exec, int *fd, int64_t *host_off)
{
	(void)size;
	(void)shared;
	(void)exec;
	*fd = of(o)->fd;
	*host_off = (int64_t)MIN(off, OFFSET_MAX);
	return 0;
}

static void describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
		     uint64_t *ino)
{
	strlcpy(buf, "/dev/zero (deleted)", size);
	*dev = 1;
	*ino = of(o)->ino;
}

static bool is_memory(struct vm_object *o)
{
	(void)o;
	return true;
}

static struct policies *policies(struct vm_object *o)
{
	return &of(o)->policies;
}

static const struct vm_object_ops shared_memory_ops = {
	.get = get,
	.put = put,
	.host_backing = host_backing,
	.describe = describe,
	.is_anonymous = true,
	.is_memory = is_memory,
	.policies = policies,
};

struct vm_object *shared_memory_create(size_t size, bool is_promised)
{
	struct shared_memory *m;

	if (is_promised && commit_reserve(NULL, size >> PAGE_SHIFT))
		return NULL;
	m = slab_alloc(&shared_memory_cache);
	if (!m) {
		commit_release(is_promised ? size >> PAGE_SHIFT : 0);
		return NULL;
	}
	m->promised = is_promised ? size >> PAGE_SHIFT : 0;
	m->object = (struct vm_object){.ops = &shared_memory_ops};
	m->policies = (struct policies){0};
	ref_init(&m->refs);
	m->size = size;
	m->ino = atomic_add(&next_ino, 1) + 1;
	m->fd = host_memfd_create("shared", MFD_CLOEXEC);
	if (m->fd >= 0 && host_ftruncate(m->fd, (int64_t)size) == 0)
		return &m->object;
	if (m->fd >= 0)
		(void)host_close(m->fd);
	commit_release(m->promised);
	slab_free(&shared_memory_cache, m);
	return NULL;
}
