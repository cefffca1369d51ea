/* SPDX-License-Identifier: MIT */
/* utsname.h - uname(2), sysinfo(2), reboot(2) and syslog(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define UTS_LEN 64 /* of each string, without its NUL */

struct linux_utsname {
	char sysname[UTS_LEN + 1];
	char nodename[UTS_LEN + 1];
	char release[UTS_LEN + 1];
	char version[UTS_LEN + 1];
	char machine[UTS_LEN + 1];
	char domainname[UTS_LEN + 1];
};

_Static_assert(sizeof(struct linux_utsname) == 390, "struct new_utsname");

#define SI_LOAD_SHIFT 16

struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram;
	uint64_t freeram;
	uint64_t sharedram;
	uint64_t bufferram;
	uint64_t totalswap;
	uint64_t freeswap;
	uint16_t procs;
	uint16_t pad;
	uint64_t totalhigh;
	uint64_t freehigh;
	uint32_t mem_unit;
};

_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");

#define LINUX_REBOOT_MAGIC1	   0xfee1deadU
#define LINUX_REBOOT_MAGIC2	   0x28121969
#define LINUX_REBOOT_MAGIC2A	   0x5121996
#define LINUX_REBOOT_MAGIC2B	   0x16041998
#define LINUX_REBOOT_MAGIC2C	   0x20112000
#define LINUX_REBOOT_CMD_RESTART   0x1234567
#define LINUX_REBOOT_CMD_HALT	   0xcdef0123U
#define LINUX_REBOOT_CMD_CAD_ON	   0x89abcdefU
#define LINUX_REBOOT_CMD_CAD_OFF   0
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedc
#define LINUX_REBOOT_CMD_RESTART2  0xa1b2c3d4U

#define SYSLOG_ACTION_CLOSE	    0
#define SYSLOG_ACTION_OPEN	    1
#define SYSLOG_ACTION_READ	    2
#define SYSLOG_ACTION_READ_ALL	    3
#define SYSLOG_ACTION_READ_CLEAR    4
#define SYSLOG_ACTION_CLEAR	    5
#define SYSLOG_ACTION_CONSOLE_OFF   6
#define SYSLOG_ACTION_CONSOLE_ON    7
#define SYSLOG_ACTION_CONSOLE_LEVEL 8
#define SYSLOG_ACTION_SIZE_UNREAD   9
#define SYSLOG_ACTION_SIZE_BUFFER   10
