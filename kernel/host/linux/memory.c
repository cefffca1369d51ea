/* SPDX-License-Identifier: MIT */
/* memory.c - mappings of the calling host process, and memfds. */
#include "host/host.h"
#include "host/linux/internal.h"

long host_mmap(uaddr_t addr, size_t size, int prot, int flags, int fd, int64_t off)
{
	return CALL(NR_mmap, addr, size, prot, flags, fd, off);
}

int host_munmap(uaddr_t addr, size_t size)
{
	return (int)CALL(NR_munmap, addr, size);
}

int host_mprotect(uaddr_t addr, size_t size, int prot)
{
	return (int)CALL(NR_mprotect, addr, size, prot);
}

long host_mremap(uaddr_t addr, size_t old_size, size_t new_size, int flags,
		 uaddr_t new_addr)
{
	return CALL(NR_mremap, addr, old_size, new_size, flags, new_addr);
}

int host_madvise(uaddr_t addr, size_t size, int advice)
{
	return (int)CALL(NR_madvise, addr, size, advice);
}

int host_msync(uaddr_t addr, size_t size, int flags)
{
	return (int)CALL(NR_msync, addr, size, flags);
}

int host_mincore(uaddr_t addr, size_t size, uint8_t *vec)
{
	return (int)CALL(NR_mincore, addr, size, vec);
}

int host_mlock2(uaddr_t addr, size_t size, int flags)
{
	return (int)CALL(NR_mlock2, addr, size, flags);
}

int host_munlock(uaddr_t addr, size_t size)
{
	return (int)CALL(NR_munlock, addr, size);
}

int host_memfd_create(const char *name, unsigned int flags)
{
	return (int)CALL(NR_memfd_create, name, flags);
}
