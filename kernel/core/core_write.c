/* SPDX-License-Identifier: MIT */
/* core_write.c - an ELF core file: headers, notes, and a segment for each area, of which
 * it holds what coredump_filter says. Pages of zeros become holes. */
#include "abi/elf.h"
#include "abi/mman.h"
#include "base/slab.h"
#include "core/coredump.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "host/host.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"

enum filter { /* of /proc/PID/coredump_filter */
	      FILTER_ANON_PRIVATE = 1 << 0,
	      FILTER_ANON_SHARED = 1 << 1,
	      FILTER_FILE_PRIVATE = 1 << 2,
	      FILTER_FILE_SHARED = 1 << 3,
	      FILTER_ELF_HEADERS = 1 << 4,
};

enum {
	PIECE_PAGES = 16,
	/* Of larger areas, and of those set aside, only what the host says is in memory
	 * is read. */
	SPARSE_PAGES = 1 << 18,
};

struct writer {
	struct file *file;
	uint64_t limit; /* bytes left that may be written */
	int64_t pos;	/* the file's end so far, holes counted */
	bool is_failed;
	uint8_t resident[PIECE_PAGES];
	char *piece; /* PIECE_PAGES */
};

/* ---- the file ---- */

static bool must_stop(struct writer *w)
{
	if (atomic_load(&current()->sleeper.work) & WORK_KILL)
		w->is_failed = true;
	return w->is_failed;
}

static void emit(struct writer *w, const void *data, size_t size)
{
	size_t done = 0;

	if (size > w->limit)
		w->is_failed = true;
	while (done < size && !must_stop(w)) {
		ssize_t n = file_write_kernel(w->file, (const char *)data + done,
					      size - done, w->pos);

		if (n <= 0) {
			w->is_failed = true;
			return;
		}
		done += (size_t)n;
		w->pos += n;
	}
	w->limit -= MIN(w->limit, (uint64_t)size);
}

/* ---- what of an area ---- */

static bool has_elf_header(uaddr_t addr)
{
	char magic[SELFMAG];

	return !copy_from_user(magic, addr, sizeof(magic)) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

static bool is_named(const struct area *a)
{
	const struct file *f = file_of_object(a->object);

	return f && f->inode->nlink > 0;
}

static size_t dump_size(const struct area *a, uint32_t filter)
{
	size_t all = a->end - a->start;
	bool is_file = a->object != NULL;

	if (a->flags & VMA_VDSO)
		return all;
	if (a->flags & (VMA_VVAR | VMA_DONTDUMP))
		return 0;
	if (a->flags & VMA_SHARED)
		return filter & (is_named(a) ? FILTER_FILE_SHARED : FILTER_ANON_SHARED)
			       ? all
			       : 0;
	/* What was never writable of a file has no pages of its own. */
	if ((filter & FILTER_ANON_PRIVATE) &&
	    (!is_file || (a->prot & PROT_WRITE) || (a->flags & VMA_TOUCHED)))
		return all;
	if (!is_file)
		return 0;
	if (filter & FILTER_FILE_PRIVATE)
		return all;
	if ((filter & FILTER_ELF_HEADERS) && !a->off && (a->prot & PROT_READ) &&
	    ((a->prot & PROT_EXEC) || has_elf_header(a->start)))
		return PAGE_SIZE;
	return 0;
}

/* ---- memory ---- */

static bool is_zero(const char *page)
{
	const uint64_t *word = (const uint64_t *)(const void *)page;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i])
			return false;
	return true;
}

/* What cannot be read is zero: how many bytes that is. */
static size_t copy_page(char *page, uaddr_t addr)
{
	return copy_from_user_partial(page, addr, PAGE_SIZE);
}

/* A page that is hidden from the program itself is shown while it is copied. */
static size_t copy_hidden_page(char *page, uaddr_t addr)
{
	struct mm *mm = current()->mm;
	size_t missing;

	lock_take(&mm->lock);
	(void)!host_mprotect(addr, PAGE_SIZE, PROT_READ);
	missing = copy_page(page, addr);
	(void)!host_mprotect(addr, PAGE_SIZE, PROT_NONE);
	lock_drop(&mm->lock);
	return missing;
}

static void read_page(char *page, const struct area *a, uaddr_t addr)
{
	size_t missing = a->prot == PROT_NONE ? copy_hidden_page(page, addr)
					      : copy_page(page, addr);

	memset(page + PAGE_SIZE - missing, 0, missing);
}

/* Pages that are all zeros are left out. */
static void emit_piece(struct writer *w, size_t pages)
{
	const int64_t start = w->pos;
	size_t at = 0;

	while (at < pages && !w->is_failed) {
		size_t end;

		while (at < pages && is_zero(w->piece + at * PAGE_SIZE))
			at++;
		for (end = at; end < pages; end++)
			if (is_zero(w->piece + end * PAGE_SIZE))
				break;
		w->pos = start + (int64_t)(at * PAGE_SIZE);
		if (end > at)
			emit(w, w->piece + at * PAGE_SIZE, (end - at) * PAGE_SIZE);
		at = end;
	}
	if (!w->is_failed)
		w->pos = start + (int64_t)(pages * PAGE_SIZE);
}

static void emit_area(struct writer *w, const struct area *a, size_t size)
{
	bool is_sparse =
		!a->object && (size >> PAGE_SHIFT > SPARSE_PAGES || a->prot == PROT_NONE);

	for (size_t at = 0; at < size && !must_stop(w);) {
		size_t bytes = MIN(size - at, (size_t)PIECE_PAGES * PAGE_SIZE);
		size_t pages = bytes >> PAGE_SHIFT;

		memset(w->resident, 1, sizeof(w->resident));
		if (is_sparse)
			(void)!host_mincore(a->start + at, bytes, w->resident);
		for (size_t i = 0; i < pages; i++) {
			char *page = w->piece + i * PAGE_SIZE;

			if (w->resident[i] & 1)
				read_page(page, a, a->start + at + i * PAGE_SIZE);
			else
				memset(page, 0, PAGE_SIZE);
		}
		emit_piece(w, pages);
		at += bytes;
	}
}

/* ---- headers ---- */

/* More segments than fit into the header's field are counted in a section's. */
static void emit_elf_header(struct writer *w, size_t segments, uint64_t sections_at)
{
	struct linux_elf64_ehdr h = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(h),
		.e_ehsize = sizeof(h),
		.e_phentsize = sizeof(struct linux_elf64_phdr),
		.e_phnum = (uint16_t)MIN(segments, (size_t)PN_XNUM),
	};

	if (segments >= PN_XNUM) {
		h.e_shoff = sections_at;
		h.e_shentsize = sizeof(struct linux_elf64_shdr);
		h.e_shnum = 1;
	}
	emit(w, &h, sizeof(h));
}

static uint32_t segment_flags(uint32_t prot)
{
	return (prot & PROT_READ ? PF_R : 0U) | (prot & PROT_WRITE ? PF_W : 0U) |
	       (prot & PROT_EXEC ? PF_X : 0U);
}

static void emit_headers(struct writer *w, const struct core_dump *cd,
			 const struct core_notes *n, const size_t *sizes)
{
	const size_t segments = cd->areas.count + 1;
	uint64_t at = sizeof(struct linux_elf64_ehdr) +
		      segments * sizeof(struct linux_elf64_phdr);
	struct linux_elf64_phdr ph = {
		.p_type = PT_NOTE, .p_offset = at, .p_filesz = n->len, .p_align = 4};
	uint64_t all = 0;

	for (size_t i = 0; i < cd->areas.count; i++)
		all += sizes[i];
	at = ALIGN_UP(at + n->len, PAGE_SIZE);
	emit_elf_header(w, segments, at + all);
	emit(w, &ph, sizeof(ph));
	for (size_t i = 0; i < cd->areas.count; i++) {
		const struct area *a = &cd->areas.area[i];

		ph = (struct linux_elf64_phdr){.p_type = PT_LOAD,
					       .p_flags = segment_flags(a->prot),
					       .p_offset = at,
					       .p_vaddr = a->start,
					       .p_filesz = sizes[i],
					       .p_memsz = a->end - a->start,
					       .p_align = PAGE_SIZE};
		emit(w, &ph, sizeof(ph));
		at += sizes[i];
	}
}

static void emit_all(struct writer *w, const struct core_dump *cd,
		     const struct core_notes *n, const size_t *sizes)
{
	const size_t segments = cd->areas.count + 1;

	emit_headers(w, cd, n, sizes);
	emit(w, n->data, n->len);
	w->pos = ALIGN_UP(w->pos, (int64_t)PAGE_SIZE);
	for (size_t i = 0; i < cd->areas.count; i++)
		emit_area(w, &cd->areas.area[i], sizes[i]);
	if (segments >= PN_XNUM) {
		const struct linux_elf64_shdr sh = {.sh_size = 1,
						    .sh_info = (uint32_t)segments};

		emit(w, &sh, sizeof(sh));
	}
}

bool core_write(const struct core_dump *cd, struct file *f)
{
	struct writer w = {.file = f, .limit = cd->limit};
	struct core_notes n = {.data = NULL};
	bool is_begun;
	size_t *sizes = kmalloc((cd->areas.count + 1) * sizeof(*sizes));

	w.piece = kmalloc(PIECE_PAGES * PAGE_SIZE);
	core_notes_make(cd, &n);
	is_begun = sizes && w.piece && !n.is_failed;
	if (is_begun) {
		for (size_t i = 0; i < cd->areas.count; i++)
			sizes[i] = dump_size(&cd->areas.area[i],
					     current()->process->coredump_filter);
		emit_all(&w, cd, &n, sizes);
	}
	/* The end may be a hole. */
	if (is_begun && !w.is_failed && w.pos > atomic_load(&f->inode->size))
		(void)!file_truncate(f, w.pos);
	kfree(n.data);
	kfree(w.piece);
	kfree(sizes);
	return is_begun;
}
