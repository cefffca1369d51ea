/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of this folder. */
#pragma once
#include "abi/bpf.h"
#include "abi/seccomp.h"
#include "abi/syscall.h"
#include "base/lock.h"
#include "base/ref.h"
#include "base/waitq.h"
#include "lib/bitmap.h"
#include "lib/list.h"

struct file;
struct task;

struct seccomp_filter {
	struct ref refs;  /* tasks, the next in a chain, the listener */
	uint32_t users;	  /* atomic: tasks, and next ones that have users: see POLLHUP */
	uint32_t count;	  /* const: instructions */
	uint32_t weight;  /* const: what Linux counts them as */
	bool is_logged;	  /* const: SECCOMP_FILTER_FLAG_LOG */
	bool is_killable; /* const: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
	struct linux_sock_filter *program; /* const, kmalloc */
	struct seccomp_filter *prev;	   /* ref, const once attached */
	/* By number: whether this filter and all before it allow the call whatever its
	 * arguments are, once that is known. Atomic. */
	uint64_t known[BITMAP_WORDS(SYSCALL_LIMIT)];
	uint64_t allowed[BITMAP_WORDS(SYSCALL_LIMIT)];

	/* SECCOMP_RET_USER_NOTIF: notify.c */
	struct lock lock;     /* RANK_OBJECT: all below, and the notifications */
	struct waitq changed; /* for listeners: POLL* bits */
	bool has_listener;    /* atomic: changed under the lock */
	uint32_t flags;	      /* SECCOMP_USER_NOTIF_FD_* */
	uint32_t requests;    /* notifications that nobody has asked for yet */
	uint64_t next_id;     /* of a notification */
	struct list waiting;  /* struct notification.wait.link */
};

/* A task's place in a filter's lists, which somebody else clears when its host process is
 * killed. */
struct seccomp_wait {
	struct list link;
	struct seccomp_filter *filter; /* ref of the task */
	struct list addfds;	       /* struct addfd.link: to be done by the task */
};

void filter_get(struct seccomp_filter *f);
void filter_put(struct seccomp_filter *f);

/* Tells the kernel's log of a call, if it is to be told of this action. is_asked_for: by
 * the filter (SECCOMP_FILTER_FLAG_LOG). */
void seccomp_log(struct task *t, const struct linux_seccomp_data *data, int signo,
		 uint32_t action, bool is_asked_for);

/* Gives f a listener: *out is its file. */
int listener_create(struct seccomp_filter *f, struct file **out) MUST_CHECK;
/* f's users have gone. */
void listener_users_gone(struct seccomp_filter *f);
/* Asks the listener of f, whose lock is not held, what becomes of the call: false, it
 * does not take place. */
bool listener_allows(struct task *t, struct seccomp_filter *f,
		     const struct linux_seccomp_data *data, long *result) MUST_CHECK;
/* t's host process is gone, while it waited for an answer. */
void listener_forget(struct task *t);
