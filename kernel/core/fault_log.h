/* SPDX-License-Identifier: MIT */
/* fault_log.h - what the kernel's log says of faults that end programs. */
#pragma once

struct regs;
struct task;

/* At start-up: the settings in /proc/sys that turn it on and off, and the first lines of
 * the log. */
void fault_log_init(void);
void klog_boot(const char *command_line);
/* t, the current task, has a fault that it does not handle. */
void fault_log(struct task *t, const struct regs *r);
/* A signal that has a core file ends t. */
void fatal_signal_log(const struct task *t, int signo);
