/* SPDX-License-Identifier: MIT */
/* gate.h - the process that makes connections for the sandbox: --allow-connect, and
 * socket files of volumes with `sock`. host/gate.h says what it is asked. */
#pragma once
#include <sys/types.h>

struct launch;
struct options;

/* Adds what --allow-connect TEXT says; ends the process, with a sentence, when it says
 * nothing. */
void gate_parse(struct options *o, const char *text);
/* Makes the way to the gate, if anything is allowed: the boot parameters name the
 * kernel's end. Before the monitor is made. */
void gate_begin(const struct options *o);
/* The sandbox's copy of the gate's end goes. */
void gate_close_ours(void);
/* Starts the gate. Its process id, or 0: there is nothing to do for one. */
pid_t gate_start(const struct options *o);
