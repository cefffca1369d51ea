/* SPDX-License-Identifier: MIT */
/* gate_internal.h - between gate.c and gate_files.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate_request;
struct options;

/* ---- gate.c ---- */

/* pair[1] is the sandbox's. 0 or -errno. */
int gate_make_pair(int pair[2], uint32_t type);
/* A message, with a descriptor unless that is -1. */
bool gate_send_end(int to, void *data, size_t size, int fd);
/* False: there are as many connections as there may be. */
bool gate_has_room(void);
/* Relays between the two from now on. */
void gate_join(int outer, int inner, uint32_t type);

/* ---- gate_files.c ---- */

void gate_files_init(const struct options *o);
unsigned int gate_files_count(void); /* of doors */
/* Each: the sandbox's end in *out, and 0; or -errno. */
int gate_connect_file(const struct gate_request *q, int *out);
int gate_bind_file(const struct gate_request *q, int *out);
/* Doors that had no descriptors try again. True: some have none still. */
bool gate_files_feed(void);
/* After relay_wait(). */
void gate_files_free_over(void);
