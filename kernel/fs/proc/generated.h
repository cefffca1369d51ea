/* SPDX-License-Identifier: MIT */
/* generated.h - files whose contents are made when they are read: for procfs, sysfs and
 * their kin.
 *
 * The contents are made at the first read and again at each read from the start, so that
 * a program that rewinds sees news; in between, reads at any offset see one text. What is
 * long may be made in pieces, as the reader gets there; who goes back has it made again.
 */
#pragma once
#include "abi/types.h"

struct file;
struct file_ops;
struct namespace;
struct uio;
struct user_ns;

/* A text that grows. After a failed allocation it stays as it is. */
struct text {
	char *buf;
	size_t len;
	size_t size;
	bool is_failed;
	const struct user_ns *user_ns; /* of who opened the file; NULL: no file */
	uint64_t at;   /* a piece: where it begins, 0 or what the last one's next was */
	uint64_t next; /* where more is to be had; 0: nowhere */
};

void text_printf(struct text *t, const char *format, ...) PRINTF(2, 3);
void text_puts(struct text *t, const char *s);
void text_putc(struct text *t, char c);
void text_write(struct text *t, const void *data, size_t size);
/* Spaces up to column `width` of what was written since `start`, one at least. */
void text_pad(struct text *t, size_t start, size_t width);
/* With white space, backslashes and '#' as octal escapes, as in /proc/mounts. */
void text_escaped(struct text *t, const char *s, const char *escape);
void text_fini(struct text *t);
/* The user namespace that ids are shown in, and ids of the kernel as it shows them. */
const struct user_ns *text_user_ns(const struct text *t);
uid_t text_uid(const struct text *t, uid_t uid);
gid_t text_gid(const struct text *t, gid_t gid);

/* Makes the contents: 0 or -errno, which read(2) returns. No locks are held. */
typedef int (*generated_show_t)(struct file *f, struct text *t);
/* What was written: len bytes and a NUL. 0 or -errno. */
typedef int (*generated_store_t)(struct file *f, char *data, size_t len);

/* For inode_ops.open of inodes whose fops is generated_file_ops. show and store may be
 * NULL. 0 or -ENOMEM. */
int generated_open(struct file *f, generated_show_t show,
		   generated_store_t store) MUST_CHECK;
/* A number to keep with the file, from its open on. */
void generated_set_about(struct file *f, uint64_t about);
uint64_t generated_about(const struct file *f);
/* The same of a namespace, which the file does not keep: once, before others have f. */
void generated_set_namespace(struct file *f, struct namespace *ns);
/* A reference, or NULL: it is no more. */
struct namespace *generated_namespace(const struct file *f) MUST_CHECK;
/* It is about to be no more. Of a user namespace nobody needs to say so: the file has the
 * credentials of who opened it. */
void generated_forget(const struct namespace *ns);
extern const struct file_ops generated_file_ops;
/* For operations of one's own beside these. */
ssize_t generated_read(struct file *f, struct uio *u, int64_t *pos);
int64_t generated_lseek(struct file *f, int64_t off, int whence);
void generated_release(struct file *f);
extern const struct file_ops generated_pid_ops; /* as those of /proc/PID */
