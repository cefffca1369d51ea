/* SPDX-License-Identifier: MIT */
/* trace.h - `carbyne trace`: what the rest of the kernel tells the tracer.
 *
 * A traced call writes two binary records, at its start and at its end, into the ring of
 * its host thread (ring.h); that takes some tens of nanoseconds and no host call. The
 * first host process turns them into text and writes that out, in the order of time, some
 * milliseconds later; a task that finds its ring full does so itself (drain.c). With -c
 * calls are only counted. Nothing here may be called while dispatch_traces is false, but
 * for trace_run(), trace_finish(), trace_panic() and trace_recent(). */
#pragma once
#include "abi/types.h"

struct boot_params;
struct exec_strings;
struct linux_siginfo;
struct syscall;
struct task;

/* Start-up. Returns 0 or -ENOMEM. */
int trace_init(const struct boot_params *b) MUST_CHECK;

/* Makes the call, s->call(), and records it; s may be NULL or not implemented. Sleeps. No
 * locks are held. */
long trace_call(struct task *t, const struct syscall *s, uint64_t nr,
		const uint64_t arg[6]);
/* The program that no call has started, before it runs; then its start. */
void trace_first_program(struct task *t, const char *path,
			 const struct exec_strings *strings);
/* t goes on in a new program and its call does not return. */
void trace_exec_done(struct task *t);
/* t ends. No locks are held. */
void trace_exit(struct task *t, int status);

/* For the first host process: writes out what there is, if it is time. Returns when it
 * wants to be called again. */
nsec_t trace_run(void);
/* At the very end: writes out all, and the summary. */
void trace_finish(void);
/* In a panic: writes out what can be. */
void trace_panic(void);
/* Logs what the current cpu was asked for lately, the last one last: for panics. */
void trace_recent(void);
