/* SPDX-License-Identifier: MIT */
/* strings.c - see strings.h; the limits are those of execve(2). */
#include "loader/strings.h"

#include "abi/errno.h"
#include "abi/resource.h"
#include "base/slab.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define ARG_STRLEN_MAX	(32 * PAGE_SIZE) /* one string, with its NUL */
#define ARG_TOTAL_CAP	(6UL << 20)
#define ARG_TOTAL_FLOOR (32 * PAGE_SIZE)
#define ARG_COUNT_MAX	0x7fffffffU

static size_t total_limit(void)
{
	uint64_t limit = rlimit_current(RLIMIT_STACK) / 4;

	limit = MIN(limit, ARG_TOTAL_CAP);
	return MAX(limit, ARG_TOTAL_FLOOR);
}

/* Adds up what a vector of the guest needs. */
static int measure(uaddr_t vec, uint32_t *count, size_t *size)
{
	*count = 0;
	*size = 0;
	if (!vec)
		return 0;
	for (;; vec += sizeof(uint64_t)) {
		uint64_t str;
		long len;
		int err = get_user_u64(&str, vec);

		if (err || !str)
			return err;
		len = strnlen_user(str, ARG_STRLEN_MAX);
		if (len < 0)
			return (int)len;
		*size += (size_t)len + 1;
		if (++*count == ARG_COUNT_MAX ||
		    *size + *count * sizeof(uint64_t) > total_limit())
			return -E2BIG;
	}
}

/* Copies a measured vector; the guest may have changed it since, but not to more than was
 * measured. */
static int copy(char *to, size_t size, uaddr_t vec, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t str;
		long len;
		int err = get_user_u64(&str, vec + i * sizeof(uint64_t));

		if (err)
			return err;
		len = strncpy_from_user(to, str, size);
		if (len < 0)
			return len == -ENAMETOOLONG ? -E2BIG : (int)len;
		to += len + 1;
		size -= (size_t)len + 1;
	}
	return size ? -EFAULT : 0; /* became shorter meanwhile */
}

int exec_strings_from_user(struct exec_strings *s, uaddr_t argv, uaddr_t envp)
{
	int err;

	*s = (struct exec_strings){0};
	err = measure(argv, &s->argc, &s->args_size);
	if (!err)
		err = measure(envp, &s->envc, &s->env_size);
	if (err)
		return err;
	if (s->args_size + s->env_size + (s->argc + s->envc) * sizeof(uint64_t) >
	    total_limit())
		return -E2BIG;
	if (!s->argc) { /* as Linux since 5.18: an empty argv[0] */
		s->argc = 1;
		s->args_size = 1;
		argv = 0;
	}
	s->data = kmalloc_zeroed(s->args_size + s->env_size + 1);
	if (!s->data)
		return -ENOMEM;
	if (argv)
		err = copy(s->data, s->args_size, argv, s->argc);
	if (!err && s->envc)
		err = copy(s->data + s->args_size, s->env_size, envp, s->envc);
	if (err)
		exec_strings_fini(s);
	return err;
}

static void measure_kernel(char *const *vec, uint32_t *count, size_t *size)
{
	*count = 0;
	*size = 0;
	for (; vec[*count]; ++*count)
		*size += strlen(vec[*count]) + 1;
}

static char *copy_kernel(char *to, char *const *vec)
{
	for (; *vec; vec++) {
		size_t size = strlen(*vec) + 1;

		memcpy(to, *vec, size);
		to += size;
	}
	return to;
}

int exec_strings_from_kernel(struct exec_strings *s, char *const *argv, char *const *envp)
{
	measure_kernel(argv, &s->argc, &s->args_size);
	measure_kernel(envp, &s->envc, &s->env_size);
	s->data = kmalloc(s->args_size + s->env_size + 1);
	if (!s->data)
		return -ENOMEM;
	(void)copy_kernel(copy_kernel(s->data, argv), envp);
	return 0;
}

int exec_strings_prepend(struct exec_strings *s, const char *const *front, uint32_t count)
{
	size_t skip = strlen(s->data) + 1; /* argv[0] */
	size_t front_size = 0;
	size_t rest = s->args_size + s->env_size - skip;
	char *data;
	char *to;

	for (uint32_t i = 0; i < count; i++)
		front_size += strlen(front[i]) + 1;
	data = kmalloc(front_size + rest + 1);
	if (!data)
		return -ENOMEM;
	to = data;
	for (uint32_t i = 0; i < count; i++) {
		size_t size = strlen(front[i]) + 1;

		memcpy(to, front[i], size);
		to += size;
	}
	memcpy(to, s->data + skip, rest);
	kfree(s->data);
	s->data = data;
	s->args_size += front_size - skip;
	s->argc += count - 1;
	return 0;
}

void exec_strings_fini(struct exec_strings *s)
{
	kfree(s->data);
	s->data = NULL;
}
