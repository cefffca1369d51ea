/* SPDX-License-Identifier: MIT */
/* proc.h - procfs: start-up, and the facts about the machine that it shows. */
#pragma once
#include "abi/types.h"

struct file;
struct mm_use;
struct namespace;
struct text;

/* Facts from the launcher, filled in by core/ before the first process runs; what is 0 is
 * guessed. */
struct proc_facts {
	uint32_t cpu_count; /* else: those that the host lets the sandbox run on */
	uint64_t mem_total; /* bytes: the limit of the sandbox if there is one, else the
			       host's */
	uint64_t mem_free;  /* bytes at start */
};
extern struct proc_facts proc_facts;

/* Registers the type "proc". Once, before the first mount. */
void proc_init(void);

/* Start-up: net/ shows a file of /proc/net. name is borrowed for ever. */
void proc_net_add(const char *name, int (*show)(struct text *t, void *arg), void *arg);

/* The text of a setting that is only kept, "kernel/core_pattern"; cut to size bytes with
 * its NUL. */
void proc_setting(const char *path, char *buf, size_t size);

unsigned proc_cpu_count(void);

/* For later folders, at start-up: a number of theirs (atomic) in /proc/sys. path is
 * borrowed for ever. min > max: it can only be read. */
void proc_sysctl_number(const char *path, int *value, int min, int max);

/* The same for a setting of their own, and for a file of /proc. */
struct proc_file {
	const char *path; /* "kernel/sem" in /proc/sys, "sysvipc/sem" in /proc */
	uint32_t mode;
	int (*show)(struct text *t, void *arg);
	int (*store)(char *data, size_t len, void *arg); /* NULL: cannot be written */
	void *arg;
};
void proc_sysctl_files(const struct proc_file *files, size_t count);
/* A network namespace ends: what was kept for it is freed. */
void proc_forget_net(const struct namespace *net);
/* Settings that each network namespace has by itself: its owner may write them. net: that
 * of who opened the file. */
struct proc_net_file {
	const char *path;
	uint32_t mode;
	int (*show)(struct text *t, struct namespace *net, void *arg);
	int (*store)(char *data, size_t len, struct namespace *net, void *arg);
	void *arg;
};
void proc_sysctl_net_files(const struct proc_net_file *files, size_t count);
void proc_files(const struct proc_file *files, size_t count);

/* Of all processes that there are, and of children that they have waited for. */
struct proc_totals {
	nsec_t user, system; /* CPU time */
	unsigned tasks, running;
	pid_t last; /* the highest process id */
};
void proc_totals_get(struct proc_totals *out);
/* Adds up what all address spaces use; returns the kernel's own pages. No locks are held.
 */
size_t proc_memory_get(struct mm_use *sum);

extern int core_uses_pid; /* atomic: kernel.core_uses_pid */

/* The namespace that a file of /proc/PID/ns is: borrowed from it, or NULL. */
struct namespace *nsfs_namespace(const struct file *f);
/* A descriptor, close-on-exec, for a namespace. */
long nsfs_open(struct namespace *ns) MUST_CHECK;
/* kernel/seccomp/actions_logged. Atomic: bit 0: kill_process, and so on in the order of
 * actions_avail. */
extern uint32_t seccomp_logged;
