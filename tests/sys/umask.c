/* SPDX-License-Identifier: MIT */
/* files */
/* umask.c - the mask of a process: told, kept, applied, nine bits wide. */
#include "proc.h"
#include <sys/stat.h>

static mode_t made_with(mode_t mode)
{
	char name[64];
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), "umask-%d", getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	CHECK(unlink(name) == 0);
	close(fd);
	return st.st_mode & 07777;
}

static void the_old_mask_is_returned(void)
{
	mode_t old = umask(027);

	CHECK(umask(0) == 027);
	CHECK(umask(0177777) == 0);
	CHECK(umask((mode_t)old) == 0777); /* other bits are dropped */
}

static void it_takes_bits_from_new_files(void)
{
	umask(022);
	CHECK(made_with(0666) == 0644);
	umask(077);
	CHECK(made_with(0777) == 0700);
	umask(0);
	CHECK(made_with(0666) == 0666);
	umask(0200);
	CHECK(made_with(0640) == 0440);
	umask(022);
}

static void children_inherit_it_and_threads_share_it(void)
{
	umask(0135);
	CHILD(pid)
	{
		_exit(umask(0) == 0135 ? 0 : 1);
	}
	WAIT_EXIT(pid, 0);
	pthread_t t;
	thread_start(&t, (void *(*)(void *))(void *)umask, (void *)0246);
	thread_join(t);
	CHECK(umask(022) == 0246);
}

RUN(TEST(the_old_mask_is_returned), TEST(it_takes_bits_from_new_files),
    TEST(children_inherit_it_and_threads_share_it))
