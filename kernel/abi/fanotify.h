/* SPDX-License-Identifier: MIT */
/* fanotify.h - fanotify(7). Events have inotify's bits; these are those it lacks. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define FAN_OPEN_EXEC	   0x1000
#define FAN_Q_OVERFLOW	   0x4000
#define FAN_FS_ERROR	   0x8000
#define FAN_OPEN_PERM	   0x10000
#define FAN_ACCESS_PERM	   0x20000
#define FAN_OPEN_EXEC_PERM 0x40000
#define FAN_PRE_ACCESS	   0x100000
#define FAN_MNT_ATTACH	   0x1000000
#define FAN_MNT_DETACH	   0x2000000
#define FAN_EVENT_ON_CHILD 0x08000000
#define FAN_RENAME	   0x10000000
#define FAN_ONDIR	   0x40000000

/* fanotify_init(2) */
#define FAN_CLOEXEC	      0x1
#define FAN_NONBLOCK	      0x2
#define FAN_CLASS_CONTENT     0x4
#define FAN_CLASS_PRE_CONTENT 0x8
#define FAN_UNLIMITED_QUEUE   0x10
#define FAN_UNLIMITED_MARKS   0x20
#define FAN_ENABLE_AUDIT      0x40
#define FAN_REPORT_PIDFD      0x80
#define FAN_REPORT_TID	      0x100
#define FAN_REPORT_FID	      0x200
#define FAN_REPORT_DIR_FID    0x400
#define FAN_REPORT_NAME	      0x800
#define FAN_REPORT_TARGET_FID 0x1000
#define FAN_REPORT_FD_ERROR   0x2000
#define FAN_REPORT_MNT	      0x4000

/* fanotify_mark(2) */
#define FAN_MARK_ADD	     0x1
#define FAN_MARK_REMOVE	     0x2
#define FAN_MARK_DONT_FOLLOW 0x4
#define FAN_MARK_ONLYDIR     0x8
#define FAN_MARK_MOUNT	     0x10
#define FAN_MARK_IGNORED     0x20 /* IGNORED_MASK */
#define FAN_MARK_SURVIVES    0x40 /* IGNORED_SURV_MODIFY */
#define FAN_MARK_FLUSH	     0x80
#define FAN_MARK_FILESYSTEM  0x100
#define FAN_MARK_MNTNS	     0x110
#define FAN_MARK_EVICTABLE   0x200
#define FAN_MARK_IGNORE	     0x400

#define FAN_NOFD	     (-1)
#define FAN_NOPIDFD	     (-1)
#define FAN_EPIDFD	     (-2)
#define FAN_METADATA_VERSION 3

struct linux_fanotify_event {
	uint32_t event_len;
	uint8_t vers;
	uint8_t reserved;
	uint16_t metadata_len;
	uint64_t mask;
	int32_t fd;
	int32_t pid;
};

/* Records that follow it. */
#define FAN_INFO_FID	       1
#define FAN_INFO_DFID_NAME     2
#define FAN_INFO_DFID	       3
#define FAN_INFO_PIDFD	       4
#define FAN_INFO_RANGE	       6
#define FAN_INFO_MNT	       7
#define FAN_INFO_OLD_DFID_NAME 10
#define FAN_INFO_NEW_DFID_NAME 12

struct linux_fanotify_info {
	uint8_t info_type;
	uint8_t pad;
	uint16_t len;
};

struct linux_fanotify_fid { /* a file handle follows, then perhaps a name */
	struct linux_fanotify_info hdr;
	int32_t fsid[2];
	uint32_t handle_bytes;
	int32_t handle_type;
};

struct linux_fanotify_pidfd {
	struct linux_fanotify_info hdr;
	int32_t pidfd;
};

struct linux_fanotify_range {
	struct linux_fanotify_info hdr;
	uint32_t pad;
	uint64_t offset;
	uint64_t count;
};

struct linux_fanotify_mnt {
	struct linux_fanotify_info hdr;
	uint64_t mnt_id;
};

/* Answers. */
#define FAN_ALLOW	0x1
#define FAN_DENY	0x2
#define FAN_AUDIT	0x10
#define FAN_INFO	0x20
#define FAN_ERRNO_SHIFT 24

#define FAN_RESPONSE_AUDIT_RULE 1

struct linux_fanotify_response {
	int32_t fd;
	uint32_t response;
};

struct linux_fanotify_audit_rule {
	uint8_t type;
	uint8_t pad;
	uint16_t len;
	uint32_t rule_number;
	uint32_t subj_trust;
	uint32_t obj_trust;
};

_Static_assert(sizeof(struct linux_fanotify_event) == 24, "fanotify_event_metadata");
_Static_assert(sizeof(struct linux_fanotify_fid) == 20, "fanotify_event_info_fid");
_Static_assert(sizeof(struct linux_fanotify_range) == 24, "fanotify_event_info_range");
_Static_assert(sizeof(struct linux_fanotify_mnt) == 16, "fanotify_event_info_mnt");
_Static_assert(sizeof(struct linux_fanotify_audit_rule) == 16, "info_audit_rule");
