/* SPDX-License-Identifier: MIT */
/* pid_maps.c - /proc/PID/{maps,smaps,smaps_rollup,numa_maps} (proc_pid_maps(5)).
 *
 * How much is resident: pid_memory.c says how far that is known; who else has it:
 * pid_sharing.c. */
#include "abi/errno.h"
#include "abi/mman.h"
#include "arch/x86_64/task_hooks.h"
#include "base/page.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "lib/string.h"
#include "process/task.h"

enum { NAME_COLUMN = 72, PAGE_KB = PAGE_SIZE / 1024 };

struct sizes { /* in kB */
	uint64_t size, resident, locked;
	uint64_t kind[3];  /* resident, by enum memory_kind */
	uint64_t share[3]; /* of that: in kB by PAGE_PARTS */
	uint64_t shared_clean, shared_dirty,
		private_clean; /* the rest is private, dirty */
};

static uint64_t share_kb(const struct sizes *s, enum memory_kind kind)
{
	return s->share[kind] / PAGE_PARTS;
}

/* ---- lines ---- */

static void show_line(struct text *out, const struct area *v, char *page)
{
	size_t start = out->len;
	uint64_t dev;
	uint64_t ino;
	const char *name = area_name(v, page, &dev, &ino);

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

static void line_kb(struct text *out, const char *name, uint64_t kb)
{
	size_t start = out->len;

	text_printf(out, "%s:", name);
	while (out->len - start < 15 && !out->is_failed)
		text_putc(out, ' ');
	text_printf(out, " %8lu kB\n", kb);
}

static void show_sizes(struct text *out, const struct sizes *s, bool is_rollup)
{
	static const char *const zeros[] = {
		"KSM",		 "LazyFree",	   "AnonHugePages",   "ShmemPmdMapped",
		"FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb", "Swap",
		"SwapPss",
	};
	uint64_t dirty = s->resident - s->shared_clean - s->private_clean;

	line_kb(out, "Rss", s->resident);
	line_kb(out, "Pss",
		(s->share[MEMORY_ANON] + s->share[MEMORY_FILE] + s->share[MEMORY_SHMEM]) /
			PAGE_PARTS);
	line_kb(out, "Pss_Dirty",
		(s->share[MEMORY_ANON] + s->share[MEMORY_SHMEM]) / PAGE_PARTS);
	if (is_rollup) {
		line_kb(out, "Pss_Anon", share_kb(s, MEMORY_ANON));
		line_kb(out, "Pss_File", share_kb(s, MEMORY_FILE));
		line_kb(out, "Pss_Shmem", share_kb(s, MEMORY_SHMEM));
	}
	line_kb(out, "Shared_Clean", s->shared_clean);
	line_kb(out, "Shared_Dirty", s->shared_dirty);
	line_kb(out, "Private_Clean", s->private_clean);
	line_kb(out, "Private_Dirty", dirty - s->shared_dirty);
	line_kb(out, "Referenced", s->resident);
	line_kb(out, "Anonymous", s->kind[MEMORY_ANON]);
	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++)
		line_kb(out, zeros[i], 0);
	line_kb(out, "Locked", s->locked);
}

/* In Linux's order. */
static void show_vm_flags(struct text *out, const struct area *v)
{
	bool is_private = !(v->flags & VMA_SHARED);
	bool is_vsyscall = v->flags & VMA_VSYSCALL;
	bool is_vdso = v->flags & (VMA_VDSO | VMA_VVAR);
	const struct {
		const char *name;
		bool is_set;
	} all[] = {
		{" rd", v->prot & PROT_READ},
		{" wr", v->prot & PROT_WRITE},
		{" ex", v->prot & PROT_EXEC},
		{" sh", !is_private},
		{" mr", !is_vsyscall},
		{" mw", !is_vsyscall && !(v->flags & (VMA_NOWRITE | VMA_VVAR))},
		{" me", !is_vsyscall && !(v->flags & VMA_VVAR)},
		{" ms", !is_private},
		{" gd", v->flags & (VMA_GROWSDOWN | VMA_STACK)},
		{" lo", v->flags & VMA_LOCKED},
		{" dc", v->flags & VMA_DONTFORK},
		{" de", is_vdso || (v->flags & VMA_DONTEXPAND)},
		{" ac", v->flags & (VMA_ACCOUNT | VMA_STACK)},
		{" nr", v->flags & VMA_NORESERVE},
		{" wf", v->flags & VMA_WIPEONFORK},
		{" dd", v->flags & (VMA_DONTDUMP | VMA_VVAR)},
		{" dp", v->flags & VMA_DROPPABLE},
	};

	text_puts(out, "VmFlags:");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].is_set)
			text_puts(out, all[i].name);
	text_puts(out, " \n");
}

static void sizes_add(struct sizes *s, const struct area *v)
{
	enum memory_kind kind = area_kind(v);
	uint64_t resident = v->resident * PAGE_KB;
	uint64_t shared = v->shared * PAGE_KB;

	s->size += (v->end - v->start) / 1024;
	s->resident += resident;
	s->kind[kind] += resident;
	s->share[kind] += v->share * PAGE_KB;
	if (v->flags & VMA_LOCKED)
		s->locked += v->share * PAGE_KB / PAGE_PARTS;
	if (kind == MEMORY_FILE) {
		s->shared_clean += shared;
		s->private_clean += resident - shared;
	} else {
		s->shared_dirty += shared;
	}
}

static void show_area(struct text *out, const struct area *v)
{
	struct sizes s = {0};

	sizes_add(&s, v);
	line_kb(out, "Size", s.size);
	line_kb(out, "KernelPageSize", PAGE_KB);
	line_kb(out, "MMUPageSize", PAGE_KB);
	show_sizes(out, &s, false);
	text_puts(out, "THPeligible:           0\n");
	show_vm_flags(out, v);
}

/* Every process has this one, which is not among its areas: core/vsyscall.c. */
static const struct area vsyscall_page = {.start = VSYSCALL_START,
					  .end = VSYSCALL_START + PAGE_SIZE,
					  .prot = PROT_EXEC,
					  .flags = VMA_VSYSCALL};

static void show_numa(struct text *out, const struct area *v, char *page)
{
	uint64_t dev;
	uint64_t ino;
	const char *name = area_name(v, page, &dev, &ino);

	text_printf(out, "%08lx default", v->start);
	if (v->object && name) {
		text_puts(out, " file=");
		text_escaped(out, name, "\n\t= ");
	} else if (v->flags & (VMA_HEAP | VMA_STACK)) {
		text_puts(out, v->flags & VMA_HEAP ? " heap" : " stack");
	}
	if (v->resident && area_kind(v) == MEMORY_ANON)
		text_printf(out, " anon=%zu dirty=%zu", v->resident, v->resident);
	else if (v->resident && area_kind(v) == MEMORY_SHMEM)
		text_printf(out, " dirty=%zu", v->resident);
	else if (v->resident)
		text_printf(out, " mapped=%zu", v->resident);
	if (v->resident)
		text_printf(out, " N0=%zu kernelpagesize_kB=%d", v->resident, PAGE_KB);
	text_putc(out, '\n');
}

/* ---- files ---- */

enum kind { MAPS, SMAPS, NUMA };

static int show_all(struct text *out, struct task *t, enum kind kind)
{
	struct mm *mm = task_mm(t);
	char *page;
	struct areas a;
	int err;

	if (!mm)
		return 0;
	page = page_alloc(0);
	err = areas_take(&a, mm);
	out->is_failed |= !page;
	if (!err && kind != MAPS)
		areas_measure(&a, t, mm);
	if (!err && kind == SMAPS)
		areas_share(&a, t, mm);
	for (size_t i = 0; i < a.count && !out->is_failed; i++) {
		if (kind == NUMA)
			show_numa(out, &a.area[i], page);
		else
			show_line(out, &a.area[i], page);
		if (kind == SMAPS)
			show_area(out, &a.area[i]);
	}
	if (!err && kind != NUMA && !out->is_failed)
		show_line(out, &vsyscall_page, page);
	if (!err && kind == SMAPS)
		show_area(out, &vsyscall_page);
	areas_drop(&a);
	if (page)
		page_free(page, 0);
	mm_put(mm);
	return err;
}

int pid_show_maps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, MAPS);
}

int pid_show_smaps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, SMAPS);
}

int pid_show_numa_maps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_all(out, t, NUMA);
}

int pid_show_smaps_rollup(struct text *out, struct task *t, const struct pid_inode *i)
{
	struct mm *mm = task_mm(t);
	struct sizes s = {0};
	size_t start = out->len;
	struct areas a;
	int err;

	(void)i;
	if (!mm)
		return -ESRCH;
	err = areas_take(&a, mm);
	if (!err) {
		areas_measure(&a, t, mm);
		areas_share(&a, t, mm);
	}
	mm_put(mm);
	for (size_t k = 0; k < a.count; k++)
		sizes_add(&s, &a.area[k]);
	text_printf(out, "%08lx-%08lx ---p 00000000 00:00 0 ",
		    a.count ? a.area[0].start : 0, a.count ? a.area[a.count - 1].end : 0);
	text_pad(out, start, NAME_COLUMN);
	text_puts(out, "[rollup]\n");
	show_sizes(out, &s, true);
	areas_drop(&a);
	return err;
}
