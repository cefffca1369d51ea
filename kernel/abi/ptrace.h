/* SPDX-License-Identifier: MIT */
/* ptrace.h - ptrace(2) requests. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#define PTRACE_TRACEME		  0
#define PTRACE_PEEKTEXT		  1
#define PTRACE_PEEKDATA		  2
#define PTRACE_PEEKUSR		  3
#define PTRACE_POKETEXT		  4
#define PTRACE_POKEDATA		  5
#define PTRACE_POKEUSR		  6
#define PTRACE_CONT		  7
#define PTRACE_KILL		  8
#define PTRACE_SINGLESTEP	  9
#define PTRACE_GETREGS		  12
#define PTRACE_SETREGS		  13
#define PTRACE_GETFPREGS	  14
#define PTRACE_SETFPREGS	  15
#define PTRACE_ATTACH		  16
#define PTRACE_DETACH		  17
#define PTRACE_SYSCALL		  24
#define PTRACE_ARCH_PRCTL	  30
#define PTRACE_SYSEMU		  31
#define PTRACE_SETOPTIONS	  0x4200
#define PTRACE_GETEVENTMSG	  0x4201
#define PTRACE_GETSIGINFO	  0x4202
#define PTRACE_SETSIGINFO	  0x4203
#define PTRACE_GETREGSET	  0x4204
#define PTRACE_SETREGSET	  0x4205
#define PTRACE_SEIZE		  0x4206
#define PTRACE_INTERRUPT	  0x4207
#define PTRACE_LISTEN		  0x4208
#define PTRACE_PEEKSIGINFO	  0x4209
#define PTRACE_GETSIGMASK	  0x420a
#define PTRACE_SETSIGMASK	  0x420b
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#define PTRACE_GET_SYSCALL_INFO	  0x420e
