/* SPDX-License-Identifier: MIT */
/* aio_submit.c - io_submit(2): one request.
 *
 * As on Linux for all but direct I/O, reads, writes and syncs are done at once, blocking
 * if the file does, and their events are there when the call returns. Only polls wait:
 * aio_poll.c. */
#include "event/aio_submit.h"

#include "abi/errno.h"
#include "abi/stat.h"
#include "base/waitq.h"
#include "event/aio.h"
#include "event/eventfd.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/uio.h"
#include "fs/vfs.h"
#include "mm/usercopy.h"
#include "process/select.h"

/* A call cannot be restarted when some of its requests are done. */
static int64_t result_of(int64_t res)
{
	switch (res) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	default:
		return res;
	}
}

static int uio_of(struct uio *u, const struct linux_iocb *iocb, bool is_vector,
		  struct uio_vec *vec)
{
	vec->more.data = NULL;
	if (is_vector)
		return uio_init_user_vec(u, iocb->aio_buf, iocb->aio_nbytes, vec);
	return uio_init_user(u, iocb->aio_buf, iocb->aio_nbytes);
}

/* What comes before the transfer itself is the request's own error, and no event. */
static int transfer_check(struct file *f, const struct linux_iocb *iocb, bool is_write,
			  uint32_t *flags)
{
	int err = 0;

	if (iocb->aio_flags & IOCB_FLAG_IOPRIO)
		err = ioprio_check(iocb->aio_reqprio);
	if (!err)
		err = file_rw_flags(f, iocb->aio_rw_flags, is_write, flags);
	if (err)
		return err;
	if (!(f->mode & (is_write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (!f->ops || !(is_write ? f->ops->write : f->ops->read))
		return -EINVAL;
	return 0;
}

static int64_t transfer_do(struct file *f, struct uio *u, int64_t off, bool is_write)
{
	int64_t *pos = file_mode_has_offsets(f->mode, is_write) ? &off : NULL;

	if (!pos && off && S_ISSOCK(f->inode->mode))
		return -ESPIPE;
	return is_write ? file_write(f, u, pos) : file_read(f, u, pos);
}

static int transfer(struct aio_context *c, struct file *f, const struct linux_iocb *iocb,
		    const struct aio_answer *a, bool is_write, bool is_vector)
{
	struct uio_vec vec;
	struct uio u;
	uint32_t flags;
	int64_t res;
	int64_t end;
	int err = transfer_check(f, iocb, is_write, &flags);

	if (!err)
		err = uio_of(&u, iocb, is_vector, &vec);
	if (err)
		return err;
	if (iocb->aio_offset < 0 ||
	    __builtin_add_overflow(iocb->aio_offset, (int64_t)u.left, &end)) {
		uio_vec_fini(&vec);
		return -EINVAL;
	}
	u.flags |= flags;
	res = transfer_do(f, &u, iocb->aio_offset, is_write);
	uio_vec_fini(&vec);
	aio_post(c, a, result_of(res));
	return 0;
}

static int sync_file(struct aio_context *c, struct file *f, const struct linux_iocb *iocb,
		     const struct aio_answer *a, bool data_only)
{
	if (iocb->aio_buf || iocb->aio_offset || iocb->aio_nbytes || iocb->aio_rw_flags)
		return -EINVAL;
	if (!f->ops ||
	    !(f->ops->fsync || S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)))
		return -EINVAL;
	aio_post(c, a, f->ops->fsync ? f->ops->fsync(f, data_only) : 0);
	return 0;
}

static int start(struct aio_context *c, struct file *f, const struct linux_iocb *iocb,
		 const struct aio_answer *a)
{
	switch (iocb->aio_lio_opcode) {
	case IOCB_CMD_PREAD:
		return transfer(c, f, iocb, a, false, false);
	case IOCB_CMD_PWRITE:
		return transfer(c, f, iocb, a, true, false);
	case IOCB_CMD_PREADV:
		return transfer(c, f, iocb, a, false, true);
	case IOCB_CMD_PWRITEV:
		return transfer(c, f, iocb, a, true, true);
	case IOCB_CMD_FSYNC:
		return sync_file(c, f, iocb, a, false);
	case IOCB_CMD_FDSYNC:
		return sync_file(c, f, iocb, a, true);
	case IOCB_CMD_POLL:
		return aio_poll_submit(c, f, iocb, a);
	default:
		return -EINVAL;
	}
}

static int eventfd_of(uint32_t fd, struct file **out)
{
	struct fdref ref = fd_get((int)fd);
	int err = !ref.file ? -EBADF : file_is_eventfd(ref.file) ? 0 : -EINVAL;

	if (!err) {
		file_get(ref.file);
		*out = ref.file;
	}
	fd_put(ref);
	return err;
}

static int submit_reserved(struct aio_context *c, const struct linux_iocb *iocb,
			   uaddr_t address)
{
	struct aio_answer a = {.data = iocb->aio_data, .obj = address};
	struct fdref ref = fd_get((int)iocb->aio_fildes);
	int err = 0;

	if (!ref.file)
		return -EBADF;
	if (iocb->aio_flags & IOCB_FLAG_RESFD)
		err = eventfd_of(iocb->aio_resfd, &a.eventfd);
	if (!err)
		err = put_user_u32(address + offsetof(struct linux_iocb, aio_key),
				   IOCB_KEY);
	if (!err)
		err = start(c, ref.file, iocb, &a);
	if (err && a.eventfd)
		file_put(a.eventfd);
	fd_put(ref);
	return err;
}

int aio_submit_one(struct aio_context *c, uaddr_t address)
{
	struct linux_iocb iocb;
	int err;

	if (COPY_IN(&iocb, address))
		return -EFAULT;
	if (iocb.aio_reserved2 || (int64_t)iocb.aio_nbytes < 0)
		return -EINVAL;
	if (!aio_reserve(c))
		return -EAGAIN;
	err = submit_reserved(c, &iocb, address);
	if (err)
		aio_unreserve(c);
	return err;
}
