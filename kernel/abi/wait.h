/* SPDX-License-Identifier: MIT */
/* wait.h - wait4(2) and waitid(2). */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#define WNOHANG	    0x1
#define WUNTRACED   0x2
#define WSTOPPED    0x2
#define WEXITED	    0x4
#define WCONTINUED  0x8
#define WNOWAIT	    0x1000000
#define __WNOTHREAD 0x20000000
#define __WALL	    0x40000000
#define __WCLONE    0x80000000U

#define P_ALL	0
#define P_PID	1
#define P_PGID	2
#define P_PIDFD 3

/* Status words. */
#define WAIT_STATUS_EXIT(code)		(((code)&0xff) << 8)
#define WAIT_STATUS_SIGNAL(signo, core) ((signo) | ((core) ? 0x80 : 0))
#define WAIT_STATUS_STOP(signo)		(((signo) << 8) | 0x7f)
#define WAIT_STATUS_CONTINUED		0xffff
