/* SPDX-License-Identifier: MIT */
/* boot.h - what the launcher hands to the kernel, and what both see of the sandbox.
 *
 * The launcher makes the kernel segment (a memfd), maps it at KERNEL_DATA_BASE, copies
 * the image's data there, fills struct boot_params at BOOT_PARAMS_ADDR (the segment's
 * first pages after the image's bss are the kernel's heap; the boot page area is fixed at
 * the segment's end), forks the first host process, and that process jumps to the image's
 * entry point with the stack at the top of the boot area. The same page serves afterwards
 * as the mailbox between monitor and kernel. Plain C, included by launcher/ too. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_TEXT_BASE   0x7ff000000000UL
#define KERNEL_DATA_BASE   0x7ff000400000UL
#define KERNEL_SEGMENT_MAX (16UL << 30) /* address range; memory is used as touched */
#define BOOT_PARAMS_ADDR                                                                 \
	(KERNEL_DATA_BASE +                                                              \
	 KERNEL_SEGMENT_MAX)	   /* a second shared mapping of the same memfd's tail */
#define BOOT_AREA_SIZE (6UL << 20) /* params, strings, boot stack at its end */
#define BOOT_MAGIC     0x4361726279e5UL

enum boot_mount_kind { BOOT_MOUNT_HOST, BOOT_MOUNT_TMPFS };

struct boot_mount {
	uint32_t kind;
	int32_t dirfd; /* HOST: directory (or file) on the host */
	uint32_t read_only;
	uint32_t is_file;    /* HOST: dirfd is a plain file, opened for all that the guest
				may do with it */
	uint64_t guest_path; /* char * in the boot area, absolute */
	uint64_t host_path;  /* char * : what /proc/mounts shows as source */
	uint32_t has_sockets; /* its socket files are for the gate too (host/gate.h) */
	uint32_t pad;
};

/* A descriptor that the caller passes to the program, at the same number. */
struct boot_inherited {
	int32_t fd;			/* host descriptor, -1: closed */
	int32_t family, type, protocol; /* of a socket; family 0: it is none */
};

/* carbyne trace */
enum boot_trace_flags {
	TRACE_SUMMARY = 1 << 0,	     /* -c: count only */
	TRACE_TIME = 1 << 1,	     /* -t: the time of day */
	TRACE_MICROSECONDS = 1 << 2, /* -tt: with microseconds */
	TRACE_EPOCH = 1 << 3,	     /* -ttt: seconds since 1970 */
	TRACE_RELATIVE = 1 << 4,     /* -r: since the line before */
	TRACE_SPENT = 1 << 5,	     /* -T: how long the call took */
	TRACE_UNKNOWN = 1 << 6,	     /* calls without a name too */
};
#define TRACE_SET_WORDS	  8
#define BOOT_MEMORY_USERS 128

enum boot_flags {
	BOOT_STATS = 1 << 0,	    /* --stats */
	BOOT_REPORT = 1 << 1,	    /* --report: unimplemented calls by name */
	BOOT_NO_PATCH = 1 << 2,	    /* --no-patch: slow path only */
	BOOT_TRACE = 1 << 3,	    /* carbyne trace */
	BOOT_VIRTUAL_ROOT = 1 << 4, /* host owners outside the map appear as the overflow
				       id: show root */
	BOOT_STDIN_TTY = 1 << 6,
	BOOT_LEAKS = 1 << 7,	   /* --leaks: objects that outlived their processes */
	BOOT_OWN_NETWORK = 1 << 8, /* --net=none: of the host's network nothing */
};

struct boot_params {
	uint64_t magic;
	uint64_t flags;
	/* const after start */
	int32_t segment_fd; /* the memfd */
	int32_t root_fd; /* O_PATH|O_DIRECTORY: root of the default root, read-only lower
			    layer */
	int32_t stdio_fd[3]; /* host descriptors of 0, 1, 2; -1: closed */
	int32_t log_fd;	     /* kernel messages (stderr duplicate) */
	uint32_t uid, gid;   /* identity of the first process */
	uint32_t group_count;
	uint32_t umask;
	uint32_t host_uid; /* as seen inside the user namespace: owner of what we make on
			      the host */
	uint32_t host_gid;
	uint64_t groups;   /* uint32_t * */
	uint64_t argv;	   /* char ** NULL-terminated */
	uint64_t envp;	   /* char ** */
	uint64_t cwd;	   /* char *: absolute guest path */
	uint64_t hostname; /* char * */
	uint64_t mounts;   /* struct boot_mount * */
	uint32_t mount_count;
	uint32_t cwd_fd; /* host directory of the caller's working directory, shown at cwd
			    if that lies under a tmpfs; -1 none */
	uint64_t memory_max;	    /* bytes for guest memory, 0: host's */
	uint64_t kernel_memory_max; /* bytes of segment heap */
	uint64_t rlimits[16][2];
	uint64_t host_descriptors_max; /* of all host processes together */
	uint64_t seccomp_insns;	       /* struct sock_filter * in the boot area */
	uint32_t seccomp_count;
	uint32_t cpu_count;
	uint64_t vdso_addr; /* where the host mapped [vdso] and [vvar…] in the first
			       process (from /proc/self/maps) */
	uint64_t vdso_size;
	uint64_t vvar_addr;
	uint64_t vvar_size;
	uint64_t bss_end; /* end of image in the segment: heap starts here */
	uint64_t hwcap, hwcap2, minsigstksz, clktck; /* from the launcher's auxv */
	char platform[16];
	/* the mailbox: written by both */
	uint32_t monitor_signals;  /* atomic: bit signo-1, low 32; the monitor sets, then
				      kicks the first host process */
	uint32_t monitor_dead_pid; /* atomic: a host process that died by an outside hand;
				      0 when taken */
	int32_t first_host_tid;	   /* whom the monitor kicks */
	uint32_t exited;	   /* atomic: 1 when the sandbox is over */
	int32_t exit_status;	   /* wait status word of the first process */
	uint32_t
		panicked; /* atomic: 1: the kernel panicked (message already on log_fd) */
	uint32_t live_host_processes; /* atomic */
	uint64_t capabilities; /* of the first process: the caller's effective ones, or
				  all for -u root */
	uint64_t host_mem_total, host_mem_free; /* bytes */
	uint64_t host_mem_all;			/* total, with swap */
	uint64_t group_memory_max; /* bytes, of the caller's cgroup; 0: none */
	uint64_t group_cpu_quota, group_cpu_period; /* microseconds; 0: none */
	uint64_t group_pids_max;		    /* 0: none */
	uint64_t trace_flags;			    /* enum boot_trace_flags */
	uint64_t trace_set[TRACE_SET_WORDS]; /* which calls: a bit for each number */
	int32_t trace_fd;		     /* host descriptor that gets the text */
	int32_t utc_offset;		     /* of local time, seconds */
	uint64_t monitor_box; /* struct monitor_box * in the boot area (host/monitor.h) */
	int32_t monitor_fd;   /* a byte written there: a question is in the box */
	uint32_t host_swaps;  /* pages may be in the host's swap */
	/* --memory is passed: what the largest host processes have. The launcher writes
	 * the count last; the kernel puts it back to 0 (atomic). */
	uint32_t memory_user_count;
	struct boot_memory_user {
		int32_t host_pid;
		uint32_t pad;
		uint64_t bytes;
	} memory_users[BOOT_MEMORY_USERS];
	uint64_t
		inherited; /* struct boot_inherited * in the boot area: 3 and following */
	uint32_t inherited_count;
	uint64_t gate_rules; /* struct gate_rule * in the boot area */
	uint32_t gate_rule_count;
	uint32_t published_count;
	uint64_t published; /* struct published_port * in the boot area: of -p */
	int32_t gate_fd;    /* where the gate is asked (host/gate.h), or -1 */
	uint32_t mail; /* atomic: the monitor sets it before it kicks, so that the kick
			  cannot come too early */
};
