/* SPDX-License-Identifier: MIT */
/* boot.c - fills the boot parameters. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "host/gate.h"
#include "host/monitor.h"
#include "inherited.h"
#include "launch.h"
#include "layout.h"
#include "message.h"
#include "net/local/published.h"
#include "publish.h"
#include "seccomp_filter.h"
#include "segment.h"
#include "user.h"

static uint64_t address(const void *p)
{
	return (uint64_t)p;
}

static uint64_t string_array(char *const *strings)
{
	size_t count = 0;

	while (strings[count])
		count++;
	uint64_t *array = boot_alloc((count + 1) * sizeof *array);
	for (size_t i = 0; i < count; i++)
		array[i] = address(boot_string(strings[i]));
	return address(array);
}

static void fill_user(struct boot_params *p, const struct options *o)
{
	struct user user;

	if (o->user)
		user_lookup(&user, o->user, o->rootfs);
	else
		user_caller(&user);
	uint32_t *groups = boot_alloc(user.group_count * sizeof *groups);
	memcpy(groups, user.groups, user.group_count * sizeof *groups);
	p->uid = user.uid;
	p->gid = user.gid;
	p->groups = address(groups);
	p->group_count = (uint32_t)user.group_count;
	p->host_uid = geteuid();
	p->host_gid = getegid();
}

/* Mounts in the order of the command line. The kernel makes its own (/proc, /dev, /tmp
 * …). */
static void fill_mounts(struct boot_params *p, const struct options *o)
{
	struct boot_mount *mounts = boot_alloc(o->volume_count * sizeof *mounts);

	for (size_t i = 0; i < o->volume_count; i++) {
		const struct volume *v = &o->volumes[i];

		mounts[i] = (struct boot_mount){
			.kind = v->host ? BOOT_MOUNT_HOST : BOOT_MOUNT_TMPFS,
			.dirfd = -1,
			.read_only = v->is_read_only,
			.is_file = v->is_file,
			.has_sockets = v->has_sockets,
			.guest_path = address(boot_string(v->guest)),
			.host_path = address(boot_string(v->host ? v->host : "tmpfs")),
		};
	}
	p->mounts = address(mounts);
	p->mount_count = (uint32_t)o->volume_count;
}

static void fill_gate(struct boot_params *p, const struct options *o)
{
	struct gate_rule *rules = boot_alloc((o->rule_count + 1) * sizeof *rules);

	if (o->rule_count)
		memcpy(rules, o->rules, o->rule_count * sizeof *rules);
	p->gate_rules = address(rules);
	p->gate_rule_count = (uint32_t)o->rule_count;
}

static void fill_published(struct boot_params *p, const struct options *o)
{
	struct published_port *ports =
		boot_alloc((o->published_count + 1) * sizeof *ports);

	for (size_t i = 0; i < o->published_count; i++) {
		ports[i].number = o->published[i].guest;
		ports[i].is_udp = o->published[i].is_udp;
	}
	p->published = address(ports);
	p->published_count = (uint32_t)o->published_count;
}

static void fill_work_dir(struct boot_params *p, const struct options *o)
{
	const char *cwd = o->work_dir;
	char *own = NULL;

	if (!cwd && o->rootfs)
		cwd = "/";
	if (!cwd) {
		own = getcwd(NULL, 0);
		if (!own || own[0] != '/')
			fail("the working directory cannot be found: %s (try -w)",
			     own ? "unreachable" : strerror(errno));
		cwd = own;
	}
	p->cwd = address(boot_string(cwd));
	p->cwd_fd = (uint32_t)-1;
	free(own);
}

static void fill_stdio(struct boot_params *p)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		p->stdio_fd[fd] = fcntl(fd, F_GETFD) & FD_CLOEXEC ? -1 : fd;
	p->log_fd = p->stdio_fd[2] >= 0 ? fcntl(2, F_DUPFD_CLOEXEC, 3) : -1;
	if (p->stdio_fd[0] >= 0 && fstat(0, &st) == 0 && S_ISCHR(st.st_mode) && isatty(0))
		p->flags |= BOOT_STDIN_TTY;
}

/* Where the lines go, which of them, and what local time is. */
static void fill_trace(struct boot_params *p, const struct options *o)
{
	time_t now = time(NULL);
	struct tm local;

	p->trace_fd = p->log_fd;
	if (o->trace_file) {
		p->trace_fd = open(o->trace_file,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (p->trace_fd < 0)
			fail("-f %s: %s", o->trace_file, strerror(errno));
	}
	p->trace_flags = o->trace_flags | o->trace_set.has_unknown;
	memcpy(p->trace_set, o->trace_set.words, sizeof p->trace_set);
	if (localtime_r(&now, &local))
		p->utc_offset = (int32_t)local.tm_gmtoff;
}

static void fill_machine(struct boot_params *p)
{
	const char *platform = (const char *)getauxval(AT_PLATFORM); /* NOLINT */
	struct vdso_place vdso;
	cpu_set_t cpus;

	layout_find_vdso(&vdso);
	p->vdso_addr = vdso.vdso_addr;
	p->vdso_size = vdso.vdso_size;
	p->vvar_addr = vdso.vvar_addr;
	p->vvar_size = vdso.vvar_size;
	p->hwcap = getauxval(AT_HWCAP);
	p->hwcap2 = getauxval(AT_HWCAP2);
	p->minsigstksz = getauxval(AT_MINSIGSTKSZ);
	p->clktck = getauxval(AT_CLKTCK);
	strncpy(p->platform, platform ? platform : "x86_64", sizeof p->platform - 1);
	p->cpu_count = 1;
	if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
		p->cpu_count = (uint32_t)CPU_COUNT(&cpus);
}

/* The kernel may use half of the memory for itself, but no more than its programs may. */
static void fill_memory(struct boot_params *p, const struct options *o)
{
	uint64_t most = KERNEL_SEGMENT_MAX;
	struct sysinfo info;

	if (sysinfo(&info) == 0 && (uint64_t)info.totalram * info.mem_unit / 2 < most)
		most = (uint64_t)info.totalram * info.mem_unit / 2;
	if (sysinfo(&info) == 0) {
		p->host_mem_total = (uint64_t)info.totalram * info.mem_unit;
		p->host_mem_free = (uint64_t)info.freeram * info.mem_unit;
		p->host_mem_all =
			((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
		p->host_swaps = info.totalswap != 0;
	}
	p->memory_max = o->memory;
	p->kernel_memory_max = o->memory && o->memory < most ? o->memory : most;
}

static void fill_group(struct boot_params *p, const struct options *o)
{
	struct group_limits limits;

	group_limits_get(&limits);
	p->group_memory_max = limits.memory;
	if (o->memory && (!limits.memory || o->memory < limits.memory))
		p->group_memory_max = o->memory;
	p->group_cpu_quota = limits.cpu_quota;
	p->group_cpu_period = limits.cpu_period;
	p->group_pids_max = limits.pids;
}

/* Who is root by the -u option has all of them, else what the caller has: they count
 * inside only. */
static uint64_t capabilities(const struct boot_params *p)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (p->uid != 0)
		return 0;
	if (getuid() != 0 || syscall(SYS_capget, &head, data) != 0)
		return 0x1ffffffffff;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/* Who has no network but in memory makes no internet socket, nor asks what interfaces
 * the host has. */
static void fill_seccomp(struct boot_params *p, const struct options *o)
{
	bool has_net = !o->has_own_network || o->published_count;
	size_t size = has_net ? sizeof seccomp_filter : sizeof seccomp_filter_no_net;
	void *insns = boot_alloc(size);

	memcpy(insns, has_net ? seccomp_filter : seccomp_filter_no_net, size);
	p->seccomp_insns = address(insns);
	p->seccomp_count = (uint32_t)(size / sizeof seccomp_filter[0]);
}

void boot_begin(const struct launch *l)
{
	struct boot_params *p = boot_params();

	p->magic = BOOT_MAGIC;
	p->flags = l->options.boot_flags |
		   (l->options.has_own_network ? BOOT_OWN_NETWORK : 0);
	p->segment_fd = l->segment_fd;
	p->root_fd = -1;
	p->bss_end = l->image.bss_end;
	p->umask = (uint32_t)umask(0);
	p->monitor_box = address(boot_alloc(sizeof(struct monitor_box)));
	fill_stdio(p);
	inherited_fill(p, l->inherited, l->options.has_own_network);
	if (p->flags & BOOT_TRACE)
		fill_trace(p, &l->options);
}

void boot_fill(const struct launch *l)
{
	struct boot_params *p = boot_params();
	const struct options *o = &l->options;
	struct utsname uts;

	fill_user(p, o);
	fill_work_dir(p, o);
	fill_mounts(p, o);
	fill_gate(p, o);
	fill_published(p, o);
	fill_machine(p);
	fill_memory(p, o);
	fill_group(p, o);
	if (uname(&uts) < 0)
		strcpy(uts.nodename, "carbyne");
	p->hostname = address(boot_string(o->hostname ? o->hostname : uts.nodename));
	p->argv = string_array(o->argv);
	p->envp = string_array(environ);
	memcpy(p->rlimits, l->limits.of, sizeof p->rlimits);
	p->host_descriptors_max = limits_descriptors();
	fill_seccomp(p, o);
	p->capabilities = capabilities(p);
	p->live_host_processes = 1;
}
