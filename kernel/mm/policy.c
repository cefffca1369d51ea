/* SPDX-License-Identifier: MIT */
/* policy.c - see policy.h. */
#include "mm/policy.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "base/slab.h"
#include "lib/tree.h"
#include "mm/vma.h"

/* ---- of shared memory ---- */

struct page_policy {
	struct tree_node node;
	uint64_t first, end; /* pages of the object */
	uint32_t policy;     /* not the default */
};

static SLAB_CACHE(page_policy_cache, "shared_policy_node", sizeof(struct page_policy), 8);
static struct lock policies_lock = LOCK_INIT(RANK_POLICY);

static struct page_policy *entry(struct tree_node *n)
{
	return n ? tree_entry(n, struct page_policy, node) : NULL;
}

static int order(const struct tree_node *a, const struct tree_node *b)
{
	uint64_t x = tree_entry(a, struct page_policy, node)->first;
	uint64_t y = tree_entry(b, struct page_policy, node)->first;

	return x < y ? -1 : x > y;
}

static int compare_end(const void *key, const struct tree_node *n)
{
	const struct page_policy *p = tree_entry(n, struct page_policy, node);
	uint64_t page = *(const uint64_t *)key;

	if (page >= p->end)
		return 1;
	return page < p->first ? -1 : 0;
}

static void remove(struct tree *t, struct page_policy *p)
{
	tree_remove(t, &p->node);
	slab_free(&page_policy_cache, p);
}

void policies_fini(struct tree *t)
{
	while (t->root)
		remove(t, entry(t->root));
}

static void insert(struct tree *t, struct page_policy *p, uint64_t first, uint64_t end,
		   uint32_t policy)
{
	*p = (struct page_policy){.first = first, .end = end, .policy = policy};
	(void)!tree_insert(t, &p->node, order);
}

/* Nothing is said of [first, end) then. True: spare holds what is beyond a hole. */
static bool clear(struct tree *t, uint64_t first, uint64_t end, struct page_policy *spare)
{
	struct page_policy *p = entry(tree_lower_bound(t, &first, compare_end));

	while (p && p->first < end) {
		struct page_policy *next = entry(tree_next(&p->node));
		uint64_t old_end = p->end;

		if (p->first < first) {
			p->end = first;
			if (old_end > end) {
				insert(t, spare, end, old_end, p->policy);
				return true;
			}
		} else if (old_end > end) {
			p->first = end; /* keeps its place in the order */
		} else {
			remove(t, p);
		}
		p = next;
	}
	return false;
}

static int policies_set(struct tree *t, uint64_t first, uint64_t end, uint32_t policy)
{
	struct page_policy *spare = slab_alloc(&page_policy_cache);
	struct page_policy *p = slab_alloc(&page_policy_cache);
	int err = spare && p ? 0 : -ENOMEM;

	if (!err) {
		lock_take(&policies_lock);
		if (clear(t, first, end, spare))
			spare = NULL;
		if (policy != MPOL_DEFAULT) {
			insert(t, p, first, end, policy);
			p = NULL;
		}
		lock_drop(&policies_lock);
	}
	slab_free(&page_policy_cache, spare);
	slab_free(&page_policy_cache, p);
	return err;
}

static uint32_t policies_get(struct tree *t, uint64_t page)
{
	struct page_policy *p;
	uint32_t policy = MPOL_DEFAULT;

	lock_take(&policies_lock);
	p = entry(tree_lower_bound(t, &page, compare_end));
	if (p && p->first <= page)
		policy = p->policy;
	lock_drop(&policies_lock);
	return policy;
}

static struct tree *policies_of(const struct vma *v)
{
	return v->object && v->object->ops->policies ? v->object->ops->policies(v->object)
						     : NULL;
}

/* ---- of areas ---- */

/* Of a whole area, and of the shared memory that it shows. */
static int set_policy(struct vma *v, uint32_t policy)
{
	struct tree *shared = policies_of(v);
	uint64_t first = v->off >> PAGE_SHIFT;
	int err = 0;

	if (shared)
		err = policies_set(shared, first,
				   first + ((v->end - v->start) >> PAGE_SHIFT), policy);
	if (!err)
		v->policy = policy;
	return err;
}

int mm_set_policy(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t policy)
{
	struct vma_spares spares;
	int err = vma_spares_take(&spares);

	if (err)
		return err;
	lock_take(&mm->lock);
	/* Going back to the default passes over holes. */
	if (policy == MPOL_DEFAULT ? vma_range_free(mm, start, end)
				   : !vma_range_covered(mm, start, end)) {
		err = -EFAULT;
	} else {
		vma_split(mm, start, &spares);
		vma_split(mm, end, &spares);
		for (struct vma *v = vma_find(mm, start); !err && v && v->start < end;
		     v = vma_next(v)) {
			err = set_policy(v, policy);
			v = vma_merge(mm, v);
		}
	}
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	return err;
}

int mm_get_policy(struct mm *mm, uaddr_t addr, uint32_t *out, uint32_t *prot)
{
	struct vma *v;
	int err = -EFAULT;

	lock_take(&mm->lock);
	v = vma_at(mm, addr);
	if (v && !(v->flags & VMA_HIDDEN)) {
		struct tree *shared = policies_of(v);

		*out = shared ? policies_get(shared,
					     (v->off + (addr - v->start)) >> PAGE_SHIFT)
			      : v->policy;
		*prot = v->prot;
		err = 0;
	}
	lock_drop(&mm->lock);
	return err;
}

int mm_check_home(struct mm *mm, uaddr_t start, uaddr_t end)
{
	int err = -ENOENT;

	lock_take(&mm->lock);
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(v)) {
		uint32_t mode = v->policy & POLICY_MODE;

		if (!v->policy)
			continue;
		err = mode == MPOL_BIND || mode == MPOL_PREFERRED_MANY ? 0 : -EOPNOTSUPP;
		if (err)
			break;
	}
	lock_drop(&mm->lock);
	return err;
}
