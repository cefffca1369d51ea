/* SPDX-License-Identifier: MIT */
/* file.c - descriptors of memory files. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/uio.h"
#include "host/fake/fake.h"
#include "host/host.h"

enum { FILES = 256, FIRST_FD = 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file {
	bool is_open;
	char *data;
	size_t size;
} files[FILES];

static struct file *file_of(int fd)
{
	return fd >= FIRST_FD && fd < FIRST_FD + FILES && files[fd - FIRST_FD].is_open
		       ? &files[fd - FIRST_FD]
		       : NULL;
}

int fake_open_files(void)
{
	int n = 0;

	(void)pthread_mutex_lock(&mutex);
	for (int i = 0; i < FILES; i++)
		n += files[i].is_open;
	(void)pthread_mutex_unlock(&mutex);
	return n;
}

int host_memfd_create(const char *name, unsigned int flags)
{
	int fd = -EMFILE;

	(void)name;
	(void)flags;
	if (fake_must_fail())
		return -ENOMEM;
	(void)pthread_mutex_lock(&mutex);
	for (int i = 0; i < FILES && fd < 0; i++) {
		if (files[i].is_open)
			continue;
		files[i] = (struct file){.is_open = true};
		fd = FIRST_FD + i;
	}
	(void)pthread_mutex_unlock(&mutex);
	return fd;
}

int host_close(int fd)
{
	struct file *f;

	(void)pthread_mutex_lock(&mutex);
	f = file_of(fd);
	if (f) {
		free(f->data);
		*f = (struct file){.is_open = false};
	}
	(void)pthread_mutex_unlock(&mutex);
	return f ? 0 : -EBADF;
}

static int resize(struct file *f, size_t size)
{
	char *data = size ? realloc(f->data, size) : NULL;

	if (size && !data)
		return -ENOSPC;
	if (!size)
		free(f->data);
	f->data = data;
	if (size > f->size)
		memset(data + f->size, 0, size - f->size);
	f->size = size;
	return 0;
}

/* Runs with the file locked; the errors that all calls share. */
static long with_file(int fd, int64_t off,
		      long (*fn)(struct file *f, void *buf, size_t size, size_t off),
		      void *buf, size_t size)
{
	struct file *f;
	long ret;

	if (fake_must_fail())
		return -ENOMEM;
	if (off < 0)
		return -EINVAL;
	(void)pthread_mutex_lock(&mutex);
	f = file_of(fd);
	ret = f ? fn(f, buf, size, (size_t)off) : -EBADF;
	(void)pthread_mutex_unlock(&mutex);
	return ret;
}

static long read_part(struct file *f, void *buf, size_t size, size_t off)
{
	if (off >= f->size)
		return 0;
	size = MIN(size, f->size - off);
	memcpy(buf, f->data + off, size);
	return (long)size;
}

static long write_part(struct file *f, void *buf, size_t size, size_t off)
{
	if (off + size > f->size && resize(f, off + size))
		return -ENOSPC;
	if (size)
		memcpy(f->data + off, buf, size);
	return (long)size;
}

static long truncate_to(struct file *f, void *buf, size_t size, size_t off)
{
	(void)buf;
	(void)size;
	return resize(f, off);
}

long host_pread(int fd, void *buf, size_t size, int64_t off)
{
	return with_file(fd, off, read_part, buf, size);
}

long host_preadv(int fd, const struct linux_iovec *iov, int count, int64_t off)
{
	long done = 0;

	for (int i = 0; i < count; i++) {
		void *part = (void *)(uintptr_t)iov[i].iov_base; // NOLINT
		long got = host_pread(fd, part, iov[i].iov_len, off + done);

		if (got < 0)
			return done ? done : got;
		done += got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	return done;
}

long host_pwrite(int fd, const void *buf, size_t size, int64_t off)
{
	return with_file(fd, off, write_part, (void *)(uintptr_t)buf, size);
}

int host_ftruncate(int fd, int64_t size)
{
	return (int)with_file(fd, size, truncate_to, NULL, 0);
}
