/* SPDX-License-Identifier: MIT */
/* killed_asleep_memory.h - the waits of killed_asleep.c for memory that is missing, in
 * calls that have something of another process meanwhile: it is not kept for ever. */
#pragma once
enum { VECTOR = 100 };

/* Between this process and its parent; the vectors are of more pieces than a call has at
 * hand, and the first of the parent's ends where the memory here is missing. */
static void move_missing(long call)
{
	static struct iovec remote[VECTOR], local[VECTOR];
	char *p = missing_page() + 8192 - 8;

	for (int i = 0; i < VECTOR; i++) {
		remote[i] = (struct iovec){page + i * 16, 10};
		local[i] = (struct iovec){p + i * 16, 10};
	}
	(void)!syscall(call, getppid(), local, VECTOR, remote, VECTOR, 0);
	pause(); /* it was not allowed, or there are no missing pages */
}
static void vm_read_missing(void)
{
	move_missing(SYS_process_vm_readv);
}
static void vm_write_missing(void)
{
	move_missing(SYS_process_vm_writev);
}
/* Nobody reads of what is to be removed. */
static void madvise_told(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api a = {.api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMOVE};
	char *p = mmap(NULL, PIPE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register r = {
		{(uintptr_t)p, PIPE_SIZE}, UFFDIO_REGISTER_MODE_MISSING, 0};
	struct iovec v = {p, PIPE_SIZE};

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &a) == 0 &&
	    ioctl(fd, UFFDIO_REGISTER, &r) == 0)
		(void)!syscall(SYS_process_madvise, syscall(SYS_pidfd_open, getpid(), 0),
			       &v, 1, MADV_DONTNEED, 0);
	pause();
}
