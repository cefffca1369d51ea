/* SPDX-License-Identifier: MIT */
/* trace.c - see trace.h. */
#include "core/trace.h"

#include "abi/errno.h"
#include "abi/syscall.h"
#include "base/cpu.h"
#include "base/log.h"
#include "core/trace_format.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define LINE_MAX 480
#define TEXT_MAX 128

/* The call's strings, as many as trace_format_entry() shows. */
static void copy_strings(const struct syscall *s, const uint64_t arg[6],
			 char text[2][TEXT_MAX], const char *out[2])
{
	int found = 0;

	out[0] = out[1] = NULL;
	for (int i = 0; i < 6 && found < 2; i++) {
		long len;

		if (s->kind[i] != ARG_PATH && s->kind[i] != ARG_STR)
			continue;
		len = strncpy_from_user(text[found], arg[i], TEXT_MAX);
		text[found][TEXT_MAX - 1] = '\0'; /* a long one is cut */
		if (len >= 0 || len == -ENAMETOOLONG)
			out[found] = text[found];
		found++;
	}
}

static bool may_not_return(uint64_t nr)
{
	return nr == NR_exit || nr == NR_exit_group || nr == NR_execve ||
	       nr == NR_execveat;
}

long trace_call(struct task *t, const struct syscall *s, const uint64_t arg[6])
{
	char text[2][TEXT_MAX];
	char line[LINE_MAX];
	const char *path[2];
	pid_t tid = t->tid;
	long ret;

	copy_strings(s, arg, text, path);
	(void)trace_format_entry(line, sizeof(line), s, arg, path[0], path[1]);
	if (may_not_return(s->nr))
		log_raw("%d %s\n", tid, line);
	ret = s->call(t, arg);
	(void)trace_format_result(text[0], sizeof(text[0]), s, ret);
	log_raw("%d %s %s\n", tid, line, text[0]);
	return ret;
}

void trace_recent(void)
{
	const struct cpu *c = cpu_self();

	log_raw("  last calls:");
	for (unsigned i = 0; i < ARRAY_SIZE(c->recent); i++) {
		uint16_t nr = c->recent[(c->recent_at + i) % ARRAY_SIZE(c->recent)];
		const struct syscall *s = nr ? syscall_find(nr - 1U) : NULL;

		if (s)
			log_raw(" %s", s->name);
	}
	log_raw("\n");
}
