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
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/policy.h"
#include "process/task.h"

enum { NAME_COLUMN = 72, PAGE_KB = PAGE_SIZE / 1024 };

struct sizes {
	size_t size;		 /* bytes */
	struct area_pages of[3]; /* pages, by enum memory_kind */
	size_t swapped;		 /* pages */
	uint64_t locked;	 /* in 1/PAGE_PARTS */
};

static uint64_t parts_kb(uint64_t parts)
{
	return parts * PAGE_KB / PAGE_PARTS;
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

/* Of a file's pages the host does not tell which are dirty: they count as clean. */
static void show_shares(struct text *out, const struct sizes *s, bool is_rollup)
{
	const struct area_pages *anon = &s->of[MEMORY_ANON];
	const struct area_pages *file = &s->of[MEMORY_FILE];
	const struct area_pages *shmem = &s->of[MEMORY_SHMEM];
	size_t dirty = anon->resident + shmem->resident;

	line_kb(out, "Rss", (dirty + file->resident) * PAGE_KB);
	line_kb(out, "Pss", parts_kb(anon->share + file->share + shmem->share));
	line_kb(out, "Pss_Dirty", parts_kb(anon->share + shmem->share));
	if (is_rollup) {
		line_kb(out, "Pss_Anon", parts_kb(anon->share));
		line_kb(out, "Pss_File", parts_kb(file->share));
		line_kb(out, "Pss_Shmem", parts_kb(shmem->share));
	}
	line_kb(out, "Shared_Clean", file->shared * PAGE_KB);
	line_kb(out, "Shared_Dirty", (anon->shared + shmem->shared) * PAGE_KB);
	line_kb(out, "Private_Clean", (file->resident - file->shared) * PAGE_KB);
	line_kb(out, "Private_Dirty", (dirty - anon->shared - shmem->shared) * PAGE_KB);
	line_kb(out, "Referenced", (dirty + file->resident) * PAGE_KB);
	line_kb(out, "Anonymous", anon->resident * PAGE_KB);
}

static void show_sizes(struct text *out, const struct sizes *s, bool is_rollup)
{
	show_shares(out, s, is_rollup);
	line_kb(out, "KSM", 0);
	line_kb(out, "LazyFree", 0);
	line_kb(out, "AnonHugePages", s->of[MEMORY_ANON].huge * PAGE_KB);
	line_kb(out, "ShmemPmdMapped", s->of[MEMORY_SHMEM].huge * PAGE_KB);
	line_kb(out, "FilePmdMapped", s->of[MEMORY_FILE].huge * PAGE_KB);
	line_kb(out, "Shared_Hugetlb", 0);
	line_kb(out, "Private_Hugetlb", 0);
	line_kb(out, "Swap", s->swapped * PAGE_KB);
	line_kb(out, "SwapPss", s->swapped * PAGE_KB);
	line_kb(out, "Locked", parts_kb(s->locked));
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
		{" sh", !is_private && !(v->flags & VMA_READER)},
		{" mr", !is_vsyscall},
		{" mw", !is_vsyscall && !(v->flags & (VMA_NOWRITE | VMA_VVAR))},
		{" me", !is_vsyscall && !(v->flags & VMA_VVAR)},
		{" ms", !is_private},
		{" gd", v->flags & (VMA_GROWSDOWN | VMA_STACK)},
		{" gu", v->flags & VMA_GUARD},
		{" lo", v->flags & VMA_LOCKED},
		{" sr", v->flags & VMA_SEQ_READ},
		{" rr", v->flags & VMA_RAND_READ},
		{" dc", v->flags & VMA_DONTFORK},
		{" de", is_vdso || (v->flags & VMA_DONTEXPAND)},
		{" lf", v->flags & VMA_LOCKONFAULT},
		{" ac", v->flags & (VMA_ACCOUNT | VMA_STACK)},
		{" nr", v->flags & VMA_NORESERVE},
		{" wf", v->flags & VMA_WIPEONFORK},
		{" dd", v->flags & (VMA_DONTDUMP | VMA_VVAR)},
		{" hg", v->flags & VMA_HUGEPAGE},
		{" nh", v->flags & VMA_NOHUGEPAGE},
		{" mg", v->flags & VMA_MERGEABLE},
		{" dp", v->flags & VMA_DROPPABLE},
		{" sl", v->flags & VMA_SEALED},
	};

	text_puts(out, "VmFlags:");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].is_set)
			text_puts(out, all[i].name);
	text_puts(out, " \n");
}

static void pages_add(struct area_pages *sum, const struct area_pages *add)
{
	sum->resident += add->resident;
	sum->shared += add->shared;
	sum->share += add->share;
	sum->huge += add->huge;
}

static void sizes_add(struct sizes *s, const struct area *v)
{
	s->size += v->end - v->start;
	s->swapped += v->swapped;
	pages_add(&s->of[MEMORY_ANON], &v->anon);
	pages_add(&s->of[area_object_kind(v)], &v->mapped);
	if (v->flags & VMA_LOCKED)
		s->locked += v->anon.share + v->mapped.share;
}

static void show_area(struct text *out, const struct area *v)
{
	struct sizes s = {0};

	sizes_add(&s, v);
	line_kb(out, "Size", s.size / 1024);
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

/* As the kernel calls them, which is not as the manual does. */
static void show_policy(struct text *out, uint32_t policy)
{
	static const char *const modes[MPOL_MAX] = {
		[MPOL_DEFAULT] = "default",
		[MPOL_PREFERRED] = "prefer",
		[MPOL_BIND] = "bind",
		[MPOL_INTERLEAVE] = "interleave",
		[MPOL_LOCAL] = "local",
		[MPOL_PREFERRED_MANY] = "prefer (many)",
		[MPOL_WEIGHTED_INTERLEAVE] = "weighted interleave",
	};
	uint32_t nodes = policy & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);

	text_puts(out, modes[policy & POLICY_MODE]);
	if (policy & POLICY_FLAGS)
		text_putc(out, '=');
	if (nodes)
		text_puts(out, nodes == MPOL_F_STATIC_NODES ? "static" : "relative");
	if (policy & MPOL_F_NUMA_BALANCING)
		text_puts(out, nodes ? "|balancing" : "balancing");
	if (policy & POLICY_NODE_0)
		text_puts(out, ":0");
}

/* policy: for areas that have none of their own. */
static void show_numa(struct text *out, const struct area *v, uint32_t policy, char *page)
{
	uint64_t dev;
	uint64_t ino;
	const char *name = area_name(v, page, &dev, &ino);
	size_t all = v->anon.resident + v->mapped.resident;

	text_printf(out, "%08lx ", v->start);
	show_policy(out, v->policy ? v->policy : policy);
	if (v->object && name) {
		text_puts(out, " file=");
		text_escaped(out, name, "\n\t= ");
	} else if (v->flags & (VMA_HEAP | VMA_STACK)) {
		text_puts(out, v->flags & VMA_HEAP ? " heap" : " stack");
	}
	if (v->mapped.resident)
		text_printf(out,
			    area_object_kind(v) == MEMORY_SHMEM ? " dirty=%zu"
								: " mapped=%zu",
			    v->mapped.resident);
	if (v->anon.resident)
		text_printf(out, " anon=%zu dirty=%zu", v->anon.resident,
			    v->anon.resident);
	if (all)
		text_printf(out, " N0=%zu kernelpagesize_kB=%d", all, PAGE_KB);
	text_putc(out, '\n');
}

/* ---- files ---- */

enum kind { MAPS, SMAPS, NUMA };

/* Areas of a piece: few at first, for who looks for one; more when all are read, as each
 * piece looks at what all processes map. */
enum { FIRST_PIECE = 64, PIECE = 2048 };

static void show_areas(struct text *out, const struct areas *a, struct task *t,
		       enum kind kind, char *page)
{
	uint32_t policy = atomic_load_relaxed(&t->mem_policy);

	for (size_t i = 0; i < a->count && !out->is_failed; i++) {
		if (kind == NUMA)
			show_numa(out, &a->area[i], policy, page);
		else
			show_line(out, &a->area[i], page);
		if (kind == SMAPS)
			show_area(out, &a->area[i]);
	}
}

static void show_end(struct text *out, enum kind kind, char *page)
{
	if (kind != NUMA)
		show_line(out, &vsyscall_page, page);
	if (kind == SMAPS)
		show_area(out, &vsyscall_page);
}

/* A piece goes on with what lies, by then, above the last one's end. */
static int show_piece(struct text *out, struct task *t, enum kind kind)
{
	size_t max = out->at ? PIECE : FIRST_PIECE;
	struct mm *mm = task_mm(t);
	char *page;
	struct areas a;
	int err;

	if (!mm)
		return 0;
	page = page_alloc(0);
	err = page ? areas_take_some(&a, mm, out->at, max) : -ENOMEM;
	if (!err && kind != MAPS)
		areas_measure(&a, t, mm, kind == SMAPS);
	if (!err) {
		show_areas(out, &a, t, kind, page);
		if (a.count == max)
			out->next = a.area[a.count - 1].end;
		else
			show_end(out, kind, page);
		areas_drop(&a);
	}
	if (page)
		page_free(page, 0);
	mm_put(mm);
	return err;
}

int pid_show_maps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_piece(out, t, MAPS);
}

int pid_show_smaps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_piece(out, t, SMAPS);
}

int pid_show_numa_maps(struct text *out, struct task *t, const struct pid_inode *i)
{
	(void)i;
	return show_piece(out, t, NUMA);
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
	if (!err)
		areas_measure(&a, t, mm, true);
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
