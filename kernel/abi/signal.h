/* SPDX-License-Identifier: MIT */
/* signal.h - signal numbers, structures and frames of x86-64. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGSTKFLT 16
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXCPU	  24
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGIO	  29
#define SIGPWR	  30
#define SIGSYS	  31
#define SIGIOT	  SIGABRT
#define SIGPOLL	  SIGIO
#define SIGRTMIN  32
#define SIGRTMAX  64
#define NSIG	  64 /* the highest number; libc has one more */

/* A set has one bit per signal: signal n is bit n - 1. */
typedef uint64_t linux_sigset_t;
#define SIGSET_BIT(signo) (1ULL << ((signo)-1))

/* Handler values; libc's SIG_DFL is a pointer and this one a guest address. */
#define LINUX_SIG_DFL ((uaddr_t)0)
#define LINUX_SIG_IGN ((uaddr_t)1)

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SA_NOCLDSTOP	  0x1
#define SA_NOCLDWAIT	  0x2
#define SA_SIGINFO	  0x4
#define SA_UNSUPPORTED	  0x400
#define SA_EXPOSE_TAGBITS 0x800
#define SA_RESTORER	  0x4000000
#define SA_ONSTACK	  0x8000000
#define SA_RESTART	  0x10000000
#define SA_NODEFER	  0x40000000
#define SA_RESETHAND	  0x80000000U

struct linux_sigaction {
	uaddr_t handler;
	uint64_t flags;
	uaddr_t restorer;
	linux_sigset_t mask;
};

_Static_assert(sizeof(struct linux_sigaction) == 32, "struct sigaction");

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000U
#define MINSIGSTKSZ   2048
#define SIGSTKSZ      8192

struct linux_stack {
	uaddr_t ss_sp;
	int32_t ss_flags;
	int32_t pad;
	uint64_t ss_size;
};

_Static_assert(sizeof(struct linux_stack) == 24, "stack_t");

/* si_code: who sent it. */
#define SI_USER	    0
#define SI_KERNEL   0x80
#define SI_QUEUE    (-1)
#define SI_TIMER    (-2)
#define SI_MESGQ    (-3)
#define SI_ASYNCIO  (-4)
#define SI_SIGIO    (-5)
#define SI_TKILL    (-6)
#define SI_DETHREAD (-7)
#define SI_ASYNCNL  (-60)
/* si_code: which fault, child event or poll event. */
#define ILL_ILLOPC	  1
#define ILL_ILLOPN	  2
#define ILL_ILLADR	  3
#define ILL_ILLTRP	  4
#define ILL_PRVOPC	  5
#define ILL_PRVREG	  6
#define ILL_COPROC	  7
#define ILL_BADSTK	  8
#define FPE_INTDIV	  1
#define FPE_INTOVF	  2
#define FPE_FLTDIV	  3
#define FPE_FLTOVF	  4
#define FPE_FLTUND	  5
#define FPE_FLTRES	  6
#define FPE_FLTINV	  7
#define FPE_FLTSUB	  8
#define FPE_FLTUNK	  14
#define SEGV_MAPERR	  1
#define SEGV_ACCERR	  2
#define SEGV_BNDERR	  3
#define SEGV_PKUERR	  4
#define BUS_ADRALN	  1
#define BUS_ADRERR	  2
#define BUS_OBJERR	  3
#define BUS_MCEERR_AR	  4
#define BUS_MCEERR_AO	  5
#define TRAP_BRKPT	  1
#define TRAP_TRACE	  2
#define TRAP_BRANCH	  3
#define TRAP_HWBKPT	  4
#define TRAP_UNK	  5
#define CLD_EXITED	  1
#define CLD_KILLED	  2
#define CLD_DUMPED	  3
#define CLD_TRAPPED	  4
#define CLD_STOPPED	  5
#define CLD_CONTINUED	  6
#define POLL_IN		  1
#define POLL_OUT	  2
#define POLL_MSG	  3
#define POLL_ERR	  4
#define POLL_PRI	  5
#define POLL_HUP	  6
#define SYS_SECCOMP	  1
#define SYS_USER_DISPATCH 2

typedef union {
	int32_t sival_int;
	uaddr_t sival_ptr;
} linux_sigval_t;

/* The members have short names, since libc makes macros of si_pid and kin. */
struct linux_siginfo {
	int32_t si_signo;
	int32_t si_errno;
	int32_t si_code;
	int32_t pad0;
	union {
		uint8_t pad[112];
		struct { /* kill, tgkill; SI_USER, SI_TKILL */
			int32_t pid;
			uint32_t uid;
		} kill;
		struct { /* SI_TIMER */
			int32_t id;
			int32_t overrun;
			linux_sigval_t value;
			int32_t private;
		} timer;
		struct { /* SI_QUEUE, SI_MESGQ */
			int32_t pid;
			uint32_t uid;
			linux_sigval_t value;
		} queue;
		struct { /* SIGCHLD */
			int32_t pid;
			uint32_t uid;
			int32_t status;
			int32_t pad1;
			int64_t utime;
			int64_t stime;
		} child;
		struct { /* SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP */
			uaddr_t addr;
			union {
				int16_t addr_lsb; /* BUS_MCEERR_* */
				struct {
					uint64_t pad2;
					uaddr_t lower;
					uaddr_t upper;
				} bounds; /* SEGV_BNDERR */
				struct {
					uint64_t pad3;
					uint32_t pkey;
				} pkey; /* SEGV_PKUERR */
			};
		} fault;
		struct { /* SIGIO */
			int64_t band;
			int32_t fd;
		} poll;
		struct { /* SIGSYS */
			uaddr_t call_addr;
			int32_t syscall;
			uint32_t arch;
		} sys;
	};
};

_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");

#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD	2
#define SIGEV_THREAD_ID 4

struct linux_sigevent {
	linux_sigval_t sigev_value;
	int32_t sigev_signo;
	int32_t sigev_kind; /* SIGEV_* */
	int32_t sigev_tid;
	int32_t pad[11];
};

_Static_assert(sizeof(struct linux_sigevent) == 64, "struct sigevent");

/* ------------------------------------------------------------------ frames */

/* What rt_sigreturn(2) finds on the stack: return address, linux_ucontext, linux_siginfo;
 * above them, 64-byte aligned, the xsave area that fpstate points to. */
struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
	uint64_t eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err;
	uint64_t trapno;
	uint64_t oldmask;
	uint64_t cr2;
	uaddr_t fpstate;
	uint64_t reserved1[8];
};

_Static_assert(sizeof(struct linux_sigcontext) == 256, "struct sigcontext");

/* uc_flags */
#define UC_FP_XSTATE	     0x1
#define UC_SIGCONTEXT_SS     0x2
#define UC_STRICT_RESTORE_SS 0x4

struct linux_ucontext {
	uint64_t uc_flags;
	uaddr_t uc_link;
	struct linux_stack uc_stack;
	struct linux_sigcontext uc_mcontext;
	linux_sigset_t uc_sigmask;
};

_Static_assert(sizeof(struct linux_ucontext) == 304, "struct ucontext");

struct linux_rt_sigframe {
	uaddr_t pretcode;
	struct linux_ucontext uc;
	struct linux_siginfo info;
};

_Static_assert(sizeof(struct linux_rt_sigframe) == 440, "struct rt_sigframe");

#define FP_XSTATE_MAGIC1      0x46505853U
#define FP_XSTATE_MAGIC2      0x46505845U
#define FP_XSTATE_MAGIC2_SIZE 4 /* the magic stands after xstate_size bytes */

struct linux_fpx_sw_bytes {
	uint32_t magic1;
	uint32_t extended_size; /* xsave area and magic2 */
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};

_Static_assert(sizeof(struct linux_fpx_sw_bytes) == 48, "struct _fpx_sw_bytes");

/* The legacy part of the xsave area (fxsave64). */
struct linux_fpstate {
	uint16_t cwd;
	uint16_t swd;
	uint16_t twd; /* abridged tag word */
	uint16_t fop;
	uint64_t rip;
	uint64_t rdp;
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint32_t st_space[32];
	uint32_t xmm_space[64];
	uint32_t reserved2[12];
	struct linux_fpx_sw_bytes sw_reserved;
};

_Static_assert(sizeof(struct linux_fpstate) == 512, "struct _fpstate");

struct linux_xstate_header {
	uint64_t xfeatures; /* XSTATE_BV */
	uint64_t xcomp_bv;
	uint64_t reserved[6];
};

_Static_assert(sizeof(struct linux_xstate_header) == 64, "struct _header");

/* ---------------------------------------------------------------- signalfd */

#define SFD_CLOEXEC  02000000
#define SFD_NONBLOCK 04000

struct linux_signalfd_siginfo {
	uint32_t ssi_signo;
	int32_t ssi_errno;
	int32_t ssi_code;
	uint32_t ssi_pid;
	uint32_t ssi_uid;
	int32_t ssi_fd;
	uint32_t ssi_tid;
	uint32_t ssi_band;
	uint32_t ssi_overrun;
	uint32_t ssi_trapno;
	int32_t ssi_status;
	int32_t ssi_int;
	uint64_t ssi_ptr;
	uint64_t ssi_utime;
	uint64_t ssi_stime;
	uint64_t ssi_addr;
	uint16_t ssi_addr_lsb;
	uint16_t pad2;
	int32_t ssi_syscall;
	uint64_t ssi_call_addr;
	uint32_t ssi_arch;
	uint8_t pad[28];
};

_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "struct signalfd_siginfo");
