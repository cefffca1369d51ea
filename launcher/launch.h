/* SPDX-License-Identifier: MIT */
/* launch.h - one start of a sandbox, from command line to exit status.
 *
 * Three processes take part. The launcher is the command that the user started: it
 * prepares the segment, forwards signals and returns the status. The monitor is its
 * child, init of the host pid namespace and parent of all host processes: it builds the
 * mount namespace and reaps. The first host process is the monitor's child and jumps into
 * the kernel. They share the boot area. With -p a fourth forwards connections
 * (publish.h), with --allow-connect or a volume with sock another makes them (gate.h). */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "image.h"
#include "limits.h"
#include "options.h"

struct launch {
	struct options options;
	struct image image;
	struct limits limits;
	unsigned inherited; /* descriptors from 3 on that are the program's */
	int segment_fd;
	pid_t launcher;	     /* its id, outside */
	bool has_namespaces; /* else the host denies them: Landlock and seccomp alone */
	bool is_boot_filled;
};

/* What the monitor answers when it has been let go. */
enum monitor_answer {
	MONITOR_READY = 'y',
	MONITOR_DENIED =
		'n', /* namespaces can be made but not used (AppArmor): go without */
};

/* boot.c: the boot parameters, but the descriptors that roots_open finds. The first part
 * changes what the monitor inherits; the rest is for the kernel to read, and written
 * while the monitor builds its mount namespace. */
void boot_begin(const struct launch *l);
void boot_fill(const struct launch *l);

/* monitor.c: what the monitor does; does not return. channel: a byte comes when ids are
 * mapped, another when the boot parameters are there; an enum monitor_answer goes back.
 */
_Noreturn void monitor_main(struct launch *l, int channel);

/* first.c: what the first host process does; does not return. */
_Noreturn void first_main(struct launch *l);

/* run.c: `carbyne run` and `carbyne trace`. Returns the exit status. */
int run_main(bool is_trace, int argc, char **argv);

/* info.c: `carbyne info`. */
int info_main(void);
