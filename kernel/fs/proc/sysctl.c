/* SPDX-License-Identifier: MIT */
/* sysctl.c - /proc/sys.
 *
 * Most settings are remembered and change nothing: they are here because programs read
 * them. Those that the kernel heeds have functions of their own. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "base/lock.h"
#include "base/slab.h"
#include "fs/dnotify.h"
#include "fs/lease.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/pseudo.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "process/creds.h"
#include "process/system.h"
#include "process/task.h"

struct setting {
	const char *path;
	const char *first;
	bool is_fixed;
	char *now; /* settings_lock: NULL: as at first */
};

static struct lock settings_lock = LOCK_INIT(RANK_OBJECT);

#define FIXED	true
#define MAY_SET false

static struct setting settings[] = {
	{"kernel/cap_last_cap", "40", FIXED, NULL},
	{"kernel/core_pattern", "core", MAY_SET, NULL},
	{"kernel/core_uses_pid", "0", MAY_SET, NULL},
	{"kernel/dmesg_restrict", "1", MAY_SET, NULL},
	{"kernel/io_uring_disabled", "2", MAY_SET, NULL},
	{"kernel/keys/maxkeys", "200", MAY_SET, NULL},
	{"kernel/kptr_restrict", "1", MAY_SET, NULL},
	{"kernel/modules_disabled", "1", MAY_SET, NULL},
	{"kernel/msgmax", "8192", MAY_SET, NULL},
	{"kernel/msgmnb", "16384", MAY_SET, NULL},
	{"kernel/msgmni", "32000", MAY_SET, NULL},
	{"kernel/ngroups_max", "65536", FIXED, NULL},
	{"kernel/numa_balancing", "0", MAY_SET, NULL},
	{"kernel/overflowgid", "65534", MAY_SET, NULL},
	{"kernel/overflowuid", "65534", MAY_SET, NULL},
	{"kernel/panic", "0", MAY_SET, NULL},
	{"kernel/panic_on_oops", "0", MAY_SET, NULL},
	{"kernel/perf_event_max_sample_rate", "100000", MAY_SET, NULL},
	{"kernel/perf_event_paranoid", "4", MAY_SET, NULL},
	{"kernel/pid_max", "4194304", MAY_SET, NULL},
	{"kernel/printk", "4\t4\t1\t7", MAY_SET, NULL},
	{"kernel/pty/max", "4096", MAY_SET, NULL},
	{"kernel/pty/nr", "0", FIXED, NULL},
	{"kernel/random/entropy_avail", "256", FIXED, NULL},
	{"kernel/random/poolsize", "256", FIXED, NULL},
	{"kernel/randomize_va_space", "2", MAY_SET, NULL},
	{"kernel/sched_child_runs_first", "0", MAY_SET, NULL},
	{"kernel/sched_rr_timeslice_ms", "100", MAY_SET, NULL},
	{"kernel/sched_rt_period_us", "1000000", MAY_SET, NULL},
	{"kernel/sched_rt_runtime_us", "950000", MAY_SET, NULL},
	{"kernel/seccomp/actions_avail",
	 "kill_process kill_thread trap errno user_notif trace log allow", FIXED, NULL},
	{"kernel/sem", "32000\t1024000000\t500\t32000", MAY_SET, NULL},
	{"kernel/shm_rmid_forced", "0", MAY_SET, NULL},
	{"kernel/shmall", "18446744073692774399", MAY_SET, NULL},
	{"kernel/shmmax", "18446744073692774399", MAY_SET, NULL},
	{"kernel/shmmni", "4096", MAY_SET, NULL},
	{"kernel/sysrq", "0", MAY_SET, NULL},
	{"kernel/tainted", "0", MAY_SET, NULL},
	{"kernel/threads-max", "192731", MAY_SET, NULL},
	{"kernel/unprivileged_bpf_disabled", "2", MAY_SET, NULL},
	{"kernel/yama/ptrace_scope", "1", MAY_SET, NULL},
	{"fs/aio-max-nr", "65536", MAY_SET, NULL},
	{"fs/aio-nr", "0", FIXED, NULL},
	{"fs/dentry-state", "0\t0\t45\t0\t0\t0", FIXED, NULL},
	{"fs/epoll/max_user_watches", "5491533", MAY_SET, NULL},
	{"fs/file-max", "9223372036854775807", MAY_SET, NULL},
	{"fs/file-nr", "64\t0\t9223372036854775807", FIXED, NULL},
	{"fs/inode-nr", "0\t0", FIXED, NULL},
	{"fs/inode-state", "0\t0\t0\t0\t0\t0\t0", FIXED, NULL},
	{"fs/mqueue/msg_default", "10", MAY_SET, NULL},
	{"fs/mqueue/msg_max", "10", MAY_SET, NULL},
	{"fs/mqueue/msgsize_default", "8192", MAY_SET, NULL},
	{"fs/mqueue/msgsize_max", "8192", MAY_SET, NULL},
	{"fs/mqueue/queues_max", "256", MAY_SET, NULL},
	{"fs/overflowgid", "65534", MAY_SET, NULL},
	{"fs/overflowuid", "65534", MAY_SET, NULL},
	{"fs/pipe-user-pages-hard", "0", MAY_SET, NULL},
	{"fs/pipe-user-pages-soft", "16384", MAY_SET, NULL},
	{"fs/suid_dumpable", "0", MAY_SET, NULL},
	{"vm/compaction_proactiveness", "20", MAY_SET, NULL},
	{"vm/dirty_background_ratio", "10", MAY_SET, NULL},
	{"vm/dirty_expire_centisecs", "3000", MAY_SET, NULL},
	{"vm/dirty_ratio", "20", MAY_SET, NULL},
	{"vm/dirty_writeback_centisecs", "500", MAY_SET, NULL},
	{"vm/legacy_va_layout", "0", MAY_SET, NULL},
	{"vm/max_map_count", "65530", MAY_SET, NULL},
	{"vm/min_free_kbytes", "67584", MAY_SET, NULL},
	{"vm/mmap_min_addr", "4096", MAY_SET, NULL},
	{"vm/mmap_rnd_bits", "28", MAY_SET, NULL},
	{"vm/nr_hugepages", "0", MAY_SET, NULL},
	{"vm/nr_overcommit_hugepages", "0", MAY_SET, NULL},
	{"vm/oom_kill_allocating_task", "0", MAY_SET, NULL},
	{"vm/overcommit_kbytes", "0", MAY_SET, NULL},
	{"vm/overcommit_memory", "0", MAY_SET, NULL},
	{"vm/overcommit_ratio", "50", MAY_SET, NULL},
	{"vm/page-cluster", "3", MAY_SET, NULL},
	{"vm/panic_on_oom", "0", MAY_SET, NULL},
	{"vm/swappiness", "60", MAY_SET, NULL},
	{"vm/unprivileged_userfaultfd", "0", MAY_SET, NULL},
	{"vm/vfs_cache_pressure", "100", MAY_SET, NULL},
	{"vm/zone_reclaim_mode", "0", MAY_SET, NULL},
	{"net/core/netdev_max_backlog", "1000", MAY_SET, NULL},
	{"net/core/optmem_max", "131072", MAY_SET, NULL},
	{"net/core/rmem_default", "212992", MAY_SET, NULL},
	{"net/core/rmem_max", "212992", MAY_SET, NULL},
	{"net/core/somaxconn", "4096", MAY_SET, NULL},
	{"net/core/wmem_default", "212992", MAY_SET, NULL},
	{"net/core/wmem_max", "212992", MAY_SET, NULL},
	{"net/ipv4/ip_default_ttl", "64", MAY_SET, NULL},
	{"net/ipv4/ip_forward", "0", MAY_SET, NULL},
	{"net/ipv4/ip_local_port_range", "32768\t60999", MAY_SET, NULL},
	{"net/ipv4/ip_unprivileged_port_start", "1024", MAY_SET, NULL},
	{"net/ipv4/ping_group_range", "1\t0", MAY_SET, NULL},
	{"net/ipv4/tcp_available_congestion_control", "reno cubic", FIXED, NULL},
	{"net/ipv4/tcp_congestion_control", "cubic", MAY_SET, NULL},
	{"net/ipv4/tcp_fastopen", "1", MAY_SET, NULL},
	{"net/ipv4/tcp_fin_timeout", "60", MAY_SET, NULL},
	{"net/ipv4/tcp_keepalive_intvl", "75", MAY_SET, NULL},
	{"net/ipv4/tcp_keepalive_probes", "9", MAY_SET, NULL},
	{"net/ipv4/tcp_keepalive_time", "7200", MAY_SET, NULL},
	{"net/ipv4/tcp_max_syn_backlog", "2048", MAY_SET, NULL},
	{"net/ipv4/tcp_mem", "287901\t383869\t575802", MAY_SET, NULL},
	{"net/ipv4/tcp_rmem", "4096\t131072\t6291456", MAY_SET, NULL},
	{"net/ipv4/tcp_sack", "1", MAY_SET, NULL},
	{"net/ipv4/tcp_syncookies", "1", MAY_SET, NULL},
	{"net/ipv4/tcp_timestamps", "1", MAY_SET, NULL},
	{"net/ipv4/tcp_tw_reuse", "2", MAY_SET, NULL},
	{"net/ipv4/tcp_window_scaling", "1", MAY_SET, NULL},
	{"net/ipv4/tcp_wmem", "4096\t16384\t4194304", MAY_SET, NULL},
	{"net/ipv6/bindv6only", "0", MAY_SET, NULL},
	{"net/ipv6/conf/all/disable_ipv6", "0", MAY_SET, NULL},
	{"net/ipv6/conf/default/disable_ipv6", "0", MAY_SET, NULL},
	{"net/ipv6/conf/lo/disable_ipv6", "0", MAY_SET, NULL},
	{"net/unix/max_dgram_qlen", "512", MAY_SET, NULL},
	{"user/max_user_namespaces", "0", MAY_SET, NULL},
};

static int setting_show(struct text *t, void *arg)
{
	struct setting *s = arg;

	lock_take(&settings_lock);
	text_puts(t, s->now ? s->now : s->first);
	lock_drop(&settings_lock);
	text_putc(t, '\n');
	return 0;
}

static size_t without_newline(const char *data, size_t len)
{
	while (len && (data[len - 1] == '\n' || data[len - 1] == '\0'))
		len--;
	return len;
}

static int setting_store(char *data, size_t len, void *arg)
{
	struct setting *s = arg;
	char *copy = kstrndup(data, without_newline(data, len));
	char *old;

	if (!copy)
		return -ENOMEM;
	lock_take(&settings_lock);
	old = s->now;
	s->now = copy;
	lock_drop(&settings_lock);
	kfree(old);
	return 0;
}

/* ---- numbers that the kernel heeds ---- */

struct number {
	const char *path;
	int *value; /* atomic */
	int min;
	int max;
};

static const struct number numbers[] = {
	{"fs/dir-notify-enable", &dnotify_enabled, 0, INT32_MAX},
	{"fs/mount-max", &mounts_max, 1, INT32_MAX},
	{"fs/fanotify/max_queued_events", &notify_limits[FANOTIFY_QUEUED_EVENTS], 0,
	 INT32_MAX},
	{"fs/fanotify/max_user_groups", &notify_limits[FANOTIFY_USER_GROUPS], 0,
	 INT32_MAX},
	{"fs/fanotify/max_user_marks", &notify_limits[FANOTIFY_USER_MARKS], 0, INT32_MAX},
	{"fs/inotify/max_queued_events", &notify_limits[INOTIFY_QUEUED_EVENTS], 0,
	 INT32_MAX},
	{"fs/inotify/max_user_instances", &notify_limits[INOTIFY_USER_INSTANCES], 0,
	 INT32_MAX},
	{"fs/inotify/max_user_watches", &notify_limits[INOTIFY_USER_WATCHES], 0,
	 INT32_MAX},
	{"fs/lease-break-time", &lease_break_seconds, 0, INT32_MAX},
	{"fs/leases-enable", &lease_enabled, 0, INT32_MAX},
	{"fs/nr_open", &nr_open, NR_OPEN_MIN, NR_OPEN_MAX},
	{"fs/pipe-max-size", &pipe_max_size, PAGE_SIZE, 1 << 30},
	{"fs/protected_fifos", &protected_fifos, 0, 2},
	{"fs/protected_hardlinks", &protected_hardlinks, 0, 1},
	{"fs/protected_regular", &protected_regular, 0, 2},
	{"fs/protected_symlinks", &protected_symlinks, 0, 1},
};

static int number_show(struct text *t, void *arg)
{
	const struct number *n = arg;

	text_printf(t, "%d\n", atomic_load_relaxed(n->value));
	return 0;
}

static int number_store(char *data, size_t len, void *arg)
{
	const struct number *n = arg;
	int64_t value = 0;
	size_t i = 0;

	len = without_newline(data, len);
	if (!len)
		return -EINVAL;
	for (; i < len && value <= INT32_MAX; i++) {
		if (data[i] < '0' || data[i] > '9')
			return -EINVAL;
		value = value * 10 + (data[i] - '0');
	}
	if (value < n->min || value > n->max)
		return -EINVAL;
	if (n->value == &pipe_max_size)
		value = 1L << (64 - __builtin_clzl((uint64_t)value - 1));
	atomic_store(n->value, (int)value);
	return 0;
}

static int last_pid_show(struct text *t, void *arg)
{
	(void)arg;
	text_printf(t, "%d\n", task_last_id());
	return 0;
}

static int last_pid_store(char *data, size_t len, void *arg)
{
	uint32_t id;

	(void)arg;
	if (!capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	data[without_newline(data, len)] = '\0';
	if (!parse_u32(data, &id) || id >= PID_MAX)
		return -EINVAL;
	task_set_last_id((pid_t)id);
	return 0;
}

/* ---- names ---- */

static int name_show(struct text *t, void *arg)
{
	struct linux_utsname names;

	system_names(&names);
	text_printf(t, "%s\n", (const char *)&names + (size_t)arg);
	return 0;
}

static int hostname_store(char *data, size_t len, void *arg)
{
	(void)arg;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	data[without_newline(data, len)] = '\0';
	system_set_hostname(data);
	return 0;
}

static int domainname_store(char *data, size_t len, void *arg)
{
	(void)arg;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	data[without_newline(data, len)] = '\0';
	system_set_domainname(data);
	return 0;
}

static void name_add(const char *path, uint32_t mode, size_t at,
		     int (*store)(char *data, size_t len, void *arg))
{
	(void)pseudo_file(&proc_root, path, mode, name_show, store, (void *)at);
}

/* ---- random ---- */

static void uuid_format(struct text *t, uint8_t b[16])
{
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++)
		text_printf(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			    b[i]);
	text_putc(t, '\n');
}

static int uuid_show(struct text *t, void *arg)
{
	uint8_t bytes[16] = {0};

	(void)arg;
	if (host_getrandom(bytes, sizeof(bytes)) != sizeof(bytes))
		return -EIO;
	uuid_format(t, bytes);
	return 0;
}

static int boot_id_show(struct text *t, void *arg)
{
	static uint8_t id[16]; /* settings_lock */
	static bool is_made;   /* settings_lock */
	uint8_t copy[16];
	bool ok;

	(void)arg;
	lock_take(&settings_lock);
	if (!is_made)
		is_made = host_getrandom(id, sizeof(id)) == sizeof(id);
	ok = is_made;
	memcpy(copy, id, sizeof(copy));
	lock_drop(&settings_lock);
	if (!ok)
		return -EIO;
	uuid_format(t, copy);
	return 0;
}

static void sys_fill(void)
{
	struct pseudo_node *sys = pseudo_dir(&proc_root, "sys");

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct setting *s = &settings[i];

		(void)pseudo_file(sys, s->path, s->is_fixed ? 0444 : 0644, setting_show,
				  s->is_fixed ? NULL : setting_store, s);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)pseudo_file(sys, numbers[i].path, 0644, number_show, number_store,
				  (void *)(uintptr_t)&numbers[i]);
	(void)pseudo_file(sys, "kernel/ns_last_pid", 0666, last_pid_show, last_pid_store,
			  NULL);
	name_add("sys/kernel/hostname", 0644, offsetof(struct linux_utsname, nodename),
		 hostname_store);
	name_add("sys/kernel/domainname", 0644,
		 offsetof(struct linux_utsname, domainname), domainname_store);
	name_add("sys/kernel/ostype", 0444, offsetof(struct linux_utsname, sysname),
		 NULL);
	name_add("sys/kernel/osrelease", 0444, offsetof(struct linux_utsname, release),
		 NULL);
	name_add("sys/kernel/version", 0444, offsetof(struct linux_utsname, version),
		 NULL);
	(void)pseudo_file(&proc_root, "sys/kernel/random/uuid", 0444, uuid_show, NULL,
			  NULL);
	(void)pseudo_file(&proc_root, "sys/kernel/random/boot_id", 0444, boot_id_show,
			  NULL, NULL);
}

void proc_add_sysctl(void)
{
	struct pseudo_node *sys = pseudo_dir(&proc_root, "sys");

	if (sys)
		pseudo_fill_later(sys, sys_fill);
}
