/* SPDX-License-Identifier: MIT */
/* trace.c - the traced task's side: records and counts; and when they are written out.
 *
 * Whoever adds a record while nobody is on watch wakes the first host process, once; it
 * then looks every WATCH milliseconds until it finds nothing. It looks once more after it
 * has gone off watch, since a record and a look can miss each other by as long as a store
 * takes to be seen: so a record costs no fence. */
#include "core/trace/trace.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/syscall.h"
#include "base/cpu.h"
#include "base/log.h"
#include "core/boot.h"
#include "core/dispatch.h"
#include "core/host_process.h"
#include "core/trace/capture.h"
#include "core/trace/internal.h"
#include "core/trace/ring.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "process/task.h"
#include "signal/hooks.h"
#include "time/clock.h"

#define WATCH (10 * NSEC_PER_SEC / 1000)
#define PASS_MAX                                                                         \
	20000 /* records, before the first host process looks at other things            \
	       */

enum {
	PLAN_TRACED = 1 << 7, /* with CAPTURE_* */
};

struct trace_options trace_options;
uint64_t trace_lost;
static uint8_t plans[SYSCALL_LIMIT]; /* const after start */
static uint8_t plan_of_unknown;
static bool has_summary;	    /* const after start: -c, no lines */
static uint32_t is_watching;	    /* atomic: the first host process will look */
static uint32_t is_urgent;	    /* atomic: a ring is half full */
static nsec_t next_look, last_look; /* first host process: NSEC_NEVER, none */

/* ---- records ---- */

static struct trace_ring *ring_mine(void)
{
	return ring_current(!has_summary, has_summary);
}

static void wait_a_little(struct task *t)
{
	static uint32_t nobody;

	(void)host_futex_wait(&nobody, 0, clock_now(CLOCK_MONOTONIC) + NSEC_PER_SEC / 500,
			      &t->sleeper.work, WORK_KILL);
}

/* Empties the rings until r has room. False: the reader of the output keeps it from
 * being written, and t must die. */
static NOINLINE COLD bool make_room(struct trace_ring *r, struct task *t)
{
	for (int tries = 0; !ring_has_room(r, RING_ROOM); tries++) {
		/* Only a host thread that was stopped in mid-record can hold up the rest:
		 * not for ever. */
		struct drain_result d = drain_pass(PASS_MAX, tries > 100);

		if (d.is_blocked && (atomic_load(&t->sleeper.work) & WORK_KILL))
			return false;
		if (d.count == 0)
			wait_a_little(t);
	}
	return true;
}

static struct trace_ring *ring_with_room(struct task *t)
{
	struct trace_ring *r = ring_mine();

	if (likely(r && (ring_has_room(r, RING_ROOM) || make_room(r, t))))
		return r;
	(void)atomic_add(&trace_lost, 1);
	return NULL;
}

static inline void wake_reader(struct trace_ring *r)
{
	if (unlikely(!atomic_load_relaxed(&is_watching)) &&
	    atomic_xchg(&is_watching, 1) == 0)
		first_process_kick();
	if (likely(r->head - r->seen_tail < RING_HALF))
		return;
	r->seen_tail = atomic_load(&r->tail);
	if (r->head - r->seen_tail >= RING_HALF && !atomic_load_relaxed(&is_urgent) &&
	    atomic_xchg(&is_urgent, 1) == 0)
		first_process_kick();
}

static inline struct trace_record *
record_begin(struct trace_ring *r, const struct task *t, uint8_t type, uint32_t nr)
{
	struct trace_record *rec = ring_begin(r);

	rec->type = type;
	rec->tid = t->tid;
	rec->pid = t->process->pid;
	rec->nr = nr;
	rec->size = TRACE_HEAD_OTHER;
	rec->when = trace_ticks();
	return rec;
}

static inline void record_end(struct trace_ring *r, const struct trace_record *rec)
{
	ring_end(r, rec);
	wake_reader(r);
}

/* ---- calls ---- */

static inline uint64_t call_begins(struct task *t, const struct syscall *s, uint32_t nr,
				   const uint64_t arg[6], uint8_t plan)
{
	struct trace_ring *r = ring_with_room(t);
	struct trace_record *rec;
	uint64_t when;

	if (unlikely(!r))
		return trace_ticks();
	rec = record_begin(r, t, TRACE_ENTER, nr);
	when = rec->when;
	rec->size = TRACE_HEAD_ENTER;
	for (int i = 0; i < 6; i++)
		rec->arg[i] = arg[i];
	if (plan & CAPTURE_ENTER)
		capture_enter(rec, s, arg);
	record_end(r, rec);
	return when;
}

static inline void call_ends(struct task *t, const struct syscall *s, uint32_t nr,
			     const uint64_t arg[6], uint8_t plan, long ret,
			     uint64_t start)
{
	struct trace_ring *r = ring_mine();
	struct trace_record *rec;
	uint64_t end = 0;

	if (unlikely(!r || !ring_has_room(r, RING_ROOM))) {
		end = trace_ticks();
		r = ring_with_room(t);
		if (!r)
			return;
	}
	rec = record_begin(r, t, TRACE_LEAVE, nr);
	rec->ret = ret;
	rec->spent = (end ? end : rec->when) - start;
	if (plan & CAPTURE_LEAVE)
		capture_leave(rec, s, arg, ret, t);
	record_end(r, rec);
}

static inline void count_call(uint32_t nr, long ret, uint64_t ticks)
{
	struct trace_ring *r = ring_mine();

	if (unlikely(!r || nr >= SYSCALL_LIMIT))
		return;
	r->counts[nr].calls++;
	r->counts[nr].ticks += ticks;
	r->counts[nr].errors += ret < 0 && ret >= -MAX_ERRNO;
}

HOT long trace_call(struct task *t, const struct syscall *s, uint64_t nr,
		    const uint64_t arg[6])
{
	uint8_t plan = nr < SYSCALL_LIMIT ? plans[nr] : plan_of_unknown;
	uint32_t number = (uint32_t)MIN(nr, (uint64_t)UINT32_MAX);
	uint64_t start;
	long ret;

	if (!(plan & PLAN_TRACED))
		return dispatch_filtered(t, s, nr, arg);
	if (has_summary) {
		start = trace_ticks();
		ret = dispatch_filtered(t, s, nr, arg);
		count_call(number, ret, trace_ticks() - start);
		return ret;
	}
	start = call_begins(t, s, number, arg, plan);
	ret = dispatch_filtered(t, s, nr, arg);
	call_ends(t, s, number, arg, plan, ret, start);
	return ret;
}

void trace_first_program(struct task *t, const char *path,
			 const struct exec_strings *strings)
{
	struct trace_ring *r;
	struct trace_record *rec;

	if (has_summary || !(plans[NR_execve] & PLAN_TRACED))
		return;
	r = ring_with_room(t);
	if (!r)
		return;
	rec = record_begin(r, t, TRACE_ENTER, NR_execve);
	rec->size = TRACE_HEAD_ENTER;
	for (int i = 0; i < 6; i++)
		rec->arg[i] = 0;
	capture_first(rec, path, strings);
	record_end(r, rec);
}

void trace_exec_done(struct task *t)
{
	static const uint64_t none[6];

	if (!(plans[NR_execve] & PLAN_TRACED))
		return;
	if (has_summary)
		count_call(NR_execve, 0, 0);
	else
		call_ends(t, syscall_find(NR_execve), NR_execve, none, 0, 0,
			  trace_ticks());
}

/* ---- other events ---- */

void trace_exit(struct task *t, int status)
{
	struct trace_ring *r = has_summary ? NULL : ring_with_room(t);
	struct trace_record *rec;

	if (!r)
		return;
	rec = record_begin(r, t, TRACE_EXIT, 0);
	rec->ret = status;
	record_end(r, rec);
}

/* Under the process's lock: for what is written between two calls there is always room
 * to spare. */
static void on_signal(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct trace_ring *r = ring_mine();
	struct trace_record *rec;

	if (!r || !ring_has_room(r, RING_SLACK)) {
		(void)atomic_add(&trace_lost, 1);
		return;
	}
	rec = record_begin(r, t, info ? TRACE_SIGNAL : TRACE_STOP, 0);
	rec->ret = signo;
	if (info)
		capture_data(rec, TRACE_ARG_SIGNAL, info, sizeof(*info));
	record_end(r, rec);
}

/* ---- writing out ---- */

nsec_t trace_run(void)
{
	struct drain_result d;
	nsec_t now;

	if (!dispatch_traces || has_summary)
		return NSEC_NEVER;
	now = clock_now(CLOCK_MONOTONIC);
	if (!atomic_load(&is_watching)) {
		if (now >= last_look) {
			last_look = NSEC_NEVER;
			(void)drain_pass(PASS_MAX, false);
		}
		return last_look;
	}
	if (next_look == NSEC_NEVER)
		next_look = now + WATCH;
	if (now < next_look && !atomic_load(&is_urgent))
		return next_look;
	atomic_store(&is_urgent, 0);
	d = drain_pass(PASS_MAX, false);
	next_look = d.has_more ? now : now + WATCH;
	if (d.count == 0 && !d.is_blocked) {
		next_look = NSEC_NEVER;
		last_look = now + WATCH;
		atomic_store(&is_watching, 0);
		return last_look;
	}
	return next_look;
}

/* Somebody wants an end of this. */
static bool is_interrupted(void)
{
	return atomic_load(&boot->monitor_signals) &
	       (1U << (SIGINT - 1) | 1U << (SIGTERM - 1) | 1U << (SIGHUP - 1) |
		1U << (SIGQUIT - 1));
}

void trace_finish(void)
{
	struct drain_result d;

	if (!dispatch_traces)
		return;
	do {
		d = drain_pass(SIZE_MAX, true);
		if (d.is_blocked)
			output_wait();
	} while ((d.count || d.is_blocked) && !is_interrupted());
	lines_finish();
	if (has_summary)
		summary_print();
	if (trace_lost)
		text_add(output_text(), "%lu events lost\n", trace_lost);
	while (!output_flush() && !is_interrupted())
		output_wait();
}

void trace_panic(void)
{
	if (dispatch_traces && !has_summary)
		drain_panic();
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

/* ---- start ---- */

int trace_init(const struct boot_params *b)
{
	trace_options.flags = b->trace_flags;
	trace_options.fd = b->trace_fd;
	trace_options.utc_offset = b->utc_offset;
	has_summary = b->trace_flags & TRACE_SUMMARY;
	next_look = last_look = NSEC_NEVER;
	for (uint32_t nr = 0; nr < SYSCALL_LIMIT; nr++) {
		const struct syscall *s = syscall_find(nr);

		if (b->trace_set[nr / 64] >> (nr % 64) & 1)
			plans[nr] = (uint8_t)(PLAN_TRACED | (s ? capture_needs(s) : 0));
	}
	if (b->trace_flags & TRACE_UNKNOWN)
		plan_of_unknown = PLAN_TRACED;
	trace_ticks_init();
	if (!has_summary)
		signal_trace_hook = on_signal;
	return output_init();
}
