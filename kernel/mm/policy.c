/* SPDX-License-Identifier: MIT */
/* policy.c - see policy.h. */
#include "mm/policy.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "base/slab.h"
#include "mm/vma.h"

/* ---- of shared memory ---- */

enum {
	POLICIES_MAX = 65536, /* of one object: they are kernel memory */
	CLEAR_BATCH = 1024,   /* entries at a time: all objects share one lock */
};

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

static void remove(struct policies *of, struct page_policy *p)
{
	tree_remove(&of->tree, &p->node);
	of->count--;
	slab_free(&page_policy_cache, p);
}

void policies_fini(struct policies *of)
{
	while (of->tree.root)
		remove(of, entry(of->tree.root));
}

static void insert(struct policies *of, struct page_policy *p, uint64_t first,
		   uint64_t end, uint32_t policy)
{
	*p = (struct page_policy){.first = first, .end = end, .policy = policy};
	(void)!tree_insert(&of->tree, &p->node, order);
	of->count++;
}

/* Nothing is said of [first, end) then. spare becomes what is beyond a hole. False: some
 * of it is left to do. */
static bool clear(struct policies *of, uint64_t first, uint64_t end,
		  struct page_policy **spare)
{
	struct page_policy *p = entry(tree_lower_bound(&of->tree, &first, compare_end));

	for (int i = 0; p && p->first < end; i++) {
		struct page_policy *next = entry(tree_next(&p->node));
		uint64_t old_end = p->end;

		if (i == CLEAR_BATCH)
			return false;
		if (p->first < first) {
			p->end = first;
			if (old_end > end) {
				insert(of, *spare, end, old_end, p->policy);
				*spare = NULL;
				return true;
			}
		} else if (old_end > end) {
			p->first = end; /* keeps its place in the order */
		} else {
			remove(of, p);
		}
		p = next;
	}
	return true;
}

static struct page_policy *with(struct policies *of, uint64_t page, uint32_t policy)
{
	struct page_policy *p = entry(tree_find(&of->tree, &page, compare_end));

	return p && p->policy == policy ? p : NULL;
}

/* [first, end), of which nothing is said, and neighbours that are alike become one. */
static void add(struct policies *of, uint64_t first, uint64_t end, uint32_t policy,
		struct page_policy **spare)
{
	struct page_policy *before = first ? with(of, first - 1, policy) : NULL;
	struct page_policy *after = with(of, end, policy);

	if (before && after) {
		before->end = after->end;
		remove(of, after);
	} else if (before) {
		before->end = end;
	} else if (after) {
		after->first = first;
	} else {
		insert(of, *spare, first, end, policy);
		*spare = NULL;
	}
}

/* policies_lock is held. -EAGAIN: not all is done yet. */
static int set_some(struct policies *of, uint64_t first, uint64_t end, uint32_t policy,
		    struct page_policy *spare[2])
{
	struct page_policy *p = entry(tree_lower_bound(&of->tree, &first, compare_end));
	bool splits = p && p->first < first && p->end > end;
	size_t more = (splits ? 1U : 0U) + (policy != MPOL_DEFAULT ? 1U : 0U);

	if (p && p->first <= first && p->end >= end && p->policy == policy)
		return 0;
	if (more && of->count + more > POLICIES_MAX)
		return -ENOMEM;
	if (!clear(of, first, end, &spare[0]))
		return -EAGAIN;
	if (policy != MPOL_DEFAULT)
		add(of, first, end, policy, &spare[1]);
	return 0;
}

static int policies_set(struct policies *of, uint64_t first, uint64_t end,
			uint32_t policy)
{
	struct page_policy *spare[2] = {slab_alloc(&page_policy_cache),
					slab_alloc(&page_policy_cache)};
	int err = spare[0] && spare[1] ? -EAGAIN : -ENOMEM;

	while (err == -EAGAIN) {
		lock_take(&policies_lock);
		err = set_some(of, first, end, policy, spare);
		lock_drop(&policies_lock);
	}
	slab_free(&page_policy_cache, spare[0]);
	slab_free(&page_policy_cache, spare[1]);
	return err;
}

static uint32_t policies_get(struct policies *of, uint64_t page)
{
	struct page_policy *p;
	uint32_t policy = MPOL_DEFAULT;

	lock_take(&policies_lock);
	p = entry(tree_find(&of->tree, &page, compare_end));
	if (p)
		policy = p->policy;
	lock_drop(&policies_lock);
	return policy;
}

static struct policies *policies_of(const struct vma *v)
{
	return v->object && v->object->ops->policies ? v->object->ops->policies(v->object)
						     : NULL;
}

/* ---- of areas ---- */

/* Of a whole area, and of the shared memory that it shows. */
static int set_policy(struct vma *v, uint32_t policy)
{
	struct policies *shared = policies_of(v);
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

static uint32_t policy_at(const struct vma *v, uaddr_t addr)
{
	struct policies *shared = policies_of(v);

	return shared ? policies_get(shared, (v->off + (addr - v->start)) >> PAGE_SHIFT)
		      : v->policy;
}

uint32_t vma_policy(const struct vma *v)
{
	return policy_at(v, v->start);
}

int mm_get_policy(struct mm *mm, uaddr_t addr, uint32_t *out, uint32_t *prot)
{
	struct vma *v;
	int err = -EFAULT;

	lock_take(&mm->lock);
	v = vma_at(mm, addr);
	if (v && !(v->flags & VMA_HIDDEN)) {
		*out = policy_at(v, addr);
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
