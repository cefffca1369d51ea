/* SPDX-License-Identifier: MIT */
/* core_note.c - the notes of a core file: the process, its signal and mapped files, and
 * for each thread its registers. Debuggers take the first thread for the one that died.
 */
#include "abi/elf.h"
#include "abi/signal.h"
#include "arch/x86_64/offsets.h"
#include "arch/x86_64/patch.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/xstate.h"
#include "base/page.h"
#include "base/slab.h"
#include "core/coredump.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/cpu_clock.h"
#include "process/creds.h"
#include "process/session.h"
#include "process/user_ns.h"

enum { NOTES_FIRST = 16 << 10, XCR0_OFFSET = 464 };

/* ---- putting notes together ---- */

static void add(struct core_notes *n, const void *data, size_t size)
{
	if (n->is_failed)
		return;
	if (size > n->size - n->len) {
		size_t want = MAX(MAX(2 * n->size, n->len + size), (size_t)NOTES_FIRST);
		char *more = krealloc(n->data, want);

		if (!more) {
			n->is_failed = true;
			return;
		}
		n->data = more;
		n->size = want;
	}
	memcpy(n->data + n->len, data, size);
	n->len += size;
}

static void pad(struct core_notes *n)
{
	static const char zeros[4];

	add(n, zeros, ALIGN_UP(n->len, 4UL) - n->len);
}

static void note_head(struct core_notes *n, const char *name, uint32_t type, size_t size)
{
	const struct linux_elf64_nhdr h = {.n_namesz = (uint32_t)strlen(name) + 1,
					   .n_descsz = (uint32_t)size,
					   .n_type = type};

	add(n, &h, sizeof(h));
	add(n, name, h.n_namesz);
	pad(n);
}

static void note(struct core_notes *n, const char *name, uint32_t type, const void *data,
		 size_t size)
{
	note_head(n, name, type, size);
	add(n, data, size);
	pad(n);
}

/* ---- threads ---- */

static void put_time(int64_t out[2], nsec_t t)
{
	out[0] = t / NSEC_PER_SEC;
	out[1] = t % NSEC_PER_SEC / 1000;
}

static void put_timeval(int64_t out[2], const struct linux_timeval *t)
{
	out[0] = t->tv_sec;
	out[1] = t->tv_usec;
}

/* Parent, group and session. */
static void put_ids(const struct process *p, int32_t *ppid, int32_t *pgrp, int32_t *sid)
{
	lock_take(&process_tree_lock);
	*ppid = p->parent ? p->parent->pid : 0;
	*pgrp = p->pgroup ? p->pgroup->pgid : 0;
	*sid = p->pgroup ? p->pgroup->session->sid : 0;
	lock_drop(&process_tree_lock);
}

static void put_times(struct linux_elf_prstatus *s, struct task *t)
{
	struct process *p = t->process;
	bool is_leader = t == p->leader;
	nsec_t user;
	nsec_t all;

	lock_take(&p->lock);
	user = is_leader ? cpu_time_of_process(p, CPUCLOCK_VIRT)
			 : cpu_time_of_task(t, CPUCLOCK_VIRT);
	all = is_leader ? cpu_time_of_process(p, CPUCLOCK_PROF)
			: cpu_time_of_task(t, CPUCLOCK_PROF);
	lock_drop(&p->lock);
	put_time(s->utime, user);
	put_time(s->stime, MAX(all - user, 0));
	put_timeval(s->cutime, &p->children_usage.ru_utime);
	put_timeval(s->cstime, &p->children_usage.ru_stime);
}

static void put_regs(struct linux_elf_prstatus *s, const struct core_thread *ct)
{
	const struct regs *r = ct->task->regs;

	if (!r)
		return;
	s->r15 = r->r15;
	s->r14 = r->r14;
	s->r13 = r->r13;
	s->r12 = r->r12;
	s->rbp = r->rbp;
	s->rbx = r->rbx;
	s->r11 = r->r11;
	s->r10 = r->r10;
	s->r9 = r->r9;
	s->r8 = r->r8;
	s->rax = r->rax;
	s->rcx = r->rcx;
	s->rdx = r->rdx;
	s->rsi = r->rsi;
	s->rdi = r->rdi;
	s->orig_rax = r->orig_rax;
	s->rip = patch_guest_rip(ct->task->mm, r->rip);
	s->cs = r->is_compat ? USER32_CS : USER_CS;
	s->eflags = r->rflags;
	s->rsp = r->rsp;
	s->ss = USER_SS;
	s->fs_base = ct->fs_base;
	s->gs_base = ct->gs_base;
}

static void note_status(struct core_notes *n, const struct core_dump *cd,
			const struct core_thread *ct)
{
	struct task *t = ct->task;
	struct linux_elf_prstatus s = {.si_signo = cd->signo,
				       .cursig = (int16_t)cd->signo,
				       .sigpend = t->pending.set,
				       .sighold = t->blocked,
				       .pid = t->tid,
				       .fpvalid = 1};

	put_ids(t->process, &s.ppid, &s.pgrp, &s.sid);
	put_times(&s, t);
	put_regs(&s, ct);
	note(n, "CORE", NT_PRSTATUS, &s, sizeof(s));
}

/* x87 and SSE registers as fxsave has them, then all. */
static void note_vectors(struct core_notes *n, const struct core_thread *ct)
{
	const uint64_t features = xstate_features();

	if (!ct->xstate)
		return;
	note(n, "CORE", NT_PRFPREG, ct->xstate, sizeof(struct linux_fpstate));
	/* Says what there is room for in the area. */
	memcpy((char *)ct->xstate + XCR0_OFFSET, &features, sizeof(features));
	note(n, "LINUX", NT_X86_XSTATE, ct->xstate, xstate_area_size());
}

/* ---- the process ---- */

static void put_args(char *out, size_t size, const struct mm *mm)
{
	size_t len = MIN(mm->arg_end - mm->arg_start, size - 1);

	len -= copy_from_user_partial(out, mm->arg_start, len);
	for (size_t i = 0; i < len; i++)
		if (!out[i])
			out[i] = ' ';
	out[len] = '\0';
}

static void note_process(struct core_notes *n)
{
	struct task *t = current();
	struct linux_elf_prpsinfo i = {
		.sname = 'R',
		.nice = (int8_t)t->nice,
		.uid = kuid_shown(t->creds->user_ns, t->creds->uid),
		.gid = kgid_shown(t->creds->user_ns, t->creds->gid),
		.pid = t->process->pid};

	put_ids(t->process, &i.ppid, &i.pgrp, &i.sid);
	memcpy(i.fname, t->comm, sizeof(i.fname));
	put_args(i.psargs, sizeof(i.psargs), t->mm);
	note(n, "CORE", NT_PRPSINFO, &i, sizeof(i));
}

static void add_word(struct core_notes *n, uint64_t word)
{
	add(n, &word, sizeof(word));
}

/* What is mapped where: a count, the page size, areas, then their files' names. */
static void note_files(struct core_notes *n, const struct core_dump *cd)
{
	struct core_notes names = {.data = NULL};
	struct core_notes places = {.data = NULL};
	char *page = page_alloc(0);
	uint64_t count = 0;

	names.is_failed = !page;
	for (size_t i = 0; i < cd->areas.count && !names.is_failed; i++) {
		const struct area *a = &cd->areas.area[i];
		uint64_t dev;
		uint64_t ino;
		const char *name = a->object ? area_name(a, page, &dev, &ino) : NULL;

		if (!name)
			continue;
		count++;
		add_word(&places, a->start);
		add_word(&places, a->end);
		add_word(&places, a->off >> PAGE_SHIFT);
		add(&names, name, strlen(name) + 1);
	}
	if (count && !names.is_failed && !places.is_failed) {
		note_head(n, "CORE", NT_FILE, 2 * sizeof(count) + places.len + names.len);
		add_word(n, count);
		add_word(n, PAGE_SIZE);
		add(n, places.data, places.len);
		add(n, names.data, names.len);
		pad(n);
	}
	kfree(places.data);
	kfree(names.data);
	if (page)
		page_free(page, 0);
}

void core_notes_make(const struct core_dump *cd, struct core_notes *n)
{
	const struct mm *mm = current()->mm;
	struct list *pos;
	bool is_first = true;

	list_for_each (pos, &cd->threads) {
		const struct core_thread *ct = list_entry(pos, struct core_thread, link);

		note_status(n, cd, ct);
		if (is_first) {
			note_process(n);
			note(n, "CORE", NT_SIGINFO, cd->info, sizeof(*cd->info));
			note(n, "CORE", NT_AUXV, mm->auxv, mm_auxv_size(mm));
			note_files(n, cd);
		}
		is_first = false;
		note_vectors(n, ct);
	}
}
