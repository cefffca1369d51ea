/* SPDX-License-Identifier: MIT */
/* context.h - root, working directory and umask of a process. Shared by CLONE_FS, copied
 * by fork. */
#pragma once
#include "abi/types.h"
#include "base/lock.h"
#include "base/ref.h"
#include "fs/path.h"

struct task;

struct fs_context {
	struct ref refs;
	struct lock lock; /* RANK_FSCONTEXT */
	struct path root; /* lock; ref */
	struct path cwd;  /* lock; ref */
	uint32_t umask;	  /* atomic */
	uint32_t users;	  /* atomic: the tasks that have it */
};

/* At the root of the mount tree, umask 022. NULL: no memory. */
struct fs_context *fs_context_create(void) MUST_CHECK;
struct fs_context *fs_context_copy(struct fs_context *fs) MUST_CHECK;
void fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
/* The same for a task that shares it, and for one that has it no longer (NULL is fine).
 * create and copy make it for one task. */
void fs_context_join(struct fs_context *fs);
void fs_context_leave(struct fs_context *fs);
/* Of any task: references. */
void fs_context_root(struct fs_context *fs, struct path *out);
void fs_context_cwd(struct fs_context *fs, struct path *out);
/* Its root is not that of the mount tree. */
bool fs_context_is_chrooted(struct fs_context *fs);
/* Takes over p's references. */
void fs_context_set_root(struct fs_context *fs, const struct path *p);
void fs_context_set_cwd(struct fs_context *fs, const struct path *p);
/* Everyone whose root or directory is from gets to instead: pivot_root(2). */
void fs_contexts_move(const struct path *from, const struct path *to);
/* unshare(CLONE_FS). */
int fs_context_unshare(struct task *t) MUST_CHECK;
