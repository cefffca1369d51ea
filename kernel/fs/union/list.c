/* SPDX-License-Identifier: MIT */
/* list.c - listing a directory of a union of layers.
 *
 * The names of all layers are gathered when reading begins, each once, those of the
 * lowest layer first. A position is a place in that list, so it stays good however the
 * directory changes; who goes back to the start sees the changes. All who began while the
 * directory was the same share the list. */
#include "abi/dirent.h"
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "base/slab.h"
#include "fs/dentry.h"
#include "fs/file.h"
#include "fs/stack.h"
#include "fs/union/internal.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/tree.h"

/* ---- one layer's directory ---- */

enum { BATCH_SIZE = 4096 };

struct batch {
	struct dir_context base;
	size_t used;
	char data[BATCH_SIZE]; /* of struct listed_packed */
};

struct listed_packed {
	uint64_t ino;
	uint32_t type;
	uint32_t len;
	char name[];
};

static size_t packed_size(size_t len)
{
	return ALIGN_UP(sizeof(struct listed_packed) + len, (size_t)8);
}

static bool batch_emit(struct dir_context *ctx, const char *name, size_t len,
		       uint64_t ino, uint32_t type, int64_t next_pos)
{
	struct batch *b = container_of(ctx, struct batch, base);
	size_t size = packed_size(len);
	struct listed_packed *p;

	(void)next_pos;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	if (b->used + size > BATCH_SIZE)
		return false;
	p = (struct listed_packed *)(void *)(b->data + b->used);
	p->ino = ino;
	p->type = type;
	p->len = (uint32_t)len;
	memcpy(p->name, name, len);
	b->used += size;
	return true;
}

static int batch_hand_out(const struct batch *b, struct union_listed *l,
			  int (*fn)(void *arg, const struct union_listed *l), void *arg)
{
	int err = 0;

	for (size_t at = 0; !err && at < b->used;) {
		const struct listed_packed *p = (const void *)(b->data + at);

		l->ino = p->ino;
		l->type = p->type;
		l->len = p->len;
		memcpy(l->name, p->name, p->len);
		l->name[p->len] = '\0';
		at += packed_size(p->len);
		err = fn(arg, l);
	}
	return err;
}

int union_names_walk(const struct path *dir,
		     int (*fn)(void *arg, const struct union_listed *l), void *arg)
{
	struct batch *b;
	struct union_listed *l;
	struct file *f;
	int err = stack_open(dir, O_RDONLY | O_DIRECTORY | O_NOATIME, &f);

	if (err)
		return err;
	b = kmalloc(sizeof(*b));
	l = kmalloc(sizeof(*l));
	if (!b || !l || !f->ops->iterate)
		err = !b || !l ? -ENOMEM : -ENOTDIR;
	if (!err)
		b->base = (struct dir_context){.emit = batch_emit, .pos = 0};
	while (!err) {
		int64_t before = b->base.pos;

		b->used = 0;
		err = f->ops->iterate(f, &b->base);
		if (!err && !b->used && b->base.pos == before)
			break;
		if (!err)
			err = batch_hand_out(b, l, fn, arg);
	}
	kfree(l);
	kfree(b);
	file_put(f);
	return err;
}

/* ---- all layers ---- */

struct name {
	struct tree_node by_name;
	struct name *next;
	uint64_t ino;
	uint32_t type;
	uint8_t len;
	bool is_upper;
	bool is_whiteout; /* what is below is hidden; not shown */
	char text[];
};

struct listing {
	uint32_t refs; /* the directory's inode.lock */
	struct tree names;
	struct name *first; /* of the layers so far, the last one's names first */
	size_t count;
	struct name **order; /* owned: those that are shown */
	uint32_t version;    /* of the directory when it was made */
};

struct gathering {
	struct union_fs *ufs;
	struct listing *list;
	struct dentry *dir; /* of the layer */
	struct name *head, *tail;
	bool is_upper;
	bool file_whiteouts;
	bool stops_at_name; /* -ENOTEMPTY at the first one */
};

static int compare(const char *a, size_t a_len, const struct name *b)
{
	if (a_len != b->len)
		return a_len < b->len ? -1 : 1;
	return memcmp(a, b->text, a_len);
}

static int compare_listed(const void *key, const struct tree_node *node)
{
	const struct union_listed *l = key;

	return compare(l->name, l->len, tree_entry(node, struct name, by_name));
}

static int name_order(const struct tree_node *a, const struct tree_node *b)
{
	const struct name *n = tree_entry(a, struct name, by_name);

	return compare(n->text, n->len, tree_entry(b, struct name, by_name));
}

static bool is_whiteout(const struct gathering *g, const struct union_listed *l)
{
	struct dentry *d;
	bool result;

	if (l->type != DT_CHR && l->type != DT_UNKNOWN &&
	    !(l->type == DT_REG && g->file_whiteouts))
		return false;
	if (stack_find(g->dir, l->name, l->len, &d))
		return false;
	result = union_is_whiteout(g->ufs, d, g->file_whiteouts);
	dentry_put(d);
	return result;
}

static int gather_name(void *arg, const struct union_listed *l)
{
	struct gathering *g = arg;
	struct name *n;

	if (tree_find(&g->list->names, l, compare_listed))
		return 0;
	n = kmalloc_zeroed(sizeof(*n) + l->len + 1);
	if (!n)
		return -ENOMEM;
	n->ino = l->ino;
	n->type = l->type;
	n->len = (uint8_t)l->len;
	n->is_upper = g->is_upper;
	n->is_whiteout = is_whiteout(g, l);
	memcpy(n->text, l->name, l->len);
	(void)!tree_insert(&g->list->names, &n->by_name, name_order);
	if (g->tail)
		g->tail->next = n;
	else
		g->head = n;
	g->tail = n;
	if (!n->is_whiteout)
		g->list->count++;
	return g->stops_at_name && !n->is_whiteout ? -ENOTEMPTY : 0;
}

static int gather_layer(struct gathering *g, const struct union_layer *layer,
			struct dentry *dir)
{
	struct path p = {layer->path.mount, dir};
	int err;

	g->dir = dir;
	g->head = NULL;
	g->tail = NULL;
	err = union_names_walk(&p, gather_name, g);
	if (g->tail) { /* before those of the layers above */
		g->tail->next = g->list->first;
		g->list->first = g->head;
	}
	return err;
}

static void listing_free(struct listing *list)
{
	struct name *next;

	if (!list)
		return;
	for (struct name *n = list->first; n; n = next) {
		next = n->next;
		kfree(n);
	}
	kfree(list->order);
	kfree(list);
}

/* The list that somebody reads who began when the directory was as it is now, or NULL. */
static struct listing *listing_find(struct union_inode *ui)
{
	uint32_t version = atomic_load(&ui->version);
	struct listing *list;

	lock_take(&ui->inode.lock);
	list = ui->listing;
	if (list && list->version == version)
		list->refs++;
	else
		list = NULL;
	lock_drop(&ui->inode.lock);
	return list;
}

/* Others may read the list from now on. Returns the one to read, should somebody have
 * been faster. */
static struct listing *listing_share(struct union_inode *ui, struct listing *list)
{
	struct listing *mine = list;

	lock_take(&ui->inode.lock);
	if (ui->listing && ui->listing->version == list->version)
		list = ui->listing;
	ui->listing = list;
	list->refs++;
	lock_drop(&ui->inode.lock);
	if (list != mine)
		listing_free(mine);
	return list;
}

static void listing_put(struct union_inode *ui, struct listing *list)
{
	bool is_last;

	if (!list)
		return;
	lock_take(&ui->inode.lock);
	is_last = --list->refs == 0;
	if (is_last && ui->listing == list)
		ui->listing = NULL;
	lock_drop(&ui->inode.lock);
	if (is_last)
		listing_free(list);
}

static int listing_order(struct listing *list)
{
	size_t at = 0;

	list->order = kmalloc((list->count + 1) * sizeof(struct name *));
	if (!list->order)
		return -ENOMEM;
	for (struct name *n = list->first; n; n = n->next)
		if (!n->is_whiteout)
			list->order[at++] = n;
	return 0;
}

static int gather(struct union_inode *ui, bool stops_at_name, struct listing **out)
{
	struct gathering g = {.ufs = union_fs_of(ui), .stops_at_name = stops_at_name};
	struct dentry *upper = union_upper(ui);
	int err = 0;

	g.list = kmalloc_zeroed(sizeof(*g.list));
	if (!g.list)
		return -ENOMEM;
	g.list->version = atomic_load(&ui->version);
	if (upper) {
		g.is_upper = true;
		err = gather_layer(&g, &g.ufs->layers[0], upper);
		g.is_upper = false;
	}
	for (uint32_t i = 0; !err && i < ui->lower_count; i++) {
		g.file_whiteouts = ui->lowers[i].has_file_whiteouts;
		err = gather_layer(&g, ui->lowers[i].layer, ui->lowers[i].dentry);
	}
	if (!err && atomic_load(&ui->is_gone)) /* and so are whiteouts */
		err = -ENOENT;
	if (!err)
		err = listing_order(g.list);
	if (err)
		listing_free(g.list);
	else
		*out = g.list;
	return err;
}

int union_dir_is_empty(struct union_inode *ui)
{
	struct listing *list;
	int err = gather(ui, true, &list);

	if (!err)
		listing_free(list);
	return err;
}

/* ---- the open directory ---- */

/* A name that was copied up, or came from another directory, has the number of the lower
 * file. */
static uint64_t number_of(struct file *f, const struct name *n)
{
	struct union_inode *ui = union_inode_of(f->inode);
	struct union_fs *ufs = union_fs_of(ui);
	uint64_t ino = n->ino;
	struct dentry *d;

	if (!n->is_upper || (ufs->fs_count > 1 && !ufs->xino_bits))
		return ino;
	if (!union_is_merged(ui) &&
	    !union_mark_is_set(ufs, union_upper(ui)->inode, "impure"))
		return ino;
	if (stack_find(f->path.dentry, n->text, n->len, &d))
		return ino;
	ino = d->inode->ino;
	dentry_put(d);
	return ino;
}

/* The list that goes with the position: f->private, a reference. */
static int listing_get(struct file *f, int64_t pos, struct listing **out)
{
	struct union_inode *ui = union_inode_of(f->inode);
	struct listing *list = f->private;
	int err;

	if (list && pos == 0 && list->version != atomic_load(&ui->version)) {
		f->private = NULL;
		listing_put(ui, list);
		list = NULL;
	}
	if (!list)
		list = listing_find(ui);
	if (!list) {
		err = gather(ui, false, &list);
		if (err)
			return err;
		list = listing_share(ui, list);
	}
	f->private = list;
	*out = list;
	return 0;
}

static int dir_iterate(struct file *f, struct dir_context *ctx)
{
	struct listing *list;
	int err = listing_get(f, ctx->pos, &list);

	if (err)
		return err;
	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos - 2 < (int64_t)list->count) {
		const struct name *n = list->order[ctx->pos - 2];

		if (!dir_emit(ctx, n->text, n->len, number_of(f, n), n->type,
			      ctx->pos + 1))
			break;
	}
	return 0;
}

static int64_t dir_lseek(struct file *f, int64_t off, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return file_lseek_size(f, off, whence, 0, INT64_MAX);
}

static void dir_release(struct file *f)
{
	listing_put(union_inode_of(f->inode), f->private);
	f->private = NULL;
}

static int dir_fsync(struct file *f, bool data_only)
{
	struct union_inode *ui = union_inode_of(f->inode);
	struct superblock *upper;

	(void)data_only;
	if (!union_upper(ui) || union_fs_of(ui)->options.is_volatile)
		return 0;
	upper = union_upper(ui)->sb;
	return upper->ops && upper->ops->sync ? upper->ops->sync(upper) : 0;
}

int union_open_dir(struct union_inode *ui, struct file *f)
{
	(void)ui;
	f->private = NULL;
	return 0;
}

const struct file_ops union_dir_ops = {
	.iterate = dir_iterate,
	.lseek = dir_lseek,
	.release = dir_release,
	.fsync = dir_fsync,
};
