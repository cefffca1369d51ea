/* SPDX-License-Identifier: MIT */
/* summary.c - the table of `carbyne trace -c`: where the time between calls' starts and
 * ends went. */
#include "abi/syscall.h"
#include "base/slab.h"
#include "core/trace/internal.h"
#include "core/trace/ring.h"
#include "process/cpu_pool.h"

struct row {
	const char *name;
	uint64_t calls, errors;
	uint64_t nsec;
};

static struct row rows[SYSCALL_LIMIT];

static size_t collect(void)
{
	size_t count = 0;

	for (uint32_t nr = 0; nr < SYSCALL_LIMIT; nr++) {
		struct row *row = &rows[count];
		uint64_t ticks = 0;

		*row = (struct row){0};
		for (struct trace_ring *r = ring_first(); r; r = r->next) {
			if (!r->counts)
				continue;
			row->calls += r->counts[nr].calls;
			row->errors += r->counts[nr].errors;
			ticks += r->counts[nr].ticks;
		}
		if (!row->calls || !syscall_find(nr))
			continue;
		row->name = syscall_find(nr)->name;
		row->nsec = (uint64_t)trace_ticks_to_nsec(ticks);
		count++;
	}
	return count;
}

/* By time, then by calls: what took longest first. */
static void sort(size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct row row = rows[i];
		size_t at = i;

		while (at > 0 && (rows[at - 1].nsec < row.nsec ||
				  (rows[at - 1].nsec == row.nsec &&
				   rows[at - 1].calls < row.calls))) {
			rows[at] = rows[at - 1];
			at--;
		}
		rows[at] = row;
	}
}

static void print_row(struct text *t, const struct row *row, uint64_t all)
{
	uint64_t share = all ? (row->nsec * 10000 + all / 2) / all : 0;
	uint64_t usec = row->nsec / 1000;
	uint64_t each = row->calls ? usec / row->calls : 0;

	text_add(t, "%3lu.%02lu %4lu.%06lu %11lu %9lu ", share / 100, share % 100,
		 usec / 1000000, usec % 1000000, each, row->calls);
	if (row->errors)
		text_add(t, "%9lu", row->errors);
	else
		text_add(t, "%9s", "");
	text_add(t, " %s\n", row->name);
}

void summary_print(void)
{
	static const char line[] =
		"------ ----------- ----------- --------- --------- ----------------\n";
	struct text *t = output_text();
	struct row total = {.name = "total"};
	size_t count;
	uint64_t fast, slow;

	trace_ticks_sync();
	count = collect();
	sort(count);
	for (size_t i = 0; i < count; i++) {
		total.calls += rows[i].calls;
		total.errors += rows[i].errors;
		total.nsec += rows[i].nsec;
	}
	text_add(t, "%% time     seconds  usecs/call     calls    errors syscall\n%s",
		 line);
	for (size_t i = 0; i < count; i++)
		print_row(t, &rows[i], total.nsec);
	text_add(t, "%s", line);
	print_row(t, &total, total.nsec);
	cpu_calls(&fast, &slow);
	text_add(t, "entered by a jump: %lu, by a trap: %lu\n", fast, slow);
}
