/* SPDX-License-Identifier: MIT */
/* missing.c - the part of host.h that no unit test has needed: each function says its
 * name and aborts. All are weak, so that a test may bring its own. */
#include <stdio.h>
#include <stdlib.h>

/* Not host.h: only the names matter here, nobody gets as far as an argument. */
#define MISSING(name)                                                                    \
	__attribute__((weak, noreturn)) void name(void);                                 \
	void name(void)                                                                  \
	{                                                                                \
		(void)fputs("host/fake: " #name "() is not there yet\n", stderr);        \
		abort();                                                                 \
	}

MISSING(host_poll)
MISSING(host_eventfd_create)
MISSING(host_eventfd_signal)
MISSING(host_eventfd_clear)
MISSING(host_epoll_create)
MISSING(host_epoll_ctl)
MISSING(host_epoll_wait)
MISSING(host_clock_getres)
MISSING(host_openat)
MISSING(host_dup)
MISSING(host_pwritev)
MISSING(host_lseek)
MISSING(host_statx)
MISSING(host_readlinkat)
MISSING(host_getdents64)
MISSING(host_fallocate)
MISSING(host_fsync)
MISSING(host_mkdirat)
MISSING(host_mknodat)
MISSING(host_unlinkat)
MISSING(host_renameat2)
MISSING(host_linkat)
MISSING(host_symlinkat)
MISSING(host_fchmod)
MISSING(host_fchmodat)
MISSING(host_fchownat)
MISSING(host_utimensat)
MISSING(host_fstatfs)
MISSING(host_ioctl)
MISSING(host_fcntl_getfl)
MISSING(host_fcntl_setfl)
MISSING(host_flock_lock)
MISSING(host_getrandom)
MISSING(host_socket)
MISSING(host_bind)
MISSING(host_listen)
MISSING(host_connect)
MISSING(host_accept)
MISSING(host_getsockname)
MISSING(host_send)
MISSING(host_sendmsg)
MISSING(host_recv)
MISSING(host_recvmsg)
MISSING(host_shutdown)
MISSING(host_setsockopt)
MISSING(host_getsockopt)
MISSING(host_close_lingering)
MISSING(host_clone)
MISSING(host_exit_thread)
MISSING(host_exit_process)
MISSING(host_sigaction)
MISSING(host_signals_init)
MISSING(host_seccomp_install)
MISSING(host_thread_init)
MISSING(host_sched_getaffinity)
MISSING(host_sched_setaffinity)
MISSING(host_getrusage)
MISSING(host_rseq)
MISSING(host_membarrier)
MISSING(host_setitimer_cpu)
MISSING(host_abort)
