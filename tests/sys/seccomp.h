/* SPDX-License-Identifier: MIT */
/* seccomp.h - what the tests of filters share: small programs, and installing them. */
#pragma once
#include "proc.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define UNUSED __attribute__((unused))

#define LOAD(field)                                                                      \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARG(i)                                                                      \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/* The next instruction if A is value, else the one after it. */
#define IF(value)      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1)
#define PROGRAM(insns) (&(struct sock_fprog){sizeof(insns) / sizeof((insns)[0]), insns})

static inline long seccomp(unsigned op, unsigned long flags, const void *args)
{
	return syscall(SYS_seccomp, op, flags, args);
}

static inline void no_new_privs(void)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static inline long install(const struct sock_fprog *program, unsigned long flags)
{
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, program);
}

/* From now on this call leads to action, and all others are as they were. */
UNUSED static long filter_call(long nr, uint32_t action, unsigned long flags)
{
	struct sock_filter insns[] = {
		LOAD(nr),
		IF((uint32_t)nr),
		RETURN(action),
		RETURN(SECCOMP_RET_ALLOW),
	};

	no_new_privs();
	return install(PROGRAM(insns), flags);
}

/* A field of /proc/PATH/status. */
UNUSED static int status_field(const char *path, const char *name)
{
	char file[64];
	char line[256];
	int value = -1;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%s/status", path);
	f = fopen(file, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = atoi(line + strlen(name) + 1);
	fclose(f);
	return value;
}
