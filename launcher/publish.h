/* SPDX-License-Identifier: MIT */
/* publish.h - ports of the sandbox that the host's network reaches: -p. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct options;

/* One port, in the order of the command line; a range is many. */
struct published {
	const char *text; /* of the option */
	struct sockaddr_storage host;
	bool is_anywhere; /* no address was given: host is 0.0.0.0, and [::] counts too */
	bool is_udp;
	uint16_t guest;
	int fd[2]; /* that listen outside, or -1: of host, and of [::] */
};

/* Adds what -p TEXT says; ends the process, with a sentence, when it says nothing. */
void publish_parse(struct options *o, const char *text);
/* Listens on the host's ports, before anything else is begun: fails with a sentence. */
void publish_listen(struct options *o);
/* Nobody but the launcher may have them. */
void publish_close(const struct options *o);
/* Starts the process that forwards into the network namespace of the monitor, if there
 * is anything to forward. Its process id, or 0. */
pid_t publish_start(const struct options *o, pid_t monitor);
