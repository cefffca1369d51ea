/* SPDX-License-Identifier: MIT */
/* pseudo.h - trees of directories, generated files and links that are made once, at
 * start-up.
 *
 * Every superblock of a type shows the same tree. A node's functions get its arg. */
#pragma once
#include "abi/types.h"
#include "lib/list.h"

struct dentry;
struct dir_context;
struct file;
struct file_ops;
struct inode;
struct namespace;
struct superblock;
struct text;

/* A file that shows each namespace something of its own: what is read and written is that
 * of who opened it, whoever does so. */
struct pseudo_scope {
	/* Whether the current task counts as the owner of what is ns's. Who writes must
	 * be that as who opens must. */
	bool (*is_owned)(const struct namespace *ns);
	/* The current task's: borrowed. */
	struct namespace *(*current)(void);
};

struct pseudo_node {
	const char *name;
	uint32_t mode; /* with the type */
	uint64_t ino;
	struct pseudo_node *parent;
	struct list link; /* in parent->children */
	struct list children;
	void (*fill)(void); /* atomic: makes the children, which are not there yet */
	/* Before somebody looks at its children: brings them up to date. It may sleep:
	 * no lock is held. */
	void (*refresh)(void);
	int (*show)(struct text *t, void *arg);
	int (*store)(char *data, size_t len, void *arg);
	/* Instead, of a file with a scope. */
	int (*show_of)(struct text *t, struct namespace *ns, void *arg);
	int (*store_of)(char *data, size_t len, struct namespace *ns, void *arg);
	const char *target; /* of a link */
	bool is_hidden;	    /* atomic: not there just now; see refresh */
	bool is_strict;	    /* modes here and below hold for everyone: /proc/sys */
	/* Of a file there; NULL: it is everyone's, and who is effectively root owns it.
	 */
	const struct pseudo_scope *scope;
	const struct file_ops *fops; /* of a file that is not generated */
	void *arg;
};

/* The root of a tree. */
void pseudo_root_init(struct pseudo_node *root);
/* Lets fill make what is below dir when it is first looked for; once. It may sleep but on
 * no lock above RANK_IDR. */
void pseudo_fill_later(struct pseudo_node *dir, void (*fill)(void));
/* Around changes that refresh makes. */
void pseudo_update_begin(void);
void pseudo_update_end(void);
/* Each finds or makes the directories of path ("sys/kernel") first. Names are borrowed
 * for ever, or copied where path has several parts. NULL: no memory. */
struct pseudo_node *pseudo_dir(struct pseudo_node *root, const char *path);
struct pseudo_node *pseudo_file(struct pseudo_node *root, const char *path, uint32_t mode,
				int (*show)(struct text *t, void *arg),
				int (*store)(char *data, size_t len, void *arg),
				void *arg);
struct pseudo_node *
pseudo_scoped_file(struct pseudo_node *root, const char *path, uint32_t mode,
		   const struct pseudo_scope *scope,
		   int (*show)(struct text *t, struct namespace *ns, void *arg),
		   int (*store)(char *data, size_t len, struct namespace *ns, void *arg),
		   void *arg);
struct pseudo_node *pseudo_link(struct pseudo_node *root, const char *path,
				const char *target);
/* A file that always says the same: a string with its newline. */
struct pseudo_node *pseudo_text(struct pseudo_node *root, const char *path,
				const char *text);

struct pseudo_node *pseudo_find(struct pseudo_node *dir, const char *name, size_t len);
/* An inode for the node: a reference, or NULL. */
struct inode *pseudo_inode_create(struct superblock *sb,
				  struct pseudo_node *node) MUST_CHECK;
/* Emits the children, which are at the positions from 2 on. Returns false when there was
 * no room. */
bool pseudo_emit(struct pseudo_node *dir, struct dir_context *ctx);
/* The position after the last child. */
int64_t pseudo_end(struct pseudo_node *dir);
