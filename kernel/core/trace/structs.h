/* SPDX-License-Identifier: MIT */
/* structs.h - structures that arguments point at, as text. */
#pragma once
#include "abi/types.h"

struct linux_siginfo;
struct text;
struct trace_chunk;
struct trace_view;

/* Argument i from its chunk c. False: the chunk is too short for the kind, or the kind
 * has no printer; nothing was printed then. */
bool struct_print(struct text *t, const struct trace_view *v, unsigned i,
		  const struct trace_chunk *c);

/* structs_signal.c */
bool struct_print_signal(struct text *t, uint8_t kind, const void *data, size_t size);
void print_signal(struct text *t, int signo);
void print_sigset(struct text *t, uint64_t set);
void print_siginfo(struct text *t, const struct linux_siginfo *info);
void print_wait_status(struct text *t, uint32_t status);

/* structs_socket.c */
void print_address(struct text *t, const void *data, size_t size);
void print_vector(struct text *t, const struct trace_chunk *c);
void print_message(struct text *t, const struct trace_view *v, const void *data,
		   size_t size);
/* Strings in their chunk, as execve(2) takes them. */
void print_strings(struct text *t, const struct trace_chunk *c);

/* {tv_sec=1, tv_nsec=0} */
void print_timespec(struct text *t, const void *data);
void print_timeval(struct text *t, const void *data);
void print_pollfds(struct text *t, const struct trace_chunk *c, bool is_result);
void print_fdset(struct text *t, const struct trace_chunk *c, uint64_t count);
