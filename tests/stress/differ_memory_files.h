/* SPDX-License-Identifier: MIT */
/*
 * differ_memory_files.h - the files that differ_memory.c maps, and the steps that change
 * them: their sizes, holes, contents and seals.
 */
#pragma once
#include "differ_memory_state.h"

#include <linux/falloc.h>
#include <sys/eventfd.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

enum {
	MEMFD,	   /* may be sealed */
	PLAIN,	   /* a memfd that may not */
	DISK,	   /* a file in the work directory */
	ZERO,	   /* /dev/zero */
	DISK_READ, /* the same as DISK, open for reading only */
	DISK_WRITE,
	MEMFD_READ, /* the same as MEMFD */
	DIRECTORY,
	EVENT,
	PATH_ONLY,
	NULL_DEVICE,
	PIPE,
	NOTHING,
	FILES,
};

static int files[FILES];
static const char *const file_names[FILES] = {
	"MEMFD",       "PLAIN",	     "DISK",	  "ZERO",  "DISK_READ",
	"DISK_WRITE",  "MEMFD_READ", "DIRECTORY", "EVENT", "PATH_ONLY",
	"NULL_DEVICE", "PIPE",	     "NOTHING"};

static void fill_file(int fd, uint64_t pages, uint64_t tag)
{
	uint8_t page[PAGE];

	for (uint64_t i = 0; i < pages; i++) {
		memset(page, (int)(tag * 16 + i + 1), sizeof(page));
		page[0] = code_return;
		MUST(pwrite(fd, page, sizeof(page), (off_t)(i * PAGE)) == PAGE);
	}
}

static int another_of(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static void file_open(int which, uint64_t tag)
{
	switch (which) {
	case MEMFD:
		files[MEMFD] = memfd_create("sealable", MFD_ALLOW_SEALING);
		files[MEMFD_READ] = another_of(files[MEMFD], O_RDONLY);
		fill_file(files[MEMFD], 8, tag);
		break;
	case PLAIN:
		files[PLAIN] = memfd_create("plain", 0);
		fill_file(files[PLAIN], 5, tag);
		break;
	default:
		files[DISK] = open("differ.disk", O_RDWR | O_CREAT | O_TRUNC, 0600);
		files[DISK_READ] = open("differ.disk", O_RDONLY);
		files[DISK_WRITE] = open("differ.disk", O_WRONLY);
		fill_file(files[DISK], 6, tag);
		break;
	}
}

static void file_close(int which)
{
	static const int others[][2] = {[MEMFD] = {MEMFD_READ, -1},
					[PLAIN] = {-1, -1},
					[DISK] = {DISK_READ, DISK_WRITE}};

	close(files[which]);
	for (int i = 0; i < 2; i++)
		if (others[which][i] >= 0)
			close(files[others[which][i]]);
}

static void files_begin(void)
{
	int ends[2];

	file_open(MEMFD, 1);
	file_open(PLAIN, 2);
	file_open(DISK, 3);
	files[ZERO] = open("/dev/zero", O_RDWR);
	files[DIRECTORY] = open(".", O_RDONLY | O_DIRECTORY);
	files[EVENT] = eventfd(0, 0);
	files[PATH_ONLY] = open("differ.disk", O_PATH);
	files[NULL_DEVICE] = open("/dev/null", O_RDWR);
	MUST(pipe(ends) == 0);
	files[PIPE] = ends[0];
	files[NOTHING] = 999;
	for (int i = 0; i < FILES; i++)
		MUST(files[i] >= 0);
}

static int any_store(struct chance *c)
{
	return (int)below(c, 3);
}

/* Mostly what can be mapped. */
static int any_file(struct chance *c)
{
	return (int)(percent(c, 75)   ? below(c, 3)
		     : percent(c, 70) ? below(c, 7)
				      : below(c, FILES));
}

/* Whole pages: what was written behind the end of a file, in its last page, is seen or
 * not when the file grows, as the version of Linux has it. */
static off_t any_size(struct chance *c)
{
	return (off_t)(below(c, 12) * PAGE);
}

static void do_truncate(struct chance *c)
{
	int which = any_file(c);
	off_t size = percent(c, 3) ? -1 : any_size(c);

	say("ftruncate(%s, %#lx)", file_names[which], size);
	done(ftruncate(files[which], size));
}

/* The modes that every file system has which memory lies on. */
static void do_fallocate(struct chance *c)
{
	static const int modes[] = {0, FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE};
	int which = (int)below(c, 2);
	int mode = ANY(c, modes);
	off_t from = any_size(c);
	off_t size = any_size(c);

	say("fallocate(%s, %#x, %#lx, %#lx)", file_names[which], (unsigned int)mode, from,
	    size);
	done(fallocate(files[which], mode, from, size));
}

/* From a buffer of the program's. */
static void do_write(struct chance *c)
{
	int which = any_store(c);
	uint8_t text[200];
	size_t size = 1 + below(c, sizeof(text));
	off_t at = (off_t)((1 + below(c, 10)) * PAGE - size); /* to the end of a page */

	memset(text, (int)below(c, 256), sizeof(text));
	text[0] = code_return;
	say("pwrite(%s, %zu, %#lx)", file_names[which], size, at);
	done(pwrite(files[which], text, size, at));
}

static void do_seal(struct chance *c)
{
	static const int seals[] = {
		F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE,
		F_SEAL_SEAL,   F_SEAL_EXEC, 0x400};
	int seal = ANY(c, seals);
	int which = percent(c, 85) ? MEMFD : any_file(c);

	say("F_ADD_SEALS(%s, %#x)", file_names[which], (unsigned int)seal);
	if (done(fcntl(files[which], F_ADD_SEALS, seal)) == 0)
		say("  seals %#x\n", (unsigned int)fcntl(files[which], F_GET_SEALS));
}

/* A new one in the place of the old. */
static void do_renew(struct chance *c)
{
	int which = any_store(c);

	file_close(which);
	file_open(which, below(c, 16));
	say("%s is new\n", file_names[which]);
}

/* Contents and size, as read(2) sees them. */
static void do_look(struct chance *c)
{
	int which = any_store(c);
	static uint64_t text[16 * PAGE / 8];
	ssize_t n;
	uint64_t hash = 0;

	memset(text, 0, sizeof(text));
	n = pread(files[which], text, sizeof(text), 0);
	for (size_t i = 0; i < sizeof(text) / 8; i++)
		hash = hash * 0x100000001b3 + text[i];
	say("contents of %s: %zd bytes, %#lx\n", file_names[which], n, (long)hash);
}
