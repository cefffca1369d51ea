/* SPDX-License-Identifier: MIT */
/* pipe_open.c - how pipes and FIFOs come to be, are opened and closed. An inode has a
 * pipe while there are files of it; who opens a FIFO for one side waits for the other. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/stat.h"
#include "base/claim.h"
#include "base/page.h"
#include "base/slab.h"
#include "base/waitq.h"
#include "fs/file.h"
#include "fs/internal.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/sigio.h"
#include "fs/vfs.h"

static SLAB_CACHE(pipe_slab, "pipe_inode_info", sizeof(struct pipe), 64);

/* NULL: no memory, or too much of it is in the user's pipes. */
static struct pipe *pipe_create(void)
{
	struct pipe *p = slab_alloc_zeroed(&pipe_slab);

	if (!p)
		return NULL;
	if (pipe_charge_begin(&p->charge, PIPE_PAGES_INSIDE)) {
		slab_free(&pipe_slab, p);
		return NULL;
	}
	lock_init(&p->lock, RANK_OBJECT);
	waitq_init(&p->readable);
	waitq_init(&p->writable);
	waitq_init(&p->opened);
	list_init(&p->async_files);
	p->pages = p->pages_inside;
	p->size = p->charge.pages * PAGE_SIZE;
	return p;
}

void pipe_destroy(struct pipe *p)
{
	pipe_charge_end(&p->charge);
	for (size_t i = 0; i < p->size / PAGE_SIZE; i++)
		page_free(p->pages[i], 0);
	if (p->pages != p->pages_inside)
		kfree(p->pages);
	slab_free(&pipe_slab, p);
}

static void count_open(struct pipe *p, const struct file *f, int by)
{
	if (f->mode & FMODE_READ) {
		p->readers = (uint32_t)((int)p->readers + by);
		p->reader_opens += by > 0;
	}
	if (f->mode & FMODE_WRITE) {
		p->writers = (uint32_t)((int)p->writers + by);
		p->writer_opens += by > 0;
	}
}

static void count_close(struct pipe *p, const struct file *f)
{
	bool is_one_sided;

	lock_take(&p->lock);
	count_open(p, f, -1);
	is_one_sided = !p->readers != !p->writers;
	lock_drop(&p->lock);
	if (is_one_sided) {
		async_list_send(&p->async_files, FMODE_READ, POLLIN);
		async_list_send(&p->async_files, FMODE_WRITE, POLLOUT);
	}
	if ((f->mode & FMODE_WRITE) && !p->writers)
		waitq_wake_all(&p->readable, POLLHUP | POLL_READABLE);
	if ((f->mode & FMODE_READ) && !p->readers)
		waitq_wake_all(&p->writable, POLLERR | POLL_WRITABLE);
}

/* The pipe of a FIFO's inode, with f counted among its files. */
static struct pipe *attach(struct inode *inode)
{
	struct pipe *fresh = NULL;
	struct pipe *p;

	lock_take(&inode->lock);
	if (!inode->pipe) {
		lock_drop(&inode->lock);
		fresh = pipe_create();
		lock_take(&inode->lock);
	}
	if (!inode->pipe) { /* and if another has made one: it may go at any time */
		inode->pipe = fresh;
		fresh = NULL;
	}
	p = inode->pipe;
	if (p)
		p->files++;
	lock_drop(&inode->lock);
	if (fresh)
		pipe_destroy(fresh);
	return p;
}

static void detach(struct inode *inode, struct pipe *p)
{
	bool last;

	lock_take(&inode->lock);
	last = --p->files == 0;
	if (last)
		inode->pipe = NULL;
	lock_drop(&inode->lock);
	if (last)
		pipe_destroy(p);
}

/* Sleeps until the other side has been opened since `seen` opens. lock held. */
static int wait_for_other(struct pipe *p, const uint64_t *opens, uint64_t seen,
			  const uint32_t *present)
{
	while (!*present && *opens == seen) {
		int err = waitq_sleep(&p->opened, &p->lock, NSEC_NEVER);

		if (err)
			return err;
	}
	return 0;
}

static int open_wait(struct pipe *p, struct file *f, bool is_fifo)
{
	bool nonblock = f->flags & O_NONBLOCK;
	int err = 0;

	if (!is_fifo ||
	    (f->mode & (FMODE_READ | FMODE_WRITE)) == (FMODE_READ | FMODE_WRITE))
		return 0;
	if ((f->mode & FMODE_READ) && !p->writers) {
		if (nonblock)
			f->dir_version = p->writer_opens;
		else
			err = wait_for_other(p, &p->writer_opens, p->writer_opens,
					     &p->writers);
	}
	if ((f->mode & FMODE_WRITE) && !p->readers)
		err = wait_for_other(p, &p->reader_opens, p->reader_opens, &p->readers);
	return err;
}

/* Who waits for the other side counts on its own already. */
struct open_claim {
	struct claim claim;
	struct inode *inode;
	struct file *file;
};

static void open_abandon(struct claim *claim)
{
	struct open_claim *c = container_of(claim, struct open_claim, claim);

	count_close(pipe_of(c->file), c->file);
	detach(c->inode, pipe_of(c->file));
}

int pipe_open(struct inode *inode, struct file *f)
{
	bool is_fifo = inode->sb != pipe_sb;
	struct pipe *p = attach(inode);
	struct open_claim c = {.inode = inode, .file = f};
	int err;

	if (!p)
		return -ENOMEM;
	f->private = p;
	f->dir_version = UINT64_MAX;
	lock_take(&p->lock);
	if (is_fifo && (f->flags & O_NONBLOCK) && !p->readers &&
	    (f->flags & O_ACCMODE) == O_WRONLY) {
		lock_drop(&p->lock);
		detach(inode, p);
		return -ENXIO;
	}
	count_open(p, f, 1);
	claim_begin(&c.claim, open_abandon);
	waitq_wake_all(&p->opened, 0);
	err = open_wait(p, f, is_fifo);
	claim_end(&c.claim);
	lock_drop(&p->lock);
	if (err) {
		count_close(p, f);
		detach(inode, p);
	}
	return err;
}

void pipe_release(struct file *f)
{
	struct pipe *p = pipe_of(f);

	count_close(p, f);
	detach(f->inode, p);
}

int pipe_create_files(uint32_t flags, struct file **reader, struct file **writer)
{
	struct inode *inode = anon_inode_create(pipe_sb, S_IFIFO | 0600);
	struct file *r;
	struct file *w;
	int err;

	if (!inode)
		return -ENOMEM;
	inode->pipe = pipe_create();
	if (!inode->pipe) {
		inode_put(inode);
		return -ENFILE;
	}
	err = file_create_anon(inode, "pipe", &pipe_file_ops,
			       O_RDONLY | (flags & O_NONBLOCK), inode->pipe, &r);
	if (err)
		return err;
	w = file_alloc(O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)),
		       FMODE_WRITE | FMODE_STREAM | FMODE_NOWAIT);
	if (!w) {
		r->ops = NULL; /* nothing counted yet: the inode frees the pipe */
		file_put(r);
		return -ENOMEM;
	}
	r->mode |= FMODE_NOWAIT;
	path_get(&r->path);
	w->path = r->path;
	w->inode = inode;
	w->ops = &pipe_file_ops;
	w->private = inode->pipe;
	r->dir_version = UINT64_MAX;
	inode->pipe->files = 2;
	count_open(inode->pipe, r, 1);
	count_open(inode->pipe, w, 1);
	*reader = r;
	*writer = w;
	return 0;
}
