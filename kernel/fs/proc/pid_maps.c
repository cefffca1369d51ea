/* SPDX-License-Identifier: MIT */
/* pid_maps.c - /proc/PID/{maps,smaps,smaps_rollup} (proc_pid_maps(5)).
 *
 * Limit: what is resident is not known; smaps takes all that is not PROT_NONE to be. */
#include "abi/mman.h"
#include "base/page.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "process/task.h"

enum { NAME_COLUMN = 72 };

struct maps {
	struct text *out;
	char *path; /* a page */
	bool is_smaps;
	uint64_t size, resident, anonymous; /* sums, in kB */
	uaddr_t start, end;
};

static const char *area_name(const struct vma *v)
{
	if (v->flags & VMA_HEAP)
		return "[heap]";
	if (v->flags & VMA_STACK)
		return "[stack]";
	if (v->flags & VMA_VVAR)
		return "[vvar]";
	return v->flags & VMA_VDSO ? "[vdso]" : NULL;
}

static void show_line(struct maps *m, const struct vma *v)
{
	struct text *out = m->out;
	size_t start = out->len;
	uint64_t dev = 0;
	uint64_t ino = 0;
	const char *name = area_name(v);

	if (v->object && v->object->ops->describe) {
		v->object->ops->describe(v->object, m->path, PAGE_SIZE, &dev, &ino);
		if (m->path[0])
			name = m->path;
	}
	text_printf(out, "%08lx-%08lx %c%c%c%c %08lx %02lx:%02lx %lu ", v->start, v->end,
		    v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
		    v->prot & PROT_EXEC ? 'x' : '-', v->flags & VMA_SHARED ? 's' : 'p',
		    v->object ? v->off : 0, dev >> 8 & 0xfff,
		    (dev & 0xff) | (dev >> 12 & 0xfff00), ino);
	if (name) {
		text_pad(out, start, NAME_COLUMN);
		text_escaped(out, name, "\n");
	}
	text_putc(out, '\n');
}

static void show_sizes(struct text *out, uint64_t resident, uint64_t anonymous,
		       bool is_shared)
{
	uint64_t clean = resident - anonymous;

	text_printf(out,
		    "Rss:            %8lu kB\nPss:            %8lu kB\nPss_Dirty:      "
		    "%8lu kB\n",
		    resident, resident, anonymous);
	text_printf(out,
		    "Shared_Clean:   %8lu kB\nShared_Dirty:   %8d kB\nPrivate_Clean:  "
		    "%8lu kB\n"
		    "Private_Dirty:  %8lu kB\nReferenced:     %8lu kB\nAnonymous:      "
		    "%8lu kB\n",
		    is_shared ? clean : 0, 0, is_shared ? 0 : clean, anonymous, resident,
		    anonymous);
	text_puts(out, "KSM:                   0 kB\nLazyFree:              0 kB\n"
		       "AnonHugePages:         0 kB\nShmemPmdMapped:        0 kB\n"
		       "FilePmdMapped:         0 kB\nShared_Hugetlb:        0 kB\n"
		       "Private_Hugetlb:       0 kB\nSwap:                  0 kB\n"
		       "SwapPss:               0 kB\n");
}

static void show_vm_flags(struct text *out, const struct vma *v)
{
	text_puts(out, "VmFlags:");
	text_puts(out, v->prot & PROT_READ ? " rd" : "");
	text_puts(out, v->prot & PROT_WRITE ? " wr" : "");
	text_puts(out, v->prot & PROT_EXEC ? " ex" : "");
	text_puts(out, v->flags & VMA_SHARED ? " sh" : "");
	text_puts(out, " mr mw me");
	text_puts(out, v->flags & VMA_GROWSDOWN ? " gd" : "");
	text_puts(out, v->flags & VMA_LOCKED ? " lo" : "");
	text_puts(out, v->flags & VMA_DONTFORK ? " dc" : "");
	text_puts(out, v->flags & VMA_DONTDUMP ? " dd" : "");
	text_puts(out, v->flags & VMA_NORESERVE ? " nr" : "");
	text_puts(out, v->flags & VMA_WIPEONFORK ? " wf" : "");
	text_puts(out, " \n");
}

static int show_area(struct vma *v, void *arg)
{
	struct maps *m = arg;
	uint64_t size = (v->end - v->start) / 1024;
	uint64_t resident = v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC) ? size : 0;
	uint64_t anonymous =
		!v->object || (v->prot & PROT_WRITE && !(v->flags & VMA_SHARED))
			? resident
			: 0;

	if (!m->size)
		m->start = v->start;
	m->end = v->end;
	m->size += size;
	m->resident += resident;
	m->anonymous += anonymous;
	if (!m->path)
		return 0;
	show_line(m, v);
	if (m->is_smaps) {
		text_printf(m->out,
			    "Size:           %8lu kB\nKernelPageSize:        4 kB\n"
			    "MMUPageSize:           4 kB\n",
			    size);
		show_sizes(m->out, resident, anonymous, v->flags & VMA_SHARED);
		text_printf(m->out, "Locked:         %8lu kB\nTHPeligible:           0\n",
			    v->flags & VMA_LOCKED ? size : 0);
		show_vm_flags(m->out, v);
	}
	return m->out->is_failed;
}

static void walk(struct maps *m, struct task *t)
{
	struct mm *mm = task_mm(t);

	if (!mm)
		return;
	lock_take(&mm->lock);
	(void)mm_for_each_vma(mm, show_area, m);
	lock_drop(&mm->lock);
	mm_put(mm);
}

static int show_all(struct text *out, struct task *t, bool is_smaps)
{
	struct maps m = {.out = out, .is_smaps = is_smaps, .path = page_alloc(0)};

	if (!m.path) {
		out->is_failed = true;
		return 0;
	}
	walk(&m, t);
	page_free(m.path, 0);
	return 0;
}

int pid_show_maps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, false);
}

int pid_show_smaps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, true);
}

int pid_show_smaps_rollup(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct maps m = {.out = out};
	size_t start = out->len;

	(void)i;
	walk(&m, t);
	text_printf(out, "%08lx-%08lx ---p 00000000 00:00 0 ", m.start, m.end);
	text_pad(out, start, NAME_COLUMN);
	text_puts(out, "[rollup]\n");
	show_sizes(out, m.resident, m.anonymous, false);
	text_puts(out, "Locked:                0 kB\n");
	return 0;
}
