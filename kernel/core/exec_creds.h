/* SPDX-License-Identifier: MIT */
/* exec_creds.h - who a new program runs as (execve(2), capabilities(7)). */
#pragma once
#include "abi/types.h"

struct creds;
struct file;
struct task;
struct user_ns;

struct exec_creds {
	struct creds *creds;	    /* ref; NULL: those of before */
	uint32_t clear_personality; /* bits that a privileged program does not inherit */
	bool is_secure;		    /* AT_SECURE */
	bool is_hidden;		    /* the program may not be read: not dumpable */
	struct user_ns *user_ns;    /* borrowed of t's: process.exec_user_ns */
};

/* What the open program f, the last one of a chain of scripts, makes of t's credentials:
 * its set-id bits and capabilities count unless t may get no new privileges or the mount
 * is nosuid. 0, -EPERM (it needs capabilities that t cannot get), -ENOMEM, -EINVAL. */
int exec_creds_prepare(struct exec_creds *ec, struct task *t, struct file *f) MUST_CHECK;
/* t, alone in its process, becomes that. */
void exec_creds_commit(struct exec_creds *ec, struct task *t);
void exec_creds_fini(struct exec_creds *ec);
