/* SPDX-License-Identifier: MIT */
/* coredump_elf.c - the contents of a core file: an ELF file with a segment for each area
 * and notes on the threads, as core(5) and debuggers want it.
 *
 * Pages that are not resident, and those that hold nothing but zeroes, become holes.
 *
 * Limits against Linux: what the host has swapped out is missing; vector registers beyond
 * SSE are not there. */
#include "abi/elf.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/trap.h"
#include "base/page.h"
#include "base/slab.h"
#include "core/coredump.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/pid_areas.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/session.h"
#include "process/task.h"

#define GUEST_CS    0x33
#define GUEST_SS    0x2b
#define NT_FPREGSET 2

enum core_filter { /* /proc/PID/coredump_filter */
		   FILTER_ANON_PRIVATE = 1 << 0,
		   FILTER_ANON_SHARED = 1 << 1,
		   FILTER_FILE_PRIVATE = 1 << 2,
		   FILTER_FILE_SHARED = 1 << 3,
		   FILTER_ELF_HEADERS = 1 << 4,
};

/* NT_PRPSINFO */
struct core_process {
	int8_t state, sname, zombie, nice;
	uint64_t flags;
	uint32_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char name[16];
	char args[80];
};

_Static_assert(sizeof(struct core_process) == 136, "elf_prpsinfo");

struct core_ids {
	pid_t ppid, pgrp, sid;
};

static struct core_ids ids_of(struct process *p)
{
	struct core_ids ids = {0};

	lock_take(&process_tree_lock);
	if (p->parent)
		ids.ppid = p->parent->pid;
	if (p->pgroup) {
		ids.pgrp = p->pgroup->pgid;
		ids.sid = p->pgroup->session->sid;
	}
	lock_drop(&process_tree_lock);
	return ids;
}

struct core_thread *core_thread_create(struct task *t, int signo,
				       const struct linux_siginfo *info)
{
	struct core_thread *c = kmalloc_zeroed(sizeof(*c));
	const struct regs *r = t->regs;
	struct core_ids ids;

	if (!c)
		return NULL;
	ids = ids_of(t->process);
	c->status = (struct core_status){
		.signo = (int16_t)signo,
		.pending = t->pending.set,
		.blocked = t->blocked,
		.pid = t->tid,
		.ppid = ids.ppid,
		.pgrp = ids.pgrp,
		.sid = ids.sid,
		.reg = {r->r15,
			r->r14,
			r->r13,
			r->r12,
			r->rbp,
			r->rbx,
			r->r11,
			r->r10,
			r->r9,
			r->r8,
			r->rax,
			r->rcx,
			r->rdx,
			r->rsi,
			r->rdi,
			r->orig_rax,
			r->rip,
			GUEST_CS,
			r->rflags,
			r->rsp,
			GUEST_SS,
			fs_base_read(),
			t->guest_gs ? t->gs_base : 0,
			0,
			0,
			0,
			0},
		.fp_valid = 1,
	};
	if (info) {
		c->status.info_signo = info->si_signo;
		c->status.info_code = info->si_code;
		c->status.info_errno = info->si_errno;
	}
	/* The kernel leaves these registers alone: they are still the guest's. */
	__asm__ volatile("fxsave64 %0" : "=m"(c->fp));
	return c;
}

/* ---- notes ---- */

static void pad(struct text *notes)
{
	while (notes->len & 3)
		text_putc(notes, '\0');
}

static void note_add(struct text *notes, const char *name, uint32_t type,
		     const void *data, size_t size)
{
	struct linux_elf64_nhdr h = {(uint32_t)strlen(name) + 1, (uint32_t)size, type};

	text_write(notes, &h, sizeof(h));
	text_write(notes, name, h.n_namesz);
	pad(notes);
	text_write(notes, data, size);
	pad(notes);
}

static void note_process(struct text *notes, struct task *t)
{
	const struct creds *creds = current_creds();
	struct core_ids ids = ids_of(t->process);
	struct core_process p = {
		.sname = 'R',
		.nice = (int8_t)t->nice,
		.uid = creds->uid,
		.gid = creds->gid,
		.pid = t->process->pid,
		.ppid = ids.ppid,
		.pgrp = ids.pgrp,
		.sid = ids.sid,
	};
	const struct saved_strings *s = t->mm->saved;

	memcpy(p.name, t->comm, sizeof(p.name));
	if (s) {
		size_t size = MIN(s->args_size, sizeof(p.args) - 1);

		for (size_t i = 0; i < size; i++)
			p.args[i] = s->data[i] ? s->data[i] : ' ';
	}
	note_add(notes, "CORE", NT_PRPSINFO, &p, sizeof(p));
}

/* Which file lies where. */
static void note_files(struct text *notes, const struct areas *areas)
{
	struct text out = {.buf = NULL};
	char *page = page_alloc(0);
	uint64_t count = 0;
	uint64_t unit = PAGE_SIZE;
	uint64_t dev;
	uint64_t ino;

	if (!page)
		return;
	for (size_t i = 0; i < areas->count; i++)
		count += file_of_object(areas->area[i].object) != NULL;
	text_write(&out, &count, sizeof(count));
	text_write(&out, &unit, sizeof(unit));
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *v = &areas->area[i];
		uint64_t place[3] = {v->start, v->end, v->off / PAGE_SIZE};

		if (file_of_object(v->object))
			text_write(&out, place, sizeof(place));
	}
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *v = &areas->area[i];
		const char *name;

		if (!file_of_object(v->object))
			continue;
		name = area_name(v, page, &dev, &ino);
		text_puts(&out, name ? name : "");
		text_putc(&out, '\0');
	}
	if (count && !out.is_failed)
		note_add(notes, "CORE", NT_FILE, out.buf, out.len);
	text_fini(&out);
	page_free(page, 0);
}

static void notes_make(struct text *notes, struct task *t,
		       const struct core_thread *threads, const struct areas *areas,
		       const struct linux_siginfo *info)
{
	for (const struct core_thread *c = threads; c; c = c->next) {
		note_add(notes, "CORE", NT_PRSTATUS, &c->status, sizeof(c->status));
		if (c == threads) {
			note_process(notes, t);
			note_add(notes, "CORE", NT_SIGINFO, info, sizeof(*info));
			note_add(notes, "CORE", NT_AUXV, t->mm->auxv, t->mm->auxv_size);
			note_files(notes, areas);
		}
		note_add(notes, "CORE", NT_FPREGSET, c->fp, sizeof(c->fp));
	}
}

/* ---- memory ---- */

static bool starts_elf(const struct area *v)
{
	char magic[SELFMAG];

	return !v->off && !copy_from_user(magic, v->start, sizeof(magic)) &&
	       memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* How much of an area goes into the file. */
static uint64_t size_dumped(const struct area *v, uint32_t filter)
{
	const struct file *f = file_of_object(v->object);
	bool is_shared = v->flags & VMA_SHARED;
	uint32_t kind;

	if (v->flags & VMA_VDSO)
		return v->end - v->start;
	if (v->flags & (VMA_DONTDUMP | VMA_VVAR))
		return 0;
	if (is_shared)
		kind = f && f->inode->nlink ? FILTER_FILE_SHARED : FILTER_ANON_SHARED;
	else
		kind = !v->object || (v->flags & VMA_TOUCHED) ? FILTER_ANON_PRIVATE
							      : FILTER_FILE_PRIVATE;
	if (filter & kind)
		return v->end - v->start;
	if (kind == FILTER_FILE_PRIVATE && (filter & FILTER_ELF_HEADERS) && starts_elf(v))
		return PAGE_SIZE;
	return 0;
}

struct writer {
	struct task *task;
	struct file *file;
	uint64_t limit, written;
	char *buf; /* a page */
};

static bool put(struct writer *w, const void *data, size_t size, uint64_t off)
{
	w->written += size; /* holes are free */
	if (w->written > w->limit || (atomic_load(&w->task->sleeper.work) & WORK_KILL))
		return false;
	return file_write_kernel(w->file, data, size, (int64_t)off) == (ssize_t)size;
}

static bool is_zero(const char *page)
{
	const uint64_t *word = (const uint64_t *)(const void *)page;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i])
			return false;
	return true;
}

static bool put_page(struct writer *w, uaddr_t addr, uint64_t off)
{
	if (copy_from_user(w->buf, addr, PAGE_SIZE) || is_zero(w->buf))
		return true; /* a hole */
	return put(w, w->buf, PAGE_SIZE, off);
}

static bool put_memory(struct writer *w, uaddr_t addr, uint64_t size, uint64_t off)
{
	uint8_t resident[512];

	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		size_t i = at / PAGE_SIZE % sizeof(resident);
		size_t part = MIN(size - at, sizeof(resident) * PAGE_SIZE);

		if (!i && host_mincore(addr + at, part, resident))
			memset(resident, 1, sizeof(resident));
		if ((resident[i] & 1) && !put_page(w, addr + at, off + at))
			return false;
		if (atomic_load(&w->task->sleeper.work) & WORK_KILL)
			return false;
	}
	return true;
}

static uint32_t segment_flags(uint32_t prot)
{
	return (prot & PROT_READ ? PF_R : 0) | (prot & PROT_WRITE ? PF_W : 0) |
	       (prot & PROT_EXEC ? PF_X : 0);
}

static bool put_headers(struct writer *w, const struct areas *areas,
			const struct text *notes, uint32_t filter, uint64_t data_off,
			uint64_t *end)
{
	struct linux_elf64_ehdr e = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(struct linux_elf64_phdr),
		.e_phnum = (uint16_t)(areas->count + 1),
	};
	struct linux_elf64_phdr p = {
		.p_type = PT_NOTE,
		.p_offset = sizeof(e) + sizeof(p) * (areas->count + 1),
		.p_filesz = notes->len,
		.p_align = 4,
	};
	uint64_t off = sizeof(e) + sizeof(p);

	if (!put(w, &e, sizeof(e), 0) || !put(w, &p, sizeof(p), sizeof(e)) ||
	    !put(w, notes->buf, notes->len, p.p_offset))
		return false;
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *v = &areas->area[i];

		p = (struct linux_elf64_phdr){
			.p_type = PT_LOAD,
			.p_flags = segment_flags(v->prot),
			.p_offset = data_off,
			.p_vaddr = v->start,
			.p_filesz = size_dumped(v, filter),
			.p_memsz = v->end - v->start,
			.p_align = PAGE_SIZE,
		};
		if (!put(w, &p, sizeof(p), off))
			return false;
		off += sizeof(p);
		data_off += p.p_filesz;
	}
	*end = data_off;
	return true;
}

/* Ends early where the limit is reached. */
static void put_all(struct writer *w, const struct areas *areas, const struct text *notes)
{
	uint32_t filter = w->task->process->coredump_filter;
	uint64_t off = ALIGN_UP(
		sizeof(struct linux_elf64_ehdr) +
			sizeof(struct linux_elf64_phdr) * (areas->count + 1) + notes->len,
		PAGE_SIZE);
	uint64_t end;

	if (!put_headers(w, areas, notes, filter, off, &end))
		return;
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *v = &areas->area[i];
		uint64_t size = size_dumped(v, filter);

		if ((v->prot & PROT_READ) && !put_memory(w, v->start, size, off))
			return;
		off += size;
	}
	(void)!file_truncate(w->file, (int64_t)end); /* behind a hole */
}

bool core_write(struct task *t, struct file *f, const struct core_thread *threads,
		const struct linux_siginfo *info, uint64_t limit)
{
	struct writer w = {.task = t, .file = f, .limit = limit, .buf = page_alloc(0)};
	struct text notes = {.buf = NULL};
	struct areas areas;
	bool ok = false;

	if (!w.buf)
		return false;
	if (!areas_take(&areas, t->mm) && areas.count < PN_XNUM - 1) {
		notes_make(&notes, t, threads, &areas, info);
		ok = !notes.is_failed;
		if (ok)
			put_all(&w, &areas, &notes);
	}
	areas_drop(&areas);
	text_fini(&notes);
	page_free(w.buf, 0);
	return ok;
}
