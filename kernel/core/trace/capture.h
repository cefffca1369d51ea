/* SPDX-License-Identifier: MIT */
/* capture.h - copies what a call's arguments point at into its records, while the guest
 * still has it. Guest memory that cannot be read leaves no chunk: the address is shown
 * then. */
#pragma once
#include "abi/syscall.h"
#include "core/trace/record.h"

struct exec_strings;
struct task;

/* What the records of a call must hold beyond their heads. */
enum {
	CAPTURE_ENTER = 1 << 0,
	CAPTURE_LEAVE = 1 << 1,
};
uint8_t capture_needs(const struct syscall *s);

/* A bit for each argument that is written by the call: shown when it has ended. */
uint8_t capture_outs(uint32_t nr, const struct syscall *s, const uint64_t arg[6]);

/* Appends chunks to rec, which has room for TRACE_RECORD_MAX bytes, and sets its size. */
void capture_enter(struct trace_record *rec, const struct syscall *s,
		   const uint64_t arg[6]);
void capture_leave(struct trace_record *rec, const struct syscall *s,
		   const uint64_t arg[6], long ret, const struct task *t);
/* For the first program, which no call started: the chunks of its execve. */
void capture_first(struct trace_record *rec, const char *path,
		   const struct exec_strings *strings);
/* A chunk of kernel data, at most TRACE_STRING_MAX bytes. */
void capture_data(struct trace_record *rec, uint8_t arg, const void *data, size_t size);
