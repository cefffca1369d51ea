/* SPDX-License-Identifier: MIT */
/* fanotify.h - fanotify(7). Events have inotify's bits; these are those it lacks. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define FAN_OPEN_EXEC	   0x1000
#define FAN_Q_OVERFLOW	   0x4000
#define FAN_EVENT_ON_CHILD 0x08000000
#define FAN_ONDIR	   0x40000000

#define FAN_CLOEXEC	    0x1
#define FAN_NONBLOCK	    0x2
#define FAN_CLASS_CONTENT   0x4
#define FAN_CLASS_PRE	    0x8
#define FAN_UNLIMITED_QUEUE 0x10
#define FAN_UNLIMITED_MARKS 0x20
#define FAN_REPORT_TID	    0x100

#define FAN_MARK_ADD	     0x1
#define FAN_MARK_REMOVE	     0x2
#define FAN_MARK_DONT_FOLLOW 0x4
#define FAN_MARK_ONLYDIR     0x8
#define FAN_MARK_IGNORED     0x20
#define FAN_MARK_SURVIVES    0x40 /* IGNORED_SURV_MODIFY */
#define FAN_MARK_FLUSH	     0x80

#define FAN_NOFD	     (-1)
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

_Static_assert(sizeof(struct linux_fanotify_event) == 24, "fanotify_event_metadata");
