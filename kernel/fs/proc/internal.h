/* SPDX-License-Identifier: MIT */
/* internal.h - between the files of procfs. */
#pragma once
#include "abi/types.h"
#include "fs/path.h"
#include "fs/proc/access.h"
#include "fs/vfs.h"
#include "mm/mm.h"

struct dir_context;
struct fdtable;
struct file;
struct fs_context;
struct linux_rusage;
struct kstat;
struct namespace;
struct pseudo_node;
struct task;
struct text;

/* ---- a process' part of the tree: pid.c ---- */

struct pid_inode {
	struct inode inode;
	pid_t tid;
	nsec_t start;	/* of the task: says whether tid still means the same one */
	bool is_thread; /* below /proc/PID/task/TID: about one thread, not its process */
	const struct pid_entry *entry;
	int fd;			    /* of fd/N and fdinfo/N */
	uaddr_t map_start, map_end; /* of map_files/START-END */
};

/* Directories with entries of their own. */
struct pid_dir {
	int (*lookup)(struct pid_inode *dir, struct task *t, struct dentry *d,
		      struct inode **out);
	int (*iterate)(struct pid_inode *dir, struct task *t, struct file *f,
		       struct dir_context *ctx);
	/* What stat(2) says of its links and size, in *out; NULL: 2 and 0. */
	void (*measure)(const struct pid_inode *dir, struct task *t, struct kstat *out);
};

enum pid_where { PID_PROCESS = 1, PID_THREAD = 2, PID_BOTH = 3 };

struct pid_entry {
	const char *name;
	uint32_t mode;	    /* with the type */
	uint8_t where;	    /* enum pid_where */
	bool is_guarded;    /* only for those who might trace the task */
	bool takes_offsets; /* pwrite works, as it does not on a sequence of lines */
	bool is_of_mm;	    /* about the memory that the process had when it was opened */
	int (*open)(struct file *f, struct task *t); /* for fops, without show */
	int (*show)(struct text *out, struct task *t, const struct pid_inode *i);
	int (*store)(struct task *t, const struct pid_inode *i, char *data, size_t len);
	/* A magic link's place. References. */
	int (*place)(struct task *t, const struct pid_inode *i, struct path *out);
	/* If a magic link may be gone through by the current task: 0 or -errno. NULL: by
	 * whoever may read it. */
	int (*may_follow)(struct task *t, const struct pid_inode *i);
	/* An ordinary link's text, or what readlink says of a magic one: bytes. */
	long (*text)(struct task *t, const struct pid_inode *i, char *buf, size_t size);
	const struct pid_dir *dir;
	const struct file_ops *fops; /* instead of those of generated text */
};

/* The task of an inode: a reference, or NULL when it is gone. */
struct task *pid_task(const struct pid_inode *i) MUST_CHECK;
struct pid_inode *pid_inode_of(const struct inode *inode);
/* An inode for an entry of t: a reference, or NULL. */
struct inode *pid_inode_create(struct superblock *sb, struct task *t, bool is_thread,
			       const struct pid_entry *entry, int fd) MUST_CHECK;
/* The directories /proc/PID and /proc/PID/task/TID. */
extern const struct pid_entry pid_process_dir, pid_thread_dir;
/* The inode number of an entry. */
uint64_t pid_ino(pid_t tid, bool is_thread, const struct pid_entry *entry, int fd);

/* Of t, a zombie too: false if unknown. */
bool task_pgroup_ids(struct task *t, pid_t *pgid, pid_t *sid, pid_t *foreground,
		     uint64_t *tty);
/* The current task has cap over the user namespace of t. */
bool pid_capable(struct task *t, int cap);
bool task_is_whole(const struct pid_inode *i);

/* ---- entries, by file ---- */

/* pid_status.c */
int pid_show_stat(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_statm(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_status(struct text *out, struct task *t, const struct pid_inode *i);
/* pid_usage.c */
struct task_usage {
	nsec_t user, system; /* CPU time */
	uint64_t min_faults, maj_faults;
	uint64_t rss_pages, peak_pages;
	struct mm_use memory;
};
void task_usage_get(struct task *t, bool whole, struct mm *mm, unsigned wants,
		    struct task_usage *out);
char task_state_letter(struct task *t);
void task_switches_get(struct task *t, uint64_t *voluntary, uint64_t *involuntary);
/* Of a CLOCK_MONOTONIC time of the machine, as ps and top reckon start times: by the
 * CLOCK_BOOTTIME of the current task. */
uint64_t ticks_since_boot(nsec_t monotonic);
/* pid_memory.c */
enum memory_kind { MEMORY_ANON, MEMORY_FILE, MEMORY_SHMEM };
/* What the pages of v that are its object's are; and what all its pages are taken for
 * when the host does not tell them apart. */
enum memory_kind vma_object_kind(const struct vma *v);
enum memory_kind vma_memory_kind(const struct vma *v);
bool vma_may_be_resident(const struct vma *v);
/* The next process from pid on that has memory: a reference to its leader, or NULL. Takes
 * process_tree_lock. */
struct task *proc_next_leader(pid_t from);
/* What takes longer: the counts of faults and blocks, which a thread of that process has
 * to ask for; and what of the memory is its own, where others have pages as well. */
enum memory_want { MEMORY_WANT_FAULTS = 1 << 0, MEMORY_WANT_SHARES = 1 << 1 };
/* t: a task that has mm. As it was last seen if it cannot be had now. wants: enum
 * memory_want. */
void memory_use_get(struct task *t, struct mm *mm, unsigned wants, struct mm_use *out);
/* pid_text.c */
int pid_show_cmdline(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_environ(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_comm(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_comm(struct task *t, const struct pid_inode *i, char *data, size_t len);
int pid_show_auxv(struct text *out, struct task *t, const struct pid_inode *i);
/* pid_mem.c */
extern const struct file_ops pid_mem_ops;
/* For files about the memory that a process has when they are opened. */
int pid_mm_open(struct inode *inode, struct file *f);
int64_t pid_mm_lseek(struct file *f, int64_t off, int whence);
/* pid_pagescan.c */
long pid_pagemap_ioctl(struct file *f, unsigned int cmd, uint64_t arg);
/* pid_limits.c */
int pid_show_limits(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_io(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_sched(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_schedstat(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_children(struct text *out, struct task *t, const struct pid_inode *i);
/* pid_settings.c */
int pid_show_oom_score(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_oom_score_adj(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_oom_score_adj(struct task *t, const struct pid_inode *i, char *data,
			    size_t len);
int pid_show_oom_adj(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_oom_adj(struct task *t, const struct pid_inode *i, char *data, size_t len);
int pid_show_timerslack(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_timerslack(struct task *t, const struct pid_inode *i, char *data,
			 size_t len);
int pid_show_coredump_filter(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_coredump_filter(struct task *t, const struct pid_inode *i, char *data,
			      size_t len);
int pid_show_loginuid(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_sessionid(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_loginuid(struct task *t, const struct pid_inode *i, char *data, size_t len);
int pid_store_sched(struct task *t, const struct pid_inode *i, char *data, size_t len);
int pid_show_attr(struct text *out, struct task *t, const struct pid_inode *i);
int pid_store_attr(struct task *t, const struct pid_inode *i, char *data, size_t len);
/* pid_state.c */
int pid_show_personality(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_syscall(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_stack(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_timers(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_fixed(struct text *out, struct task *t, const struct pid_inode *i);
/* pid_timens.c */
int pid_show_timens(struct text *out, struct task *t, const struct pid_inode *i);
extern const struct file_ops pid_timens_ops;
/* pid_userns.c */
int pid_open_id_map(struct file *f, struct task *t);
int pid_open_setgroups(struct file *f, struct task *t);
extern const struct file_ops pid_id_map_ops, pid_setgroups_ops;
/* pid_maps.c */
int pid_show_maps(struct text *out, struct task *t, const struct pid_inode *i);
/* /proc/PID/maps: generated_pid_ops with PROCMAP_QUERY (pid_mapquery.c). */
extern const struct file_ops pid_maps_ops;
int pid_show_smaps(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_smaps_rollup(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_numa_maps(struct text *out, struct task *t, const struct pid_inode *i);
/* pid_pagemap.c */
extern const struct file_ops pid_pagemap_ops;
int pid_store_clear_refs(struct task *t, const struct pid_inode *i, char *data,
			 size_t len);
/* pid_mapfiles.c */
extern const struct pid_dir pid_map_files_dir;
/* mounts.c */
extern const struct file_ops mounts_file_ops;
int pid_show_mounts(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_mountinfo(struct text *out, struct task *t, const struct pid_inode *i);
int pid_show_mountstats(struct text *out, struct task *t, const struct pid_inode *i);
/* pid_link.c */
int pid_place_exe(struct task *t, const struct pid_inode *i, struct path *out);
int pid_place_cwd(struct task *t, const struct pid_inode *i, struct path *out);
int pid_place_root(struct task *t, const struct pid_inode *i, struct path *out);
extern const struct pid_dir pid_ns_dir, pid_net_dir;
/* nsfs.c */
/* The file of a namespace: references. -ENOMEM. */
int nsfs_place(struct namespace *ns, struct path *out) MUST_CHECK;
/* Its name, such as "uts:[4026531838]": bytes, without the NUL. */
size_t nsfs_print(const struct namespace *ns, char *buf, size_t size);
void nsfs_init(void);
/* pid_fd.c */
extern const struct pid_dir pid_fd_dir, pid_fdinfo_dir;
/* pid_task.c */
extern const struct pid_dir pid_task_dir;

/* ---- mount options: options.c ---- */

enum hidepid {
	HIDEPID_OFF,
	HIDEPID_NO_ACCESS,
	HIDEPID_INVISIBLE,
	HIDEPID_PTRACEABLE = 4
};
struct proc_options {	  /* sb->private */
	uint32_t hidepid; /* enum hidepid */
	gid_t gid;	  /* whose members see all */
	bool only_pids;	  /* subset=pid */
};
int proc_takes(const char *key, const char *value);
int proc_options_parse(struct proc_options *o, const char *text);
void proc_show_options(struct superblock *sb, char *buf, size_t size);
int proc_remount(struct superblock *sb, const char *options);
/* The current task may have from t what a mount hides from hidepid=least on. */
bool proc_may_see(const struct superblock *sb, struct task *t, enum hidepid least);

/* ---- the rest of the tree ---- */

extern struct pseudo_node proc_root; /* what is not about a process */
extern struct pseudo_node proc_net;  /* /proc/PID/net */
void proc_add_system(void);	     /* system.c */
void proc_add_kmsg(void);	     /* kmsg.c */
void proc_add_config(void);	     /* config.c */
void proc_add_sysctl(void);	     /* sysctl.c */
void proc_add_net(void);	     /* net.c */
int cpuinfo_show(struct text *t, void *arg);
/* system_memory.c */
int meminfo_show(struct text *t, void *arg);
int vmstat_show(struct text *t, void *arg);
int zoneinfo_show(struct text *t, void *arg);
int buddyinfo_show(struct text *t, void *arg);
int slabinfo_show(struct text *t, void *arg);
