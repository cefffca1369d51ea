/* SPDX-License-Identifier: MIT */
/* config.c - /proc/config.gz: which of Linux's features are there, by the names of its
 * build options, for programs that look there before they try.
 *
 * The file is a gzip stream whose one block is stored, not compressed (RFC 1951, 1952).
 * Only what a program can notice is listed; what is off is named when programs ask for
 * it. */
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"
#include "fs/proc/pseudo.h"
#include "lib/string.h"

static const char config[] = "# Carbyne, as Linux would say it\n"
			     "CONFIG_64BIT=y\n"
			     "CONFIG_X86_64=y\n"
			     "CONFIG_X86=y\n"
			     "CONFIG_MMU=y\n"
			     "CONFIG_SMP=y\n"
			     "CONFIG_LOCALVERSION=\"-carbyne\"\n"
			     "CONFIG_DEFAULT_HOSTNAME=\"(none)\"\n"
			     "CONFIG_MULTIUSER=y\n"
			     "CONFIG_IKCONFIG=y\n"
			     "CONFIG_IKCONFIG_PROC=y\n"
			     "CONFIG_SYSCTL=y\n"
			     "CONFIG_SYSVIPC=y\n"
			     "CONFIG_SYSVIPC_SYSCTL=y\n"
			     "CONFIG_POSIX_MQUEUE=y\n"
			     "CONFIG_POSIX_MQUEUE_SYSCTL=y\n"
			     "CONFIG_PRINTK=y\n"
			     "CONFIG_BSD_PROCESS_ACCT=y\n"
			     "CONFIG_BSD_PROCESS_ACCT_V3=y\n"
			     "CONFIG_FUTEX=y\n"
			     "CONFIG_FUTEX_PI=y\n"
			     "CONFIG_EPOLL=y\n"
			     "CONFIG_SIGNALFD=y\n"
			     "CONFIG_TIMERFD=y\n"
			     "CONFIG_EVENTFD=y\n"
			     "CONFIG_AIO=y\n"
			     "CONFIG_SHMEM=y\n"
			     "CONFIG_USERFAULTFD=y\n"
			     "CONFIG_HAVE_ARCH_USERFAULTFD_WP=y\n"
			     "CONFIG_HAVE_ARCH_USERFAULTFD_MINOR=y\n"
			     "CONFIG_MEMFD_CREATE=y\n"
			     "CONFIG_SECRETMEM=y\n"
			     "CONFIG_ADVISE_SYSCALLS=y\n"
			     "CONFIG_CACHESTAT_SYSCALL=y\n"
			     "CONFIG_MEMBARRIER=y\n"
			     "CONFIG_RSEQ=y\n"
			     "CONFIG_KCMP=y\n"
			     "CONFIG_ANON_VMA_NAME=y\n"
			     "CONFIG_CHECKPOINT_RESTORE=y\n"
			     "CONFIG_POSIX_TIMERS=y\n"
			     "CONFIG_HIGH_RES_TIMERS=y\n"
			     "CONFIG_HZ_100=y\n"
			     "CONFIG_HZ=100\n"
			     "CONFIG_BINFMT_ELF=y\n"
			     "CONFIG_BINFMT_SCRIPT=y\n"
			     "CONFIG_COREDUMP=y\n"
			     "CONFIG_ELF_CORE=y\n"
			     "CONFIG_CORE_DUMP_DEFAULT_ELF_HEADERS=y\n"
			     "CONFIG_FILE_LOCKING=y\n"
			     "CONFIG_FSNOTIFY=y\n"
			     "CONFIG_DNOTIFY=y\n"
			     "CONFIG_INOTIFY_USER=y\n"
			     "CONFIG_FANOTIFY=y\n"
			     "CONFIG_FHANDLE=y\n"
			     "CONFIG_FS_POSIX_ACL=y\n"
			     "CONFIG_OVERLAY_FS=y\n"
			     "CONFIG_PROC_FS=y\n"
			     "CONFIG_PROC_SYSCTL=y\n"
			     "CONFIG_SYSFS=y\n"
			     "CONFIG_TMPFS=y\n"
			     "CONFIG_TMPFS_POSIX_ACL=y\n"
			     "CONFIG_TMPFS_XATTR=y\n"
			     "CONFIG_DEVTMPFS=y\n"
			     "CONFIG_UNIX98_PTYS=y\n"
			     "CONFIG_TTY=y\n"
			     "CONFIG_NET=y\n"
			     "CONFIG_PACKET=y\n"
			     "CONFIG_PACKET_DIAG=y\n"
			     "CONFIG_UNIX=y\n"
			     "CONFIG_INET=y\n"
			     "CONFIG_IPV6=y\n"
			     "CONFIG_NETFILTER=y\n"
			     "CONFIG_NETFILTER_ADVANCED=y\n"
			     "CONFIG_NETFILTER_XTABLES=y\n"
			     "CONFIG_NETFILTER_XTABLES_LEGACY=y\n"
			     "CONFIG_NETFILTER_XT_MARK=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_COMMENT=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_CONNTRACK=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_LIMIT=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_MULTIPORT=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_OWNER=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_STATE=y\n"
			     "CONFIG_NETFILTER_XT_MATCH_STATISTIC=y\n"
			     "CONFIG_IP_NF_IPTABLES=y\n"
			     "CONFIG_IP_NF_IPTABLES_LEGACY=y\n"
			     "CONFIG_IP_NF_FILTER=y\n"
			     "CONFIG_IP_NF_MANGLE=y\n"
			     "CONFIG_IP_NF_RAW=y\n"
			     "CONFIG_IP_NF_TARGET_REJECT=y\n"
			     "# CONFIG_IP_NF_NAT is not set\n"
			     "CONFIG_IP6_NF_IPTABLES=y\n"
			     "CONFIG_IP6_NF_IPTABLES_LEGACY=y\n"
			     "CONFIG_IP6_NF_FILTER=y\n"
			     "CONFIG_IP6_NF_MANGLE=y\n"
			     "CONFIG_IP6_NF_RAW=y\n"
			     "CONFIG_IP6_NF_TARGET_REJECT=y\n"
			     "# CONFIG_NF_TABLES is not set\n"
			     "CONFIG_NAMESPACES=y\n"
			     "CONFIG_USER_NS=y\n"
			     "# CONFIG_PID_NS is not set\n"
			     "CONFIG_TIME_NS=y\n"
			     "CONFIG_NET_NS=y\n"
			     "CONFIG_MSEAL_SYSTEM_MAPPINGS=y\n"
			     "CONFIG_KSM=y\n"
			     "# CONFIG_MODULES is not set\n"
			     "CONFIG_SECCOMP=y\n"
			     "CONFIG_SECCOMP_FILTER=y\n"
			     "# CONFIG_SWAP is not set\n";

static uint32_t crc32(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t crc = UINT32_MAX;

	while (size--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void write_u16(struct text *t, uint16_t v)
{
	text_write(t, &v, sizeof(v));
}

static void write_u32(struct text *t, uint32_t v)
{
	text_write(t, &v, sizeof(v));
}

static int config_show(struct text *t, void *arg)
{
	static const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	enum { SIZE = sizeof(config) - 1 };

	_Static_assert(SIZE <= UINT16_MAX, "one stored block");
	(void)arg;
	text_write(t, header, sizeof(header));
	text_write(t, "\1", 1); /* the last block, stored */
	write_u16(t, SIZE);
	write_u16(t, (uint16_t)~SIZE);
	text_write(t, config, SIZE);
	write_u32(t, crc32(config, SIZE));
	write_u32(t, SIZE);
	return 0;
}

void proc_add_config(void)
{
	(void)pseudo_file(&proc_root, "config.gz", 0444, config_show, NULL, NULL);
}
