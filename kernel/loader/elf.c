/* SPDX-License-Identifier: MIT */
/* elf.c - see elf.h. Which malformed files get which error follows Linux'
 * fs/binfmt_elf.c. */
#include "loader/elf.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "base/slab.h"
#include "fs/file.h"
#include "lib/string.h"
#include "loader/random.h"
#include "mm/mm.h"
#include "mm/usercopy.h"

#define PHDRS_SIZE_MAX	65536
#define INTERP_PATH_MAX 4096
#define PIE_BASE	0x555555554000UL
#define PIE_RANDOM_BITS 28 /* pages */

static int read_headers(struct elf_file *f, bool is_interp)
{
	size_t size;
	ssize_t n = file_read_kernel(f->file, &f->ehdr, sizeof(f->ehdr), 0);

	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof(f->ehdr))
		return is_interp ? -EIO : -ENOEXEC;
	if (memcmp(f->ehdr.e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if ((f->ehdr.e_type != ET_EXEC && f->ehdr.e_type != ET_DYN) ||
	    f->ehdr.e_machine != EM_X86_64 || f->ehdr.e_phentsize != sizeof(*f->phdr))
		return -ENOEXEC;
	size = f->ehdr.e_phnum * sizeof(*f->phdr);
	if (!size || size > PHDRS_SIZE_MAX ||
	    f->ehdr.e_phoff > INT64_MAX - PHDRS_SIZE_MAX)
		return -ENOEXEC;
	f->phdr = kmalloc(size);
	if (!f->phdr)
		return -ENOMEM;
	n = file_read_kernel(f->file, f->phdr, size, (int64_t)f->ehdr.e_phoff);
	if (n < 0)
		return (int)n;
	return (size_t)n < size ? -ENOEXEC : 0;
}

static int read_interp_path(struct elf_program *p, const struct linux_elf64_phdr *ph,
			    char **out)
{
	char *path;
	ssize_t n;

	if (ph->p_filesz > INTERP_PATH_MAX || ph->p_filesz < 2)
		return -ENOEXEC;
	if (ph->p_offset > INT64_MAX - INTERP_PATH_MAX)
		return -EINVAL;
	path = kmalloc(ph->p_filesz);
	if (!path)
		return -ENOMEM;
	n = file_read_kernel(p->main.file, path, ph->p_filesz, (int64_t)ph->p_offset);
	if (n == (ssize_t)ph->p_filesz && path[n - 1] == '\0') {
		*out = path;
		return 0;
	}
	kfree(path);
	if (n < 0)
		return (int)n;
	return n < (ssize_t)ph->p_filesz ? -EIO : -ENOEXEC;
}

static int open_interp(struct elf_program *p, const struct linux_elf64_phdr *ph)
{
	char *path = NULL;
	int err = read_interp_path(p, ph, &path);

	if (err)
		return err;
	err = file_open_exec(AT_FDCWD, path, 0, &p->interp.file);
	kfree(path);
	if (err) {
		p->interp.file = NULL;
		return err;
	}
	err = read_headers(&p->interp, true);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

int elf_open(struct file *file, struct elf_program *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->main.file = file;
	err = read_headers(&out->main, false);
	for (uint32_t i = 0; !err && i < out->main.ehdr.e_phnum; i++) {
		const struct linux_elf64_phdr *ph = &out->main.phdr[i];

		if (ph->p_type == PT_GNU_STACK)
			out->stack_exec = ph->p_flags & PF_X;
		else if (ph->p_type == PT_INTERP && !out->interp.file)
			err = open_interp(out, ph);
	}
	if (err)
		elf_close(out);
	return err;
}

void elf_close(struct elf_program *p)
{
	kfree(p->main.phdr);
	kfree(p->interp.phdr);
	if (p->main.file)
		file_put(p->main.file);
	if (p->interp.file)
		file_put(p->interp.file);
	memset(p, 0, sizeof(*p));
}

/* ---- mapping ---- */

struct extent {
	uint64_t low;  /* page of the lowest byte */
	uint64_t high; /* one past the highest */
	uint64_t align;
};

/* 0, -EINVAL when there is nothing to load or the numbers overflow. */
static int measure(const struct elf_file *f, struct extent *e)
{
	*e = (struct extent){UINT64_MAX, 0, PAGE_SIZE};
	for (uint32_t i = 0; i < f->ehdr.e_phnum; i++) {
		const struct linux_elf64_phdr *ph = &f->phdr[i];

		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_memsz > USER_END || ph->p_vaddr > USER_END - ph->p_memsz ||
		    ph->p_filesz > ph->p_memsz)
			return -EINVAL;
		e->low = MIN(e->low, ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE));
		e->high = MAX(e->high, ph->p_vaddr + ph->p_memsz);
		if (ph->p_align > e->align && !(ph->p_align & (ph->p_align - 1)) &&
		    ph->p_align <= (1UL << 30))
			e->align = ph->p_align;
	}
	return e->high > e->low ? 0 : -EINVAL;
}

static uint32_t prot_of(const struct linux_elf64_phdr *ph)
{
	return ((ph->p_flags & PF_R) ? PROT_READ : 0U) |
	       ((ph->p_flags & PF_W) ? PROT_WRITE : 0U) |
	       ((ph->p_flags & PF_X) ? PROT_EXEC : 0U);
}

/* The zeroes after a segment's file part: the rest of its last page, and anonymous pages
 * after that. */
static int map_bss(struct mm *mm, const struct linux_elf64_phdr *ph, uaddr_t start,
		   uint32_t prot)
{
	uaddr_t file_end = start + ph->p_filesz;
	uaddr_t mem_end = start + ph->p_memsz;
	uaddr_t page_end = ph->p_filesz ? ALIGN_UP(file_end, PAGE_SIZE)
					: ALIGN_DOWN(file_end, PAGE_SIZE);
	long ret;

	if (ph->p_filesz && page_end > file_end && mem_end > file_end) {
		/* Linux clears the page's rest whole, and minds failure only where it is
		 * writable. */
		if (clear_user_partial(file_end, page_end - file_end) &&
		    (prot & PROT_WRITE))
			return -EFAULT;
	}
	if (ALIGN_UP(mem_end, PAGE_SIZE) <= page_end)
		return 0;
	ret = mm_map(mm, page_end, ALIGN_UP(mem_end, PAGE_SIZE) - page_end, prot,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0);
	return ret < 0 ? (int)ret : 0;
}

static int map_segment(struct mm *mm, const struct elf_file *f,
		       const struct linux_elf64_phdr *ph, uaddr_t bias)
{
	uaddr_t start = bias + ph->p_vaddr;
	uaddr_t page = ALIGN_DOWN(start, PAGE_SIZE);
	uint64_t in_page = start - page;
	uint32_t prot = prot_of(ph);
	long ret;

	if ((ph->p_offset & ~PAGE_MASK) != in_page)
		return -EINVAL;
	if (ph->p_filesz) {
		ret = mm_map(mm, page, ph->p_filesz + in_page, prot,
			     MAP_PRIVATE | MAP_FIXED, &f->file->object,
			     ph->p_offset - in_page, 0);
		if (ret < 0)
			return (int)ret;
	}
	return ph->p_memsz > ph->p_filesz ? map_bss(mm, ph, start, prot) : 0;
}

/* Finds room for a whole file that may go anywhere; returns the bias or an error. */
static long place(struct mm *mm, const struct elf_file *f, const struct extent *e,
		  bool is_program_of_interp)
{
	uaddr_t hint = 0;
	long at;

	if (is_program_of_interp)
		hint = ALIGN_DOWN(PIE_BASE + (random_bits(PIE_RANDOM_BITS) << PAGE_SHIFT),
				  e->align);
	at = mm_find_room(mm, hint, e->high - e->low, e->align, &f->file->object);
	return at < 0 ? at : at - (long)e->low;
}

/* Maps all segments. *bias_out is what was added to addresses in the file. */
static int map_file(struct mm *mm, const struct elf_file *f, bool is_program_of_interp,
		    uaddr_t *bias_out, struct extent *e)
{
	uaddr_t bias = 0;
	int err = measure(f, e);

	if (err)
		return err;
	if (f->ehdr.e_type == ET_DYN) {
		long at = place(mm, f, e, is_program_of_interp);

		if (at < 0 && at > -4096)
			return (int)at;
		bias = (uaddr_t)at;
	}
	for (uint32_t i = 0; i < f->ehdr.e_phnum && !err; i++)
		if (f->phdr[i].p_type == PT_LOAD)
			err = map_segment(mm, f, &f->phdr[i], bias);
	*bias_out = bias;
	return err;
}

static void note_program(struct mm *mm, const struct elf_file *f, uaddr_t bias)
{
	for (uint32_t i = 0; i < f->ehdr.e_phnum; i++) {
		const struct linux_elf64_phdr *ph = &f->phdr[i];

		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_flags & PF_X) {
			mm->code_start = bias + ph->p_vaddr;
			mm->code_end = bias + ph->p_vaddr + ph->p_filesz;
		} else if (ph->p_flags & PF_W) {
			mm->data_start = bias + ph->p_vaddr;
			mm->data_end = bias + ph->p_vaddr + ph->p_filesz;
		}
	}
}

/* Where the program headers are in memory: PT_PHDR, or the segment that holds e_phoff. */
static uaddr_t find_phdr(const struct elf_file *f, uaddr_t bias)
{
	for (uint32_t i = 0; i < f->ehdr.e_phnum; i++)
		if (f->phdr[i].p_type == PT_PHDR)
			return bias + f->phdr[i].p_vaddr;
	for (uint32_t i = 0; i < f->ehdr.e_phnum; i++) {
		const struct linux_elf64_phdr *ph = &f->phdr[i];

		if (ph->p_type == PT_LOAD && f->ehdr.e_phoff >= ph->p_offset &&
		    f->ehdr.e_phoff < ph->p_offset + ph->p_filesz)
			return bias + ph->p_vaddr + (f->ehdr.e_phoff - ph->p_offset);
	}
	return 0;
}

int elf_load(struct mm *mm, const struct elf_program *p, struct elf_layout *out)
{
	struct extent e;
	uaddr_t bias = 0;
	int err = map_file(mm, &p->main, p->interp.file != NULL, &bias, &e);

	if (err)
		return err;
	note_program(mm, &p->main, bias);
	out->program_entry = bias + p->main.ehdr.e_entry;
	out->entry = out->program_entry;
	out->phdr = find_phdr(&p->main, bias);
	out->phnum = p->main.ehdr.e_phnum;
	out->interp_base = 0;
	out->brk = ALIGN_UP(bias + e.high, PAGE_SIZE);
	/* A static PIE lies among the mappings: its heap goes where a program's would be.
	 */
	if (p->main.ehdr.e_type == ET_DYN && !p->interp.file)
		out->brk = PIE_BASE + (random_bits(PIE_RANDOM_BITS) << PAGE_SHIFT);
	if (p->interp.file) {
		err = map_file(mm, &p->interp, false, &bias, &e);
		if (err)
			return err;
		out->interp_base = bias;
		out->entry = bias + p->interp.ehdr.e_entry;
	}
	return out->entry < USER_END ? 0 : -EINVAL;
}
