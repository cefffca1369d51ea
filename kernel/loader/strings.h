/* SPDX-License-Identifier: MIT */
/* strings.h - the arguments and environment of an exec, in kernel memory while they
 * change address spaces. */
#pragma once
#include "abi/types.h"

struct exec_strings {
	char *data; /* kmalloc: argument strings, then environment strings, each with its
		       NUL */
	size_t args_size; /* bytes of the arguments */
	size_t env_size;
	uint32_t argc;
	uint32_t envc;
};

/* Copies both vectors (0: empty) from the guest. 0, -E2BIG, -EFAULT, -ENOMEM. */
int exec_strings_from_user(struct exec_strings *s, uaddr_t argv, uaddr_t envp) MUST_CHECK;
/* The same from kernel memory, NULL-terminated. */
int exec_strings_from_kernel(struct exec_strings *s, char *const *argv,
			     char *const *envp) MUST_CHECK;
/* Replaces argv[0] by the count strings of front (a script's interpreter, argument and
 * path). */
int exec_strings_prepend(struct exec_strings *s, const char *const *front,
			 uint32_t count) MUST_CHECK;
void exec_strings_fini(struct exec_strings *s);
