/* SPDX-License-Identifier: MIT */
/* core_name.c - what a core file is called: kernel.core_pattern ("Naming of core dump
 * files" in core(5)). */
#include "abi/errno.h"
#include "abi/utsname.h"
#include "core/coredump.h"
#include "fs/file.h"
#include "fs/proc/proc.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/creds.h"
#include "process/system.h"
#include "time/clock.h"

enum { PATTERN_MAX = 128 };

struct name {
	char *buf;
	size_t len, size;
	bool is_cut;
};

static void put(struct name *n, const char *s)
{
	size_t len = strlen(s);

	if (len >= n->size - n->len) {
		n->is_cut = true;
		return;
	}
	memcpy(n->buf + n->len, s, len + 1);
	n->len += len;
}

static void put_number(struct name *n, uint64_t value)
{
	char text[24];

	(void)scnprintf(text, sizeof(text), "%lu", value);
	put(n, text);
}

/* Text that is to be one component of a path, whatever it says. */
static void put_escaped(struct name *n, const char *s)
{
	size_t start = n->len;

	put(n, s);
	for (size_t i = start; i < n->len; i++)
		if (n->buf[i] == '/')
			n->buf[i] = '!';
	if (n->len == start)
		put(n, "!");
	else if (string_equal(n->buf + start, ".") || string_equal(n->buf + start, ".."))
		n->buf[start] = '!';
}

/* The program's path, or the last name of it. */
static void put_program(struct name *n, const struct task *t, bool is_last)
{
	struct vm_object *object = mm_exe_get(t->mm);
	const struct file *exe = object ? file_of_object(object) : NULL;
	size_t room = n->size - n->len;
	char *at = n->buf + n->len;
	const char *last;
	long len = exe ? path_print(&exe->path, NULL, at, room) : -ENOENT;

	if (object)
		object->ops->put(object);
	at[0] = len < 0 ? '\0' : at[0];
	if (len == -ENAMETOOLONG) {
		n->is_cut = true;
		return;
	}
	if (len < 0) {
		put_escaped(n, t->comm);
		put(n, " (path unknown)");
		return;
	}
	last = at + len;
	while (is_last && last > at && last[-1] != '/')
		last--;
	if (is_last) {
		len = (long)strlen(last);
		memmove(at, last, (size_t)len + 1);
	}
	for (long i = 0; i < len; i++)
		if (at[i] == '/')
			at[i] = '!';
	n->len += (size_t)len;
}

static void put_hostname(struct name *n)
{
	struct linux_utsname names;

	system_names(&names);
	put_escaped(n, names.nodename);
}

static void put_specifier(struct name *n, const struct core_dump *cd, char c)
{
	const struct task *t = current();

	switch (c) {
	case '%':
		put(n, "%");
		break;
	case 'p':
	case 'P':
		put_number(n, (uint64_t)t->process->pid);
		break;
	case 'i':
	case 'I':
		put_number(n, (uint64_t)t->tid);
		break;
	case 'u':
		put_number(n, t->creds->uid);
		break;
	case 'g':
		put_number(n, t->creds->gid);
		break;
	case 'd':
		put_number(n, (uint64_t)cd->dumpable);
		break;
	case 's':
		put_number(n, (uint64_t)cd->signo);
		break;
	case 't':
		put_number(n, (uint64_t)(clock_now(CLOCK_REALTIME) / NSEC_PER_SEC));
		break;
	case 'h':
		put_hostname(n);
		break;
	case 'e':
		put_escaped(n, t->comm);
		break;
	case 'E':
	case 'f':
		put_program(n, t, c == 'f');
		break;
	case 'c':
		put_number(n, cd->limit);
		break;
	default:
		break;
	}
}

int core_name(const struct core_dump *cd, char *out, size_t size)
{
	char pattern[PATTERN_MAX];
	struct name n = {.buf = out, .size = size};
	bool has_pid = false;

	proc_setting("kernel/core_pattern", pattern, sizeof(pattern));
	if (pattern[0] == '|' || pattern[0] == '@')
		return -EPERM;
	out[0] = '\0';
	for (const char *s = pattern; *s; s++) {
		if (*s != '%') {
			put(&n, (char[]){*s, '\0'});
			continue;
		}
		if (!*++s)
			break;
		has_pid |= *s == 'p';
		put_specifier(&n, cd, *s);
	}
	if (!has_pid && atomic_load(&core_uses_pid)) {
		put(&n, ".");
		put_number(&n, (uint64_t)current()->process->pid);
	}
	if (n.is_cut)
		return -ENAMETOOLONG;
	return n.len ? 0 : -ENOENT;
}
