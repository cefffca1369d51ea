/* SPDX-License-Identifier: MIT */
/* coredump.h - core files (core(5)): for the files that write them.
 *
 * coredump.c has the other threads stop and opens the file; core_name.c says what it is
 * called; core_note.c writes about the process and its threads; core_write.c lays out the
 * file and copies the memory. */
#pragma once
#include "fs/proc/pid_areas.h"
#include "lib/list.h"
#include "process/task.h"

struct file;
struct linux_siginfo;

/* A thread of a process that leaves a core file. */
struct core_thread {
	struct list link; /* in core_dump.threads */
	struct task *task;
	uint64_t fs_base, gs_base;
	void *xstate;	 /* a plain xsave area, or NULL: no memory */
	void *allocated; /* what holds that */
};

struct core_dump {
	struct list threads; /* process->lock: those that wait; the dying one first */
	int waiting;	     /* process->lock: how many there are */
	int signo;
	const struct linux_siginfo *info;
	uint64_t limit; /* RLIMIT_CORE */
	int dumpable;	/* enum dumpable */
	struct areas areas;
};

/* t, the current task, dies of signo: leaves a core file if that is wanted and can be
 * done, and notes in the process' status that it did. */
void core_dump(struct task *t, int signo, const struct linux_siginfo *info);
/* The current task ends: if the process is leaving a core file, waits until that is done.
 */
void core_dump_join(struct task *t);

/* The file's name: 0, -ENAMETOOLONG, -ENOENT (none), -EPERM (a pipe or socket). */
int core_name(const struct core_dump *cd, char *out, size_t size) MUST_CHECK;

/* Notes in the making. */
struct core_notes {
	char *data;
	size_t len, size;
	bool is_failed; /* no memory */
};
void core_notes_make(const struct core_dump *cd, struct core_notes *n);

/* Writes the core to f, or the beginning of it. False: nothing. */
bool core_write(const struct core_dump *cd, struct file *f) MUST_CHECK;
