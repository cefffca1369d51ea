/* SPDX-License-Identifier: MIT */
/* sys_memfd.c - memfd_create and memfd_secret. Limits against Linux: no huge pages; what
 * is secret here is not kept from the kernel, nor locked in memory. */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/printf.h"
#include "mm/usercopy.h"

enum { NAME_LEN_MAX = 249 };

long sys_memfd_create(struct task *t, uaddr_t name, unsigned int flags)
{
	char given[NAME_LEN_MAX + 1];
	char shown[NAME_LEN_MAX + 32];
	unsigned int known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB |
			     MFD_NOEXEC_SEAL | MFD_EXEC;
	uint32_t seals = F_SEAL_SEAL;
	uint32_t mode = 0777;
	struct file *f;
	long len;
	int err;

	(void)t;
	if (flags & MFD_HUGETLB)
		known |= (unsigned)MFD_HUGE_MASK << MFD_HUGE_SHIFT;
	if (flags & ~known)
		return -EINVAL;
	if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
		return -EINVAL;
	len = strncpy_from_user(given, name, sizeof(given));
	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : len;
	if (flags & MFD_HUGETLB)
		return -ENODEV; /* what Linux says to a size that it has not */
	snprintf(shown, sizeof(shown), "/memfd:%s (deleted)", given);
	if (flags & MFD_ALLOW_SEALING)
		seals = 0;
	if (flags & MFD_NOEXEC_SEAL) {
		seals = F_SEAL_EXEC;
		mode = 0666;
	}
	err = shmem_file_create(shown, 0, mode, seals, &f);
	if (err)
		return err;
	return fd_install_or_put(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

long sys_memfd_secret(struct task *t, int flags)
{
	struct file *f;
	int err;

	(void)t;
	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	err = secret_file_create(&f);
	if (err)
		return err;
	return fd_install_or_put(f, (uint32_t)flags);
}
