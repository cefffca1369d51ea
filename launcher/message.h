/* SPDX-License-Identifier: MIT */
/* message.h - what the command says on standard error: one sentence, "carbyne: " first.
 */
#pragma once

enum {
	STATUS_OWN_FAILURE =
		125, /* the command's own failure, as docker and env have it */
	STATUS_SIGNAL_BASE = 128,
};

void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says why and ends the calling process with STATUS_OWN_FAILURE, without exit handlers:
 * it is called in children of the command too. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
