/* SPDX-License-Identifier: MIT */
/* image.c - the kernel image. Text and read-only data are mapped from the file of the
 * command itself: nothing is copied at start-up, and all sandboxes share the page cache's
 * copy. The file cannot be written to meanwhile, for the command runs from it (ETXTBSY).
 */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "core/boot.h"
#include "message.h"

extern const unsigned char kernel_image_start[], kernel_image_end[];

static const uint64_t page_mask = 4095;

static _Noreturn void bad(const char *what)
{
	fail("the kernel image in this command is damaged: %s", what);
}

/* The program headers of the command as the host loaded it: where in its file an address
 * is. */
static bool file_offset(uint64_t addr, int64_t *out)
{
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR); /* NOLINT */
	size_t count = getauxval(AT_PHNUM);
	uint64_t base = 0;

	for (size_t i = 0; i < count; i++) {
		if (ph[i].p_type == PT_PHDR)
			base = (uint64_t)ph - ph[i].p_vaddr;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t start = base + ph[i].p_vaddr;

		if (ph[i].p_type != PT_LOAD || addr < start ||
		    addr >= start + ph[i].p_filesz)
			continue;
		*out = (int64_t)(addr - start + ph[i].p_offset);
		return true;
	}
	return false;
}

static void add_part(struct image *image, const Elf64_Phdr *ph, int64_t image_off)
{
	if (image->part_count == IMAGE_PART_COUNT)
		bad("too many segments");
	if (ph->p_vaddr < KERNEL_TEXT_BASE ||
	    ph->p_memsz > KERNEL_DATA_BASE - KERNEL_TEXT_BASE ||
	    ph->p_vaddr + ph->p_memsz > KERNEL_DATA_BASE || ph->p_memsz != ph->p_filesz)
		bad("read-only segment out of its range");
	if ((ph->p_vaddr | (ph->p_offset + (uint64_t)image_off)) & page_mask)
		bad("read-only segment not page-aligned");
	image->part[image->part_count++] = (struct image_part){
		.addr = ph->p_vaddr,
		.size = ph->p_filesz,
		.off = image_off + (int64_t)ph->p_offset,
		.prot = PROT_READ | (ph->p_flags & PF_X ? PROT_EXEC : 0),
	};
}

static void add_data(struct image *image, const Elf64_Phdr *ph)
{
	if (ph->p_vaddr < KERNEL_DATA_BASE || ph->p_filesz > ph->p_memsz ||
	    ph->p_memsz > KERNEL_SEGMENT_MAX ||
	    ph->p_vaddr + ph->p_memsz > KERNEL_DATA_BASE + KERNEL_SEGMENT_MAX ||
	    image->data)
		bad("data segment out of its range");
	image->data = kernel_image_start + ph->p_offset;
	image->data_addr = ph->p_vaddr;
	image->data_size = ph->p_filesz;
	image->bss_end = (ph->p_vaddr + ph->p_memsz + page_mask) & ~page_mask;
}

void image_open(struct image *image)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)kernel_image_start; /* NOLINT */
	size_t size = (uint64_t)kernel_image_end - (uint64_t)kernel_image_start;
	int64_t off;

	memset(image, 0, sizeof *image);
	if (size < sizeof *eh || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phoff % 8 ||
	    eh->e_phoff > size || eh->e_phnum > (size - eh->e_phoff) / sizeof(Elf64_Phdr))
		bad("no ELF file");
	if (!file_offset((uint64_t)kernel_image_start, &off))
		bad("not in the file");
	const Elf64_Phdr *ph =
		(const Elf64_Phdr *)(kernel_image_start + eh->e_phoff); /* NOLINT */
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD || ph[i].p_memsz == 0)
			continue;
		if (ph[i].p_offset > size || ph[i].p_filesz > size - ph[i].p_offset)
			bad("segment beyond its end");
		if (ph[i].p_flags & PF_W)
			add_data(image, &ph[i]);
		else
			add_part(image, &ph[i], off);
	}
	image->entry = eh->e_entry;
	if (!image->bss_end)
		image->bss_end = KERNEL_DATA_BASE;
	image->file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (image->file_fd < 0)
		fail("cannot open the command's own file /proc/self/exe: %s",
		     strerror(errno));
}

void image_map(const struct image *image)
{
	for (int i = 0; i < image->part_count; i++) {
		const struct image_part *p = &image->part[i];

		if (mmap((void *)p->addr, p->size, p->prot, /* NOLINT: a fixed address */
			 MAP_PRIVATE | MAP_FIXED, image->file_fd, p->off) == MAP_FAILED)
			fail("cannot map the kernel image: %s", strerror(errno));
	}
}
