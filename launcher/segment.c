/* SPDX-License-Identifier: MIT */
/* segment.c - the kernel segment: sparse, memory is used as it is touched. */
#include "segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "message.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

static const size_t boot_stack_size = 256UL << 10;
static size_t boot_used;

int segment_create(const struct image *image)
{
	off_t end = (off_t)(KERNEL_SEGMENT_MAX + BOOT_AREA_SIZE);
	int fd = memfd_create("carbyne", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("carbyne", MFD_CLOEXEC);
	if (fd < 0)
		fail("cannot make the kernel's memory: %s", strerror(errno));
	if (ftruncate(fd, end) < 0)
		fail("cannot make the kernel's memory: %s%s", strerror(errno),
		     errno == EFBIG ? " (ulimit -f)" : "");
	if (image->data_size > 0 &&
	    pwrite(fd, image->data, image->data_size,
		   (off_t)(image->data_addr - KERNEL_DATA_BASE)) !=
		    (ssize_t)image->data_size)
		fail("cannot fill the kernel's memory: %s", strerror(errno));
	if (mmap(boot_params(), BOOT_AREA_SIZE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, (off_t)KERNEL_SEGMENT_MAX) == MAP_FAILED)
		fail("cannot map the boot area: %s", strerror(errno));
	boot_used = (sizeof(struct boot_params) + 15) & ~15UL;
	return fd;
}

void segment_map(int fd)
{
	if (mmap((void *)KERNEL_DATA_BASE,
		 KERNEL_SEGMENT_MAX + BOOT_AREA_SIZE, /* NOLINT */
		 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd,
		 0) == MAP_FAILED)
		fail("cannot map the kernel's memory: %s", strerror(errno));
}

void *boot_alloc(size_t size)
{
	char *at = (char *)boot_params() + boot_used;

	size = (size + 15) & ~15UL;
	if (size > BOOT_AREA_SIZE - boot_stack_size - boot_used)
		fail("arguments and environment are too long");
	boot_used += size;
	return at;
}

char *boot_string(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(boot_alloc(size), s, size);
}

uint64_t boot_stack_top(void)
{
	return BOOT_PARAMS_ADDR + BOOT_AREA_SIZE - 4096;
}
