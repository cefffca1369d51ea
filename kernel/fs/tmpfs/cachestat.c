/* SPDX-License-Identifier: MIT */
/* cachestat.c - how much of a file is there: every page of a tmpfs file that is no hole.
 */
#include "abi/fcntl.h"
#include "fs/tmpfs/tmpfs.h"
#include "host/host.h"

static uint64_t count_pages(const struct tmpfs_data *d, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	for (uint64_t i = first; i < MIN(end, (uint64_t)d->page_slots); i++)
		count += d->pages[i] != NULL;
	return count;
}

static uint64_t count_memfd(int fd, uint64_t first, uint64_t end)
{
	int64_t at = (int64_t)(first << PAGE_SHIFT);
	int64_t stop = (int64_t)(end << PAGE_SHIFT);
	uint64_t count = 0;

	while (at < stop) {
		int64_t data = host_lseek(fd, at, SEEK_DATA);

		if (data < 0 || data >= stop)
			break;
		at = host_lseek(fd, data, SEEK_HOLE);
		if (at <= data)
			break;
		count += ((uint64_t)(MIN(at, stop) - data) + PAGE_SIZE - 1) >> PAGE_SHIFT;
	}
	return count;
}

uint64_t tmpfs_cached_pages(struct file *f, uint64_t first, uint64_t end)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	uint64_t count;

	lock_take(&f->inode->lock);
	if (ti->data.memfd >= 0)
		count = count_memfd(ti->data.memfd, first, end);
	else
		count = count_pages(&ti->data, first, end);
	lock_drop(&f->inode->lock);
	return count;
}
