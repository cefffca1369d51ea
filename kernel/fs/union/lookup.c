/* SPDX-License-Identifier: MIT */
/* lookup.c - what a name is: in the upper directory and in those below it.
 *
 * A search goes from the topmost layer down. It stops at a whiteout, at a file, and below
 * a directory that is marked as opaque. A directory that was renamed says under which
 * name the search goes on: in the same directory or, with a slash, from the layer's
 * root. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"

struct search {
	struct union_fs *ufs;
	const char *name; /* one component, or a path from the root */
	size_t len;
	char *redirect; /* owned: what name points into, once it has changed */
	bool stop;
	bool is_dir;
	bool opaque;
	bool is_meta; /* the last one found has no data */
	bool is_last; /* nothing will be looked at after this layer */
	bool is_upper;
	bool file_whiteouts; /* of the directory in which the search is */
	bool found_file_whiteouts;
};

bool union_is_whiteout(struct union_fs *ufs, const struct dentry *d, bool may_be_file)
{
	struct inode *inode = d->inode;

	if (S_ISCHR(inode->mode))
		return inode->rdev == 0;
	return may_be_file && S_ISREG(inode->mode) && inode->size == 0 &&
	       union_mark_get(ufs, inode, "whiteout", NULL, 0) >= 0;
}

/* ---- redirects ---- */

/* One component, or a slash before each: /a/b. Where no directory can be, at "." and
 * "..", stack_find() says so. */
static bool is_redirect(const char *text)
{
	if (text[0] != '/')
		return text[0] && !strchr(text, '/');
	for (; *text; text++)
		if (*text == '/' && (!text[1] || text[1] == '/'))
			return false;
	return true;
}

/* A directory was renamed. The name is prefix bytes, the component, and post. */
static int redirect_follow(struct search *s, struct inode *inode, size_t prefix,
			   const char *post)
{
	size_t post_len = strlen(post);
	char *text;
	char *full;
	long len = union_mark_get(s->ufs, inode, "redirect", NULL, 0);

	if (len == -ENODATA || len == -EOPNOTSUPP)
		return 0;
	if (len < 0 || len >= PATH_MAX)
		return len < 0 ? (int)len : -EINVAL;
	text = kmalloc_zeroed((size_t)len + 1);
	full = kmalloc(prefix + (size_t)len + post_len + 1);
	if (!text || !full) {
		kfree(text);
		kfree(full);
		return -ENOMEM;
	}
	len = union_mark_get(s->ufs, inode, "redirect", text, (size_t)len);
	if (len < 0 || !is_redirect(text)) {
		kfree(text);
		kfree(full);
		return len < 0 ? (int)len : -EINVAL;
	}
	if (text[0] == '/')
		prefix = 0;
	memcpy(full, s->name, prefix);
	memcpy(full + prefix, text, strlen(text));
	memcpy(full + prefix + strlen(text), post, post_len + 1);
	kfree(text);
	kfree(s->redirect);
	s->redirect = full;
	s->name = full;
	s->len = strlen(full);
	return 0;
}

/* ---- one layer ---- */

static int look_at_file(struct search *s, struct dentry *d, bool is_last_part)
{
	if (s->is_dir || !is_last_part) { /* hidden by, or in the way of, a directory */
		s->stop = true;
		return -ENOENT;
	}
	if (S_ISREG(d->inode->mode) &&
	    union_mark_get(s->ufs, d->inode, "metacopy", NULL, 0) >= 0) {
		s->is_meta = true;
		return 0;
	}
	s->is_meta = false;
	s->stop = true;
	return 0;
}

static int look_at_dir(struct search *s, struct dentry *d, bool is_last_part)
{
	char opaque = 0;

	if (union_is_trap(s->ufs, d))
		return -ELOOP;
	if (is_last_part)
		s->is_dir = true;
	if (union_mark_get(s->ufs, d->inode, "opaque", &opaque, 1) != 1)
		opaque = 0;
	s->found_file_whiteouts = opaque == 'x';
	if (opaque == 'y' && !s->is_last) {
		s->stop = true;
		s->opaque |= is_last_part;
	}
	return 0;
}

/* One component in dir. *out: a reference; -ENOENT: not there, or hidden. */
static int look_up_part(struct search *s, struct dentry *dir, const char *name,
			size_t len, const char *post, struct dentry **out)
{
	/* A redirect on the way may have changed what is before name, never what is
	 * behind. */
	size_t prefix = s->len - len - strlen(post);
	bool is_last_part = !*post;
	struct dentry *d;
	int err = stack_find(dir, name, len, &d);

	if (err)
		return err == -ENAMETOOLONG && !s->is_upper ? -ENOENT : err;
	if (union_is_whiteout(s->ufs, d, s->file_whiteouts) ||
	    (is_last_part && s->is_meta && !S_ISREG(d->inode->mode))) {
		s->stop = true;
		err = -ENOENT;
	} else if (!S_ISDIR(d->inode->mode)) {
		err = look_at_file(s, d, is_last_part);
	} else {
		err = look_at_dir(s, d, is_last_part);
	}
	if (!err && !s->stop && (!s->is_last || s->is_meta))
		err = redirect_follow(s, d->inode, prefix, post);
	if (err)
		dentry_put(d);
	else
		*out = d;
	return err;
}

/* The whole name. dir: where a single component is; root: where a path begins. */
static int look_in_layer(struct search *s, struct dentry *dir, struct dentry *root,
			 struct dentry **out)
{
	struct dentry *at = root;
	char *path;
	char *part;
	int err = 0;

	if (s->name[0] != '/')
		return look_up_part(s, dir, s->name, s->len, "", out);
	path = kstrdup(s->name);
	if (!path)
		return -ENOMEM;
	dentry_get(at);
	part = path;
	while (!err && *part == '/') {
		struct dentry *next;
		char *name = part + 1;
		size_t len = 0;

		while (name[len] && name[len] != '/')
			len++;
		part = name + len;
		s->file_whiteouts = false;
		err = S_ISDIR(at->inode->mode)
			      ? look_up_part(s, at, name, len, part, &next)
			      : -ENOENT;
		dentry_put(at);
		at = err ? NULL : next;
	}
	kfree(path);
	*out = at;
	return err;
}

/* ---- all layers ---- */

static int look_in_upper(struct search *s, struct union_inode *dir,
			 struct union_sides *out)
{
	struct dentry *upper = union_upper(dir);
	int err;

	if (!upper)
		return 0;
	s->is_upper = true;
	err = look_in_layer(s, upper, s->ufs->layers[0].path.dentry, &out->upper);
	s->is_upper = false;
	if (err)
		return err == -ENOENT ? 0 : err;
	out->is_opaque = s->opaque;
	out->is_meta = s->is_meta;
	if (s->redirect) {
		out->redirect = kstrdup(s->redirect);
		if (!out->redirect)
			return -ENOMEM;
	}
	if (!s->is_dir)
		union_origin_get(s->ufs, out->upper->inode, out);
	return 0;
}

static int sides_add(struct union_sides *out, const struct union_layer *layer,
		     struct dentry *d, bool file_whiteouts)
{
	uint32_t n = out->lower_count;

	if ((n & (n - 1)) == 0) { /* doubled when it is full */
		struct union_lower *more =
			kmalloc((n ? 2 * (size_t)n : 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memcpy(more, out->lowers, n * sizeof(*more));
		kfree(out->lowers);
		out->lowers = more;
	}
	out->lowers[n] = (struct union_lower){layer, d, file_whiteouts};
	out->lower_count = n + 1;
	return 0;
}

static bool follows(const struct union_fs *ufs)
{
	return ufs->options.redirect >= REDIRECT_FOLLOW;
}

/* Found in a lower layer: keeps it, or says why not. */
static int found_below(struct search *s, const struct union_layer *layer,
		       struct dentry *d, struct union_sides *out)
{
	int err = 0;

	if ((s->redirect && !follows(s->ufs)) ||
	    (s->is_meta && !s->ufs->options.metacopy))
		err = -EPERM;
	if (!err)
		err = sides_add(out, layer, d, s->found_file_whiteouts);
	if (err)
		dentry_put(d);
	return err;
}

static int look_below(struct search *s, struct union_inode *dir, struct union_sides *out)
{
	const struct union_inode *from = dir;
	struct union_inode *root = union_inode_of(s->ufs->sb->root->inode);

	if (s->name[0] == '/')
		from = root;
	for (uint32_t i = 0; !s->stop && i < from->lower_count; i++) {
		const struct union_lower *l = &from->lowers[i];
		struct dentry *d;
		int err;

		s->is_last = !follows(s->ufs)
				     ? i + 1 == from->lower_count
				     : l->layer->index + 1 + s->ufs->data_count ==
					       s->ufs->layer_count;
		s->file_whiteouts = l->has_file_whiteouts;
		s->found_file_whiteouts = false;
		err = look_in_layer(s, l->dentry, l->layer->path.dentry, &d);
		if (!err)
			err = found_below(s, l->layer, d, out);
		if (err && err != -ENOENT)
			return err;
		if (!s->stop && s->name[0] == '/' && from != root) {
			/* On in the layers below this one, from their roots. */
			from = root;
			i = l->layer->index - 1;
		}
	}
	return 0;
}

/* The data of a file that has none so far may be in a layer for data alone. */
static int look_in_data(struct search *s, struct union_sides *out)
{
	struct union_fs *ufs = s->ufs;

	if (!s->redirect || s->name[0] != '/')
		return 0;
	for (uint32_t i = ufs->layer_count - ufs->data_count; i < ufs->layer_count; i++) {
		const struct union_layer *layer = &ufs->layers[i];
		struct dentry *d;
		int err = look_in_layer(s, NULL, layer->path.dentry, &d);

		if (!err && !S_ISREG(d->inode->mode)) {
			dentry_put(d);
			err = -ENOENT;
		}
		if (err == -ENOENT)
			continue;
		s->is_meta = false;
		return err ? err : sides_add(out, layer, d, false);
	}
	return 0;
}

int union_sides_find(struct union_inode *dir, const char *name, size_t len,
		     struct union_sides *out)
{
	struct search s = {.ufs = union_fs_of(dir), .name = name, .len = len};
	int err;

	*out = (struct union_sides){.upper = NULL};
	err = look_in_upper(&s, dir, out);
	if (!err && out->is_meta && !s.ufs->options.metacopy)
		err = -EPERM;
	if (!err && !s.stop)
		err = look_below(&s, dir, out);
	if (!err && s.is_meta && (out->upper || out->lower_count))
		err = look_in_data(&s, out);
	if (!err && s.is_meta && (out->upper || out->lower_count))
		err = -EIO; /* nobody has the data */
	kfree(s.redirect);
	if (!err && !out->upper && !out->lower_count)
		err = -ENOENT;
	if (err)
		union_sides_drop(out);
	return err;
}

int union_lookup(struct inode *dir, struct dentry *d, struct inode **out)
{
	struct union_inode *parent = union_inode_of(dir);
	struct union_inode *ui;
	struct union_sides sides;
	int err = union_sides_find(parent, d->name, d->name_len, &sides);

	/* Whiteouts may have been missed that went with it. */
	if (!err && atomic_load(&parent->is_gone)) {
		union_sides_drop(&sides);
		err = -ENOENT;
	}
	if (err)
		return err;
	err = union_inode_lookup(union_fs_of(parent), parent, d->name, &sides, &ui);
	if (!err)
		*out = &ui->inode;
	return err;
}

/* ---- for changes ---- */

int union_upper_find(struct union_inode *dir, const char *name, size_t len,
		     struct dentry **out)
{
	struct dentry *upper = union_upper(dir);
	int err;

	*out = NULL;
	if (!upper)
		return 0;
	err = stack_find(upper, name, len, out);
	return err == -ENOENT ? 0 : err;
}

int union_lower_has(struct union_inode *dir, const char *name, size_t len)
{
	struct union_fs *ufs = union_fs_of(dir);

	if (union_upper(dir) && dir->is_opaque)
		return 0;
	for (uint32_t i = 0; i < dir->lower_count; i++) {
		const struct union_lower *l = &dir->lowers[i];
		struct dentry *d;
		bool hidden;
		int err = stack_find(l->dentry, name, len, &d);

		if (err == -ENOENT || err == -ENAMETOOLONG)
			continue;
		if (err)
			return err;
		hidden = union_is_whiteout(ufs, d, l->has_file_whiteouts);
		dentry_put(d);
		return !hidden;
	}
	return 0;
}
