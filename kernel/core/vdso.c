/* SPDX-License-Identifier: MIT */
/* vdso.c - see vdso.h. */
#include "core/vdso.h"

#include "abi/elf.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "base/cpu.h"
#include "core/boot.h"
#include "host/host.h"
#include "lib/string.h"
#include "loader/random.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

#define VDSO_SPAN	 (64UL << 20)
#define VDSO_RANDOM_BITS 14

/* Set once, at start: offsets from where the lot begins (cpu->vdso_base). */
static size_t total_size;
static uaddr_t vvar_off, vdso_off;
static size_t vvar_size, vdso_size;
static struct {
	uaddr_t off;
	size_t size;
} pieces[8];
static size_t piece_count;

/* Looks a function up in the image's dynamic symbols. 0: not there. */
static uaddr_t find_function(uaddr_t image, const char *name)
{
	const struct linux_elf64_ehdr *eh =
		(const struct linux_elf64_ehdr *)image; // NOLINT
	const struct linux_elf64_phdr *ph =
		(const struct linux_elf64_phdr *)(image + eh->e_phoff); // NOLINT
	const struct linux_elf64_dyn *dyn = NULL;
	const struct linux_elf64_sym *sym = NULL;
	const char *str = NULL;
	size_t count = 0;

	for (size_t i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const struct linux_elf64_dyn *)(image +
							       ph[i].p_vaddr); // NOLINT
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		uaddr_t at = image + dyn->d_val;

		if (dyn->d_tag == DT_STRTAB)
			str = (const char *)at; // NOLINT
		else if (dyn->d_tag == DT_SYMTAB)
			sym = (const struct linux_elf64_sym *)at; // NOLINT
		else if (dyn->d_tag == DT_HASH)
			count = ((const uint32_t *)at)[1]; // NOLINT
	}
	/* The symbols end where the strings begin, where there is no DT_HASH to count
	 * them. */
	if (sym && str && !count && (uaddr_t)str > (uaddr_t)sym)
		count = ((uaddr_t)str - (uaddr_t)sym) / sizeof(*sym);
	for (size_t i = 0; sym && str && i < count; i++)
		if (sym[i].st_value && strcmp(str + sym[i].st_name, name) == 0)
			return image + sym[i].st_value;
	return 0;
}

/* Moves a range of one or more host areas, which move only whole: EFAULT says too long,
 * EINVAL too short. Notes them as pieces at their distance from low. */
static long move(uaddr_t from, size_t size, uaddr_t to, uaddr_t low)
{
	while (size && piece_count < ARRAY_SIZE(pieces)) {
		size_t part = size;
		long ret;

		do {
			ret = host_mremap(from, part, part, MREMAP_MAYMOVE | MREMAP_FIXED,
					  to);
			if (ret >= 0)
				break;
			part -= PAGE_SIZE;
		} while (part);
		if (!part)
			return ret;
		pieces[piece_count].off = to - low;
		pieces[piece_count++].size = part;
		from += part;
		to += part;
		size -= part;
	}
	return size ? -ENOSPC : 0;
}

/* The data pages must stay at the same distance below the code: both move by one offset.
 */
int vdso_init(const struct boot_params *b)
{
	uaddr_t low = b->vvar_size ? MIN(b->vvar_addr, b->vdso_addr) : b->vdso_addr;
	uaddr_t high = b->vdso_addr + b->vdso_size;
	uaddr_t to = USER_END - (high - low);
	uaddr_t gettime;
	long ret;

	if (!b->vdso_size || high < low || high - low > (1UL << 20))
		return -ENOENT;
	ret = move(b->vdso_addr, b->vdso_size, to + (b->vdso_addr - low), to);
	if (!ret && b->vvar_size)
		ret = move(b->vvar_addr, b->vvar_size, to + (b->vvar_addr - low), to);
	if (ret)
		return (int)ret;
	total_size = high - low;
	vdso_off = b->vdso_addr - low;
	vdso_size = b->vdso_size;
	vvar_off = b->vvar_addr - low;
	vvar_size = b->vvar_size;
	cpu_self()->vdso_base = to;
	gettime = find_function(to + vdso_off, "__vdso_clock_gettime");
	if (gettime)
		host_clock_init(gettime - to);
	return 0;
}

uaddr_t vdso_range(size_t *size)
{
	*size = total_size;
	return cpu_self()->vdso_base;
}

/* Somewhere in the VDSO_SPAN below USER_END, which nothing else gets unless it asks. */
static void relocate(void)
{
	struct cpu *c = cpu_self();
	uaddr_t to =
		USER_END - VDSO_SPAN +
		(random_bits(VDSO_RANDOM_BITS) << PAGE_SHIFT) % (VDSO_SPAN - total_size);
	uaddr_t from = c->vdso_base;

	to = ALIGN_DOWN(to, PAGE_SIZE);
	if (to < from + total_size && from < to + total_size)
		return; /* host areas cannot move onto themselves */
	for (size_t i = 0; i < piece_count; i++)
		if (host_mremap(from + pieces[i].off, pieces[i].size, pieces[i].size,
				MREMAP_MAYMOVE | MREMAP_FIXED, to + pieces[i].off) < 0)
			return;
	c->vdso_base = to;
}

static int add_area(struct mm *mm, uaddr_t start, size_t size, uint32_t prot,
		    uint32_t flags)
{
	struct vma_spares spares;
	struct vma *v;
	int err = vma_spares_take(&spares);

	if (err)
		return err;
	v = vma_spare(&spares);
	v->start = start;
	v->end = start + size;
	v->prot = prot;
	v->flags = flags;
	lock_take(&mm->lock);
	vma_link(mm, v);
	lock_drop(&mm->lock);
	vma_spares_drop(&spares);
	return 0;
}

int vdso_add_areas(struct mm *mm)
{
	uaddr_t base;
	int err = 0;

	if (!total_size)
		return 0;
	relocate();
	base = cpu_self()->vdso_base;
	if (vvar_size)
		err = add_area(mm, base + vvar_off, vvar_size, PROT_READ,
			       VMA_VVAR | VMA_DONTDUMP);
	if (!err)
		err = add_area(mm, base + vdso_off, vdso_size, PROT_READ | PROT_EXEC,
			       VMA_VDSO);
	mm->vdso_start = base;
	mm->vdso_end = base + total_size;
	return err;
}

uaddr_t vdso_address(void)
{
	return total_size ? cpu_self()->vdso_base + vdso_off : 0;
}
