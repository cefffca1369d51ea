/* SPDX-License-Identifier: MIT */
/* sys_machine.c - calls for who owns the machine: modules, other kernels, ports,
 * segments, programs for the kernel, counters, and its end.
 *
 * They answer as a kernel does to a container: what is wrong with the arguments comes
 * first where Linux looks at them first, then EPERM, also for the guest's root, whose
 * capabilities are over the sandbox alone. reboot(2) is what it is in a container: the
 * end of the sandbox. */
#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "abi/wait.h"
#include "core/exit.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"

/* ---- modules and other kernels: Linux looks at the capability first ---- */

long sys_init_module(struct task *t, uaddr_t image, size_t size, uaddr_t params)
{
	(void)t, (void)image, (void)size, (void)params;
	return -EPERM;
}

long sys_finit_module(struct task *t, int fd, uaddr_t params, uint32_t flags)
{
	(void)t, (void)fd, (void)params, (void)flags;
	return -EPERM;
}

long sys_delete_module(struct task *t, uaddr_t name, uint32_t flags)
{
	(void)t, (void)name, (void)flags;
	return -EPERM;
}

long sys_kexec_load(struct task *t, uint64_t entry, uint64_t count, uaddr_t segments,
		    uint64_t flags)
{
	(void)t, (void)entry, (void)count, (void)segments, (void)flags;
	return -EPERM;
}

long sys_kexec_file_load(struct task *t, int kernel, int initrd, size_t cmdline_size,
			 uaddr_t cmdline, uint64_t flags)
{
	(void)t, (void)kernel, (void)initrd, (void)cmdline_size, (void)cmdline;
	(void)flags;
	return -EPERM;
}

/* ---- the processor's ---- */

#define IO_PORTS 65536

long sys_iopl(struct task *t, unsigned int level)
{
	(void)t;
	if (level > 3)
		return -EINVAL;
	return level ? -EPERM : 0; /* nobody has more than 0 */
}

long sys_ioperm(struct task *t, uint64_t from, uint64_t count, int on)
{
	(void)t;
	if (from + count <= from || from + count > IO_PORTS)
		return -EINVAL;
	return on ? -EPERM : 0;
}

enum ldt_func { LDT_READ = 0, LDT_WRITE_OLD = 1, LDT_READ_DEFAULT = 2, LDT_WRITE = 0x11 };
#define LDT_ENTRIES	 8192
#define LDT_ENTRY_SIZE	 8
#define LDT_DEFAULT_SIZE 128 /* of what LDT_READ_DEFAULT clears */

/* struct user_desc */
struct segment {
	uint32_t entry;
	uint32_t base;
	uint32_t limit;
	uint32_t bits;
};
#define SEGMENT_CONTENTS(bits)	  ((bits) >> 1 & 3)
#define SEGMENT_NOT_PRESENT(bits) ((bits) >> 5 & 1)
#define SEGMENT_EMPTY_BITS	  0x28 /* read_exec_only, seg_not_present */

static bool segment_is_empty(const struct segment *s)
{
	return !s->base && !s->limit && (!s->bits || s->bits == SEGMENT_EMPTY_BITS);
}

static int ldt_write(uaddr_t from, size_t size, bool is_old)
{
	struct segment s;

	if (size != sizeof(s))
		return -EINVAL;
	if (COPY_IN(&s, from))
		return -EFAULT;
	if (s.entry >= LDT_ENTRIES)
		return -EINVAL;
	if (SEGMENT_CONTENTS(s.bits) == 3 && (is_old || !SEGMENT_NOT_PRESENT(s.bits)))
		return -EINVAL;
	return segment_is_empty(&s) ? 0 : -ENOSYS;
}

/* There are no segments, since the host is not to be asked for any. The result is an int
 * that Linux does not extend. */
long sys_modify_ldt(struct task *t, int func, uaddr_t ptr, size_t size)
{
	int ret = -ENOSYS;

	(void)t;
	switch (func) {
	case LDT_READ:
		ret = 0;
		break;
	case LDT_READ_DEFAULT:
		size = MIN(size, (size_t)LDT_DEFAULT_SIZE);
		ret = clear_user_partial(ptr, size) ? -EFAULT : (int)size;
		break;
	case LDT_WRITE_OLD:
	case LDT_WRITE:
		ret = ldt_write(ptr, size, func == LDT_WRITE_OLD);
		break;
	default:
		break;
	}
	return (unsigned int)ret;
}

/* ---- programs for the kernel, and counters ---- */

#define BPF_COMMANDS  38
#define BPF_ATTR_SIZE 168 /* what is beyond must be 0 */

long sys_bpf(struct task *t, int cmd, uaddr_t attr, unsigned int size)
{
	uint8_t known[BPF_ATTR_SIZE];
	int err;

	(void)t;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(known, sizeof(known), attr, size);
	if (err)
		return err;
	return cmd < 0 || cmd >= BPF_COMMANDS ? -EINVAL : -EPERM;
}

#define PERF_FLAGS	    0xf
#define PERF_ATTR_SIZE_VER0 64

struct perf_attr { /* as far as Linux 6.12 has it */
	uint32_t type;
	uint32_t size;
	uint64_t rest[16];
};

/* As with kernel.perf_event_paranoid above 2. */
long sys_perf_event_open(struct task *t, uaddr_t attr, pid_t pid, int cpu, int group,
			 uint64_t flags)
{
	struct perf_attr known;
	uint32_t size;
	int err;

	(void)t, (void)pid, (void)cpu, (void)group;
	if (flags & ~(uint64_t)PERF_FLAGS)
		return -EINVAL;
	if (get_user_u32(&size, attr + offsetof(struct perf_attr, size)))
		return -EFAULT;
	if (!size)
		size = PERF_ATTR_SIZE_VER0;
	err = size < PERF_ATTR_SIZE_VER0 || size > PAGE_SIZE
		      ? -E2BIG
		      : copy_struct_from_user(&known, sizeof(known), attr, size);
	if (err == -E2BIG && put_user_u32(attr + offsetof(struct perf_attr, size),
					  sizeof(struct perf_attr)))
		return -EFAULT;
	return err ? err : -EACCES;
}

/* ---- the end ---- */

#define REBOOT_MAGIC1	0xfee1dead
#define REBOOT_MAGIC2	0x28121969
#define REBOOT_MAGIC2A	0x05121996
#define REBOOT_MAGIC2B	0x16041998
#define REBOOT_MAGIC2C	0x20112000
#define REBOOT_RESTART	0x01234567
#define REBOOT_RESTART2 0xa1b2c3d4
#define REBOOT_HALT	0xcdef0123
#define REBOOT_OFF	0x4321fedc

static bool reboot_magic_ok(uint32_t magic1, uint32_t magic2)
{
	return magic1 == REBOOT_MAGIC1 &&
	       (magic2 == REBOOT_MAGIC2 || magic2 == REBOOT_MAGIC2A ||
		magic2 == REBOOT_MAGIC2B || magic2 == REBOOT_MAGIC2C);
}

/* The program ends as a container's first process does, by SIGHUP for a restart, by
 * SIGINT for a halt, and all else with it. */
long sys_reboot(struct task *t, uint32_t magic1, uint32_t magic2, uint32_t cmd,
		uaddr_t arg)
{
	int signo;

	(void)arg;
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (!reboot_magic_ok(magic1, magic2))
		return -EINVAL;
	if (cmd == REBOOT_RESTART || cmd == REBOOT_RESTART2)
		signo = SIGHUP;
	else if (cmd == REBOOT_HALT || cmd == REBOOT_OFF)
		signo = SIGINT;
	else
		return -EINVAL;
	process_kill_main(WAIT_STATUS_SIGNAL(signo, false));
	task_exit(t, WAIT_STATUS_EXIT(0));
}
