/* SPDX-License-Identifier: MIT */
/* overlayfs: a large file is being copied up when its opener is killed. The copying ends
 * there and then, and nothing of it is left. */
/* calls: open kill statfs mount */
/* timeout: 60 */
#include "overlay.h"

#include <sys/vfs.h>

enum { SIZE = 96 << 20, TRIES = 20 };

static void file_make(const char *path)
{
	static char block[1 << 20];
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	memset(block, 'x', sizeof(block));
	CHECK(fd >= 0);
	for (int i = 0; i < SIZE >> 20; i++)
		CHECK(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
	close(fd);
}

static long blocks_free(void)
{
	struct statfs st;

	CHECK(statfs(".", &st) == 0);
	return (long)st.f_bfree;
}

/* Kills who copies once some pages are there. True: it had not copied all. */
static bool kill_amid(long blocks)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		(void)!open("m/big", O_WRONLY);
		for (;;)
			pause();
	}
	while (blocks_free() > blocks - 64)
		;
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return !exists("u/big");
}

static void copy(void)
{
	bool amid = false;
	long blocks;
	struct stat st;

	if (!layers_are_there())
		return;
	CHECK(mount("t", ".", "tmpfs", MS_REMOUNT, "size=400m") == 0);
	file_make("l1/big");
	CHECK(overlay_mount("m", LAYERS) == 0);
	for (int i = 0; i < TRIES && !amid; i++) {
		blocks = blocks_free();
		amid = kill_amid(blocks);
		if (!amid)
			CHECK(unlink("u/big") == 0 && overlay_again(LAYERS));
	}
	CHECK(amid && lists("u", "") && lists("w/work", ""));
	CHECK(blocks_free() > blocks - 16);
	CHECK(chmod("m/big", 0600) == 0 && stat("u/big", &st) == 0);
	CHECK(st.st_size == SIZE && st.st_blocks * 512 >= SIZE);
}

static void killed_while_copying(void)
{
	CHECK(in_child(copy) == 0);
}

RUN(TEST(killed_while_copying))
