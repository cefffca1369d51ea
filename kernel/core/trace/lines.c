/* SPDX-License-Identifier: MIT */
/* lines.c - records as the lines that strace writes.
 *
 * A call's line is begun with its first record and ended with its second. When another
 * task's line comes between, it is cut: "<unfinished ...>", and continued later by
 * "<... read resumed>". */
#include "base/slab.h"
#include "core/boot.h"
#include "core/trace/format.h"
#include "core/trace/internal.h"
#include "core/trace/ring.h"
#include "lib/list.h"
#include "lib/string.h"

#define TABLE_SIZE    256U
#define RESULT_COLUMN 40

/* A task that has made calls. */
struct traced {
	struct traced *next;
	int tid, pid;
	bool in_call;
	unsigned next_arg;
	struct trace_record *enter; /* kmalloc: a copy */
	size_t enter_size;
};

static struct traced *table[TABLE_SIZE];
static struct traced *open_line; /* whose line it is that has not ended */
static uint64_t last_when;	 /* -r */

/* ---- tasks ---- */

static struct traced **place_of(int tid)
{
	struct traced **link = &table[(unsigned)tid % TABLE_SIZE];

	while (*link && (*link)->tid != tid)
		link = &(*link)->next;
	return link;
}

static struct traced *traced_get(const struct trace_record *rec)
{
	struct traced **link = place_of(rec->tid);

	if (!*link)
		*link = kmalloc_zeroed(sizeof(**link));
	if (*link) {
		(*link)->tid = rec->tid;
		(*link)->pid = rec->pid;
	}
	return *link;
}

static void traced_free(int tid)
{
	struct traced **link = place_of(tid);
	struct traced *d = *link;

	if (!d)
		return;
	*link = d->next;
	kfree(d->enter);
	kfree(d);
}

/* A thread that has become its process's leader by exec ends the call under that id. */
static struct traced *find_renamed(int pid)
{
	for (unsigned i = 0; i < TABLE_SIZE; i++) {
		for (struct traced *d = table[i]; d; d = d->next)
			if (d->pid == pid && d->in_call && d->enter &&
			    (d->enter->nr == NR_execve || d->enter->nr == NR_execveat))
				return d;
	}
	return NULL;
}

static bool keep_enter(struct traced *d, const struct trace_record *rec)
{
	if (rec->size > d->enter_size) {
		struct trace_record *bigger = kmalloc(rec->size);

		if (!bigger)
			return false;
		kfree(d->enter);
		d->enter = bigger;
		d->enter_size = rec->size;
	}
	memcpy(d->enter, rec, rec->size);
	return true;
}

/* ---- lines ---- */

static void add_time_of_day(struct text *t, nsec_t time)
{
	int64_t usec = time / 1000;
	int64_t sec = usec / 1000000 + trace_options.utc_offset;
	int of_day = (int)(sec % 86400);

	text_add(t, "%02d:%02d:%02d", of_day / 3600, of_day / 60 % 60, of_day % 60);
	if (trace_options.flags & TRACE_MICROSECONDS)
		text_add(t, ".%06d", (int)(usec % 1000000));
	text_add(t, " ");
}

static void add_seconds(struct text *t, int width, nsec_t time)
{
	text_add(t, "%*ld.%06d", width, (long)(time / NSEC_PER_SEC),
		 (int)(time % NSEC_PER_SEC / 1000));
}

static void add_prefix(struct text *t, int tid, uint64_t when)
{
	uint64_t flags = trace_options.flags;

	output_line_start = (long)t->len;
	text_add(t, "%-5d ", tid);
	if (flags & TRACE_RELATIVE) {
		uint64_t since = last_when && when > last_when ? when - last_when : 0;

		add_seconds(t, 6, trace_ticks_to_nsec(since));
		text_add(t, " ");
		last_when = when;
	}
	if (flags & TRACE_EPOCH) {
		add_seconds(t, 1, trace_ticks_to_time(when));
		text_add(t, " ");
	} else if (flags & TRACE_TIME) {
		add_time_of_day(t, trace_ticks_to_time(when));
	}
}

static void cut_line(struct text *t)
{
	if (open_line)
		text_add(t, " <unfinished ...>\n");
	open_line = NULL;
}

static void begin_line(struct text *t, int tid, uint64_t when)
{
	cut_line(t);
	add_prefix(t, tid, when);
}

static void add_close(struct text *t)
{
	static const char spaces[RESULT_COLUMN + 1] =
		"                                        ";
	long column;

	text_put(t, ") ", 2);
	column = (long)t->len - output_line_start;
	if (column >= 0 && column < RESULT_COLUMN)
		text_put(t, spaces, (size_t)(RESULT_COLUMN - column));
}

/* Back to the line of d's call, which may have been cut. */
static void resume_line(struct text *t, struct traced *d, const struct trace_view *v,
			const struct trace_record *rec)
{
	if (open_line == d)
		return;
	begin_line(t, rec->tid, rec->when);
	if (v->s)
		text_add(t, "<... %s resumed>", v->s->name);
	else
		text_add(t, "<... syscall_%#x resumed>", v->nr);
}

static void add_enter(struct text *t, const struct trace_record *rec)
{
	struct traced *d = traced_get(rec);
	struct trace_view v;

	view_init(&v, rec, NULL);
	begin_line(t, rec->tid, rec->when);
	format_name(t, &v);
	if (!d || !keep_enter(d, rec)) {
		text_add(t, " <out of memory>\n");
		return;
	}
	d->next_arg = format_args(t, &v, 0);
	d->in_call = true;
	open_line = d;
}

static void add_leave(struct text *t, const struct trace_record *rec)
{
	struct traced *d = *place_of(rec->tid);
	struct trace_view v;

	if (!d || !d->in_call)
		d = find_renamed(rec->pid);
	if (!d)
		return;
	view_init(&v, d->enter, rec);
	resume_line(t, d, &v, rec);
	(void)format_args(t, &v, d->next_arg);
	add_close(t);
	format_result(t, &v);
	if (trace_options.flags & TRACE_SPENT) {
		text_add(t, " <");
		add_seconds(t, 1, trace_ticks_to_nsec(rec->spent));
		text_add(t, ">");
	}
	text_add(t, "\n");
	d->in_call = false;
	open_line = NULL;
}

static void add_exit(struct text *t, const struct trace_record *rec)
{
	struct traced *d = *place_of(rec->tid);
	struct trace_view v;

	if (d && d->in_call) {
		view_init(&v, d->enter, NULL);
		resume_line(t, d, &v, rec);
		if (!format_is_complete(&v, d->next_arg))
			text_add(t, " <unfinished ...>");
		add_close(t);
		format_result(t, &v);
		text_add(t, "\n");
		open_line = NULL;
	}
	begin_line(t, rec->tid, rec->when);
	format_event(t, rec);
	text_add(t, "\n");
	traced_free(rec->tid);
}

void lines_add(const struct trace_record *rec)
{
	struct text *t = output_text();

	switch (rec->type) {
	case TRACE_ENTER:
		add_enter(t, rec);
		break;
	case TRACE_LEAVE:
		add_leave(t, rec);
		break;
	case TRACE_EXIT:
		add_exit(t, rec);
		break;
	default:
		begin_line(t, rec->tid, rec->when);
		format_event(t, rec);
		text_add(t, "\n");
	}
}

void lines_finish(void)
{
	cut_line(output_text());
}
