/* SPDX-License-Identifier: MIT */
/* exe_file.c - changing what /proc/PID/exe shows (PR_SET_MM_EXE_FILE). */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "mm/vma.h"
#include "process/prctl_mm.h"

static int is_of_path(struct vma *v, void *arg)
{
	const struct path *path = arg;
	const struct file *f = v->object ? file_of_object(v->object) : NULL;

	return f && f->path.mount == path->mount && f->path.dentry == path->dentry;
}

/* Puts exe, whose reference it takes, in the place of the program of before. */
static int replace(struct mm *mm, struct file *exe)
{
	struct vm_object *old;
	int err = 0;

	lock_take(&mm->lock);
	old = mm->exe;
	if (old && mm_for_each_vma(mm, is_of_path, &file_of_object(old)->path)) {
		old = &exe->object;
		err = -EBUSY;
	} else {
		mm->exe = &exe->object;
	}
	lock_drop(&mm->lock);
	if (old)
		old->ops->put(old);
	return err;
}

int mm_exe_replace(struct mm *mm, int fd)
{
	struct fdref ref = fd_get(fd);
	struct file *exe;
	int err;

	if (!ref.file)
		return -EBADF;
	/* One of its own, which keeps others from writing to the program while it is
	 * one. */
	err = S_ISREG(path_inode(&ref.file->path)->mode)
		      ? file_open_exec_path(&ref.file->path, &exe)
		      : -EACCES;
	fd_put(ref);
	if (err)
		return err == -ETXTBSY ? -EACCES : err;
	return replace(mm, exe);
}
