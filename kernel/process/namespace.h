/* SPDX-License-Identifier: MIT */
/* namespace.h - what namespaces of all kinds have in common (namespaces(7)), and the
 * object that says which ones a task is in. Of time there may be several (time_ns.h), of
 * every other kind there is one. That of the network belongs to a later folder
 * (net/net_ns.h). */
#pragma once
#include "abi/types.h"
#include "base/ref.h"

struct inode;
struct task;
struct time_ns;
struct user_ns;

struct namespace
{
	struct ref refs;
	uint32_t kind; /* const: CLONE_NEW* */
	uint64_t ino;  /* const: of its file: no other ever has it */
	/* const: whose capabilities count over it; who makes one holds a reference, which
	 * free() puts. Of a user namespace: its parent. */
	struct user_ns *owner;
	uid_t maker;	     /* const: whom it counts for (ns_count.h) */
	struct inode *inode; /* fs/proc/nsfs.c, its lock: of its file, while there is one
			      */
	void (*free)(struct namespace * ns); /* const; NULL: it is there for ever */
};

/* Linux's numbers of the first ones begin with this, that of the first time namespace. */
#define NAMESPACE_INO_FIRST 4026531834

/* A new one with one reference, of a kind that can be made, which uid (the kernel's id)
 * makes in a user namespace; 0, -ENOSPC: too many. fini is for its free(). */
int namespace_init(struct namespace *ns, uint32_t kind, struct user_ns *owner, uid_t uid,
		   void (*free)(struct namespace *ns)) MUST_CHECK;
void namespace_fini(struct namespace *ns);
void namespace_get(struct namespace *ns);
void namespace_put(struct namespace *ns);

/* How a later folder makes a network namespace, owned by that user namespace: 0 with a
 * reference, -ENOSPC, -ENOMEM. Set at start-up. */
extern int (*namespace_create_net)(struct user_ns *owner, struct namespace **out);

/* Those of a task. Immutable once a task has it, as credentials are: changed by copy and
 * swap. */
struct nsproxy {
	struct ref refs;
	struct time_ns *time;		   /* ref */
	struct time_ns *time_for_children; /* ref: and of what the task execs */
	struct namespace *net;		   /* ref: a struct net_ns. In the first one from
					      start-up on */
};
extern struct nsproxy first_nsproxy;

void nsproxy_get(struct nsproxy *n);
void nsproxy_put(struct nsproxy *n);
/* What t, the current task, is to have. 0 with a reference, or -errno:
 * what its child has, made with CLONE_* flags, where user is its user namespace; */
int nsproxy_for_child(const struct task *t, uint64_t flags, struct user_ns *user,
		      struct nsproxy **out) MUST_CHECK;
/* itself, after unshare(2) of flags, when user is its own; */
int nsproxy_for_unshare(const struct task *t, uint64_t flags, struct user_ns *user,
			struct nsproxy **out) MUST_CHECK;
/* in a new program; */
int nsproxy_for_exec(const struct task *t, struct nsproxy **out) MUST_CHECK;
/* or what n is with one more namespace, of time or of the network, that it enters. */
int nsproxy_entering(const struct nsproxy *n, struct namespace *ns,
		     struct nsproxy **out) MUST_CHECK;
/* The current task has n from now on, whose reference is taken over. */
void nsproxy_switch(struct task *t, struct nsproxy *n);
/* A reference, or NULL when t has ended. Takes its process' lock. */
struct nsproxy *task_nsproxy(struct task *t) MUST_CHECK;
/* The namespace of a kind that t is in, or its children will be: a reference, or NULL
 * when t has ended and has left it. */
struct namespace *task_namespace(struct task *t, uint32_t kind,
				 bool of_children) MUST_CHECK;
