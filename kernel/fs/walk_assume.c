/* SPDX-License-Identifier: MIT */
/* walk_assume.c - walking through directories that somebody else changes too: those of a
 * file system with SB_DEEP_REVALIDATE.
 *
 * To ask it for each name on the way would cost a host call for each. So a walk goes
 * through cached directories without asking, assuming that they are where they were, and
 * asks once: for the place it has come to, by the whole path from the last place it was
 * sure of. If that leads elsewhere, none of these directories is assumed any more and the
 * walk is made again (-ESTALE), asking for each.
 *
 * So names are always what they are outside. What a directory allows is not looked at
 * on the way, and is asked for again after ASSUME_NSEC: for so long a change of its mode
 * or owner from outside may not be seen. Whatever refuses a walk is asked again first. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/dentry.h"
#include "fs/internal.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"

#define ASSUME_NSEC NSEC_PER_SEC

enum { ASSUMED_MAX = 200, DEPTH_MAX = 4096 };

static void be_sure(struct walk *w)
{
	dentry_put(w->sure);
	w->sure = NULL;
}

int walk_doubt(struct walk *w)
{
	struct dentry *d = w->path.dentry;

	if (!w->sure)
		return 0;
	dentry_get(d);
	for (int i = 0; d != w->sure && i < DEPTH_MAX; i++) {
		struct dentry *parent = dentry_parent_get(d);

		atomic_store_relaxed(&d->inode->asked_at, 0);
		dentry_put(d);
		d = parent;
	}
	dentry_put(d);
	be_sure(w);
	return -ESTALE;
}

/* Does what has been assumed, up to end, lead to d? */
static int ask(struct walk *w, struct dentry *d, const char *end)
{
	char path[ASSUMED_MAX + NAME_MAX + 2];
	size_t len = (size_t)(end - w->assumed);
	struct inode *from = w->sure->inode;

	if (w->flags & LOOKUP_CACHED)
		return -EAGAIN;
	if (len >= sizeof(path)) /* of slashes */
		return walk_doubt(w);
	memcpy(path, w->assumed, len);
	path[len] = '\0';
	if (!from->ops->revalidate(from, path, d))
		return walk_doubt(w);
	be_sure(w);
	return 0;
}

int walk_make_sure(struct walk *w)
{
	return likely(!w->sure) ? 0 : ask(w, w->path.dentry, w->assumed_end);
}

static bool may_assume(struct walk *w, const struct dentry *d)
{
	const char *start = w->sure ? w->assumed : w->name;

	if (dentry_is_negative(d) || !S_ISDIR(d->inode->mode) ||
	    atomic_load_relaxed(&d->mounts) || w->name + w->len - start > ASSUMED_MAX)
		return false;
	if (!w->now)
		w->now = host_clock(CLOCK_MONOTONIC_COARSE);
	return w->now - atomic_load_relaxed(&d->inode->asked_at) < ASSUME_NSEC;
}

static void assume(struct walk *w)
{
	if (!w->sure) {
		w->sure = w->path.dentry;
		dentry_get(w->sure);
		w->assumed = w->name;
	}
	w->assumed_end = w->name + w->len;
}

int walk_find(struct walk *w, bool is_last, struct dentry **out)
{
	struct dentry *dir = w->path.dentry;
	struct dentry *d = dentry_lookup(dir, w->name, w->len);
	int err;

	if (d && !is_last && may_assume(w, d)) {
		assume(w);
		*out = d;
		return 0;
	}
	/* A link's text is walked from its directory, which must be the right one. */
	if (d && is_last && w->sure &&
	    (dentry_is_negative(d) || !S_ISLNK(d->inode->mode))) {
		err = ask(w, d, w->name + w->len);
		if (err)
			dentry_put(d);
		else
			*out = d;
		return err;
	}
	dentry_put(d);
	err = walk_make_sure(w);
	if (err)
		return err;
	return dentry_find_or_look_up(dir, w->name, w->len, w->flags & LOOKUP_CACHED,
				      out);
}
