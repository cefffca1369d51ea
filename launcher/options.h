/* SPDX-License-Identifier: MIT */
/* options.h - the command line of `carbyne run` and `carbyne trace`, decoded. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_set.h"

/* One -v or --tmpfs, in the order of the command line. */
struct volume {
	const char *host;  /* NULL: an empty tmpfs */
	const char *guest; /* absolute */
	bool is_read_only;
	bool is_file;	  /* host is no directory */
	bool has_sockets; /* its socket files are the host's, both ways */
};

struct options {
	struct volume *volumes;
	size_t volume_count;
	const char *rootfs;	/* NULL: the host's root */
	const char *work_dir;	/* NULL: the caller's */
	const char *user;	/* NULL: the caller */
	const char *hostname;	/* NULL: the host's */
	const char *trace_file; /* NULL: stderr */
	uint64_t trace_flags;	/* enum boot_trace_flags */
	struct trace_set trace_set;
	struct published *published; /* -p, in order */
	size_t published_count;
	struct gate_rule *rules; /* --allow-connect */
	size_t rule_count;
	bool has_own_network; /* --net=none: nothing but loopback */
	uint64_t memory;      /* bytes; 0: as the host gives */
	uint64_t boot_flags;  /* enum boot_flags */
	char **argv;	      /* the program and its arguments */
};

/* Decodes the words after the command's name. -e and --env-file change environ at once.
 * Ends the process, with a sentence, when the words are wrong, and after --help. */
void options_parse(struct options *o, bool is_trace, int argc, char **argv);
