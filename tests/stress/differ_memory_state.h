/* SPDX-License-Identifier: MIT */
/*
 * differ_memory_state.h - the arena of differ_memory.c, and what can be seen of it: what
 * each page gives when it is read, written and executed, and what /proc says.
 *
 * Two areas that differ in nothing but in which pages they have (Linux' anon_vma, and the
 * offsets of anonymous memory that was moved) are shown as one: Linux joins them or not
 * by their history, which the kernel inside does not know in full.
 */
#pragma once
#include "differ.h"

#include <sys/resource.h>

enum {
	PAGE = 4096,
	ARENA_PAGES = 64,
	ROOM = 16 /* below and above, that calls can reach */
};
#define ARENA	  0x100000100000UL /* no 2 MiB of it lie in one huge page */
#define ARENA_END (ARENA + (uint64_t)ARENA_PAGES * PAGE)
#define SEEN	  (ARENA - (uint64_t)ROOM * PAGE)
#define SEEN_END  (ARENA_END + (uint64_t)ROOM * PAGE)

static uint8_t code_return = 0xc3; /* which every page begins with that may be executed */

/* ---- faults ---- */

static sigjmp_buf fault_jump;
static volatile sig_atomic_t fault_expected;
static volatile int fault_signal, fault_code;
static volatile uint64_t fault_addr;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (!fault_expected)
		_exit(99);
	fault_signal = signal;
	fault_code = info->si_code;
	fault_addr = (uint64_t)info->si_addr;
	siglongjmp(fault_jump, 1);
}

static void faults_begin(void)
{
	struct sigaction action = {.sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
	static char stack[1 << 16];
	stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};

	MUST(sigaltstack(&other, NULL) == 0);
	MUST(sigaction(SIGSEGV, &action, NULL) == 0 &&
	     sigaction(SIGBUS, &action, NULL) == 0);
}

/* Runs one access; false when it was refused. */
#define TRIED(access)                                                                    \
	({                                                                               \
		volatile bool done_ = false;                                             \
		fault_expected = 1;                                                      \
		if (sigsetjmp(fault_jump, 0) == 0) {                                     \
			access;                                                          \
			done_ = true;                                                    \
		}                                                                        \
		fault_expected = 0;                                                      \
		done_;                                                                   \
	})

static const char *fault_name(uint64_t addr)
{
	static char text[64];
	const char *name = fault_signal == SIGBUS      ? "BUS"
			   : fault_code == SEGV_MAPERR ? "MAPERR"
			   : fault_code == SEGV_ACCERR ? "ACCERR"
						       : "SEGV";

	snprintf(text, sizeof(text), "%s/%d%s", name, fault_code,
		 fault_addr == addr ? "" : " elsewhere");
	return text;
}

/* ---- text of addresses ---- */

/* Pages of the arena, or what is nobody's on any Linux; or just elsewhere. */
static const char *at_text(uint64_t addr)
{
	static char text[4][32];
	static unsigned int next;
	char *out = text[next++ % 4];

	if (addr >= SEEN && addr <= SEEN_END)
		snprintf(out, 32, addr % PAGE ? "a%+ld.%ld" : "a%+ld",
			 (long)(addr / PAGE) - (long)(ARENA / PAGE), (long)(addr % PAGE));
	else if (addr < 0x10000 || addr >= 0x7ffff0000000)
		snprintf(out, 32, "%#lx", (long)addr);
	else
		snprintf(out, 32, "elsewhere");
	return out;
}

static long done_at(long result)
{
	if (result == -1)
		return done(result);
	say(" = %s\n", at_text((uint64_t)result));
	return result;
}

/* ---- the pages ---- */

static uint64_t page_hash(const volatile uint64_t *words)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < PAGE / 8; i++)
		hash = hash * 0x100000001b3 + words[i];
	return hash;
}

/* Two characters a page: what reading it gives. */
static void say_pages(void)
{
	say("  pages");
	for (uint64_t at = SEEN; at < SEEN_END; at += PAGE) {
		volatile uint64_t hash = 0;

		if ((at - SEEN) % (16 * PAGE) == 0)
			say(" ");
		if (TRIED(hash = page_hash((const volatile uint64_t *)at)))
			say("%s%02x", "",
			    (unsigned int)((hash ^ hash >> 32) * 0x9e3779b1 >> 20) &
				    0xff);
		else
			say("%s", fault_addr - at >= PAGE ? "??"
				  : fault_signal == SIGBUS
					  ? (fault_code == BUS_ADRERR ? "BB" : "B?")
				  : fault_code == SEGV_MAPERR ? ".."
				  : fault_code == SEGV_ACCERR ? "--"
							      : "S?");
	}
	say("\n");
}

static void say_mincore(uint64_t start, uint64_t end)
{
	unsigned char vec[1] = {0};

	say(" mincore ");
	for (uint64_t at = start; at < end; at += PAGE)
		say("%s", mincore((void *)at, PAGE, vec) ? "?" : vec[0] & 1 ? "1" : "0");
}

/* ---- /proc ---- */

struct shown {
	uint64_t start, end, off;
	char perms[8], name[64], flags[128];
	unsigned long inode;
	long rss, anon;
};

static char proc_text[1 << 18];

static char *read_proc(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n;

	MUST(fd >= 0);
	while ((n = read(fd, proc_text + size, sizeof(proc_text) - 1 - size)) > 0)
		size += (size_t)n;
	MUST(n == 0);
	proc_text[size] = 0;
	close(fd);
	return proc_text;
}

/* A number of /proc/self/status, or of an area in smaps. */
static long proc_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atol(at + strlen(key)) : -1;
}

/* Flags that the kernel inside keeps. Left out: what userfaultfd, guards and KSM do,
 * soft-dirty bits; "ac", which is forgotten again of what had no page yet. */
static void keep_flags(char *out, const char *line)
{
	static const char *const left_out[] = {"sd", "mg", "um", "uw", "ui", "nl",
					       "ss", "sf", "wp", "gu", "ac"};
	size_t used = 0;

	for (line += strlen("VmFlags:"); *line && *line != '\n';) {
		char name[4] = "";
		bool is_kept = true;

		while (*line == ' ')
			line++;
		for (size_t i = 0; *line > ' '; line++)
			if (i < 3)
				name[i++] = *line;
		for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
			is_kept &= strcmp(name, left_out[i]) != 0;
		if (is_kept && *name)
			used += (size_t)snprintf(out + used, 128 - used, "%s.", name);
	}
}

/* The next area of the text, or false. The name is without its directories. */
static bool next_area(char **text, struct shown *out)
{
	char *line = *text;
	char *end = strstr(line, "VmFlags:");
	char path[256] = "";
	char *slash;
	unsigned int major, minor;
	int used;

	if (!end)
		return false;
	memset(out, 0, sizeof(*out));
	MUST(sscanf(line, "%lx-%lx %7s %lx %x:%x %lu%n", &out->start, &out->end,
		    out->perms, &out->off, &major, &minor, &out->inode, &used) == 7);
	line += used + (int)strspn(line + used, " ");
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(line, "\n"), line);
	slash = strrchr(path, '/');
	snprintf(out->name, sizeof(out->name), "%.60s",
		 slash && slash[1] ? slash + 1 : path);
	*end = 0;
	if (!strncmp(out->name, "SYSV", 4)) /* the number of a segment may be 0 */
		out->inode = 1;
	out->rss = proc_number(line, "\nRss:");
	out->anon = proc_number(line, "\nAnonymous:");
	*end = 'V';
	keep_flags(out->flags, end);
	*text = strchr(end, '\n') + 1;
	return true;
}

static bool looks_like_one(const struct shown *a, const struct shown *b)
{
	if (a->end != b->start || strcmp(a->perms, b->perms) ||
	    strcmp(a->name, b->name) || strcmp(a->flags, b->flags) ||
	    a->inode != b->inode || has("areas"))
		return false;
	return !a->inode || a->off + (a->end - a->start) == b->off;
}

/* Which pages of zeroes a child has is not told. */
static bool is_child;

static void say_area(const struct shown *a)
{
	bool is_anon = !a->inode && a->perms[3] == 'p';
	bool is_reachable = strncmp(a->perms, "---", 3) != 0;

	say("  %s-%s %s %lx%s %s %s", at_text(a->start), at_text(a->end), a->perms,
	    a->off, a->inode ? " file" : "", a->name, a->flags);
	/* What files have in memory is the host's affair; what they lock follows it. */
	if (is_anon && is_reachable && has("rss"))
		say(" rss %ld anon %ld", a->rss, a->anon);
	if (is_anon && has("rss") && !is_child)
		say_mincore(a->start, a->end);
	say("\n");
}

static void say_areas(void)
{
	struct shown last = {0}, next;
	char *text = read_proc("/proc/self/smaps");

	while (next_area(&text, &next)) {
		if (next.end <= SEEN || next.start >= SEEN_END)
			continue;
		if (last.end && looks_like_one(&last, &next)) {
			last.end = next.end;
			last.rss += next.rss;
			last.anon += next.anon;
			continue;
		}
		if (last.end)
			say_area(&last);
		last = next;
	}
	if (last.end)
		say_area(&last);
}

/* Sizes at the beginning: what was there then differs, what comes to it does not. */
static long size_begin, data_begin;

static void say_sizes(void)
{
	const char *text = read_proc("/proc/self/status");

	say("  size %+ld data %+ld locked %ld\n",
	    proc_number(text, "VmSize:") - size_begin,
	    proc_number(text, "VmData:") - data_begin, proc_number(text, "VmLck:"));
}

static void sizes_begin(void)
{
	const char *text = read_proc("/proc/self/status");

	size_begin = proc_number(text, "VmSize:");
	data_begin = proc_number(text, "VmData:");
}

static void say_all(void)
{
	say_areas();
	say_sizes();
	say_pages();
}
