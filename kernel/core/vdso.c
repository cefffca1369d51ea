/* SPDX-License-Identifier: MIT */
/* vdso.c - see vdso.h. */
#include "core/vdso.h"

#include "abi/elf.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "core/boot.h"
#include "host/host.h"
#include "lib/string.h"
#include "loader/stack.h"
#include "mm/usercopy.h"
#include "mm/vma.h"

static uaddr_t vvar_start, vdso_start;
static size_t vvar_size, vdso_size;

/* Looks a function up in the image's dynamic symbols. 0: not there. */
static uaddr_t find_function(uaddr_t image, const char *name)
{
	const struct linux_elf64_ehdr *eh = (const struct linux_elf64_ehdr *)image; // NOLINT
	const struct linux_elf64_phdr *ph = (const struct linux_elf64_phdr *)(image + eh->e_phoff); // NOLINT
	const struct linux_elf64_dyn *dyn = NULL;
	const struct linux_elf64_sym *sym = NULL;
	const char *str = NULL;
	size_t count = 0;

	for (size_t i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const struct linux_elf64_dyn *)(image + ph[i].p_vaddr); // NOLINT
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		uaddr_t at = image + dyn->d_val;

		if (dyn->d_tag == DT_STRTAB)
			str = (const char *)at; // NOLINT
		else if (dyn->d_tag == DT_SYMTAB)
			sym = (const struct linux_elf64_sym *)at; // NOLINT
		else if (dyn->d_tag == DT_HASH)
			count = ((const uint32_t *)at)[1]; // NOLINT
	}
	/* The symbols end where the strings begin, where there is no DT_HASH to count them. */
	if (sym && str && !count && (uaddr_t)str > (uaddr_t)sym)
		count = ((uaddr_t)str - (uaddr_t)sym) / sizeof(*sym);
	for (size_t i = 0; sym && str && i < count; i++)
		if (sym[i].st_value && strcmp(str + sym[i].st_name, name) == 0)
			return image + sym[i].st_value;
	return 0;
}

/* The range may consist of several host areas, which move only whole: EFAULT says too long, EINVAL too short. */
static long move(uaddr_t from, size_t size, uaddr_t to)
{
	while (size) {
		size_t part = size;
		long ret;

		do {
			ret = host_mremap(from, part, part, MREMAP_MAYMOVE | MREMAP_FIXED, to);
			if (ret >= 0)
				break;
			part -= PAGE_SIZE;
		} while (part);
		if (!part)
			return ret;
		from += part;
		to += part;
		size -= part;
	}
	return 0;
}

/* The data pages must stay at the same distance below the code: both move by one offset. */
int vdso_init(const struct boot_params *b)
{
	uaddr_t low = b->vvar_size ? MIN(b->vvar_addr, b->vdso_addr) : b->vdso_addr;
	uaddr_t high = b->vdso_addr + b->vdso_size;
	uaddr_t to = USER_END - (high - low);
	long ret;

	if (!b->vdso_size || high < low || high - low > (1UL << 20))
		return -ENOENT;
	ret = move(b->vdso_addr, b->vdso_size, to + (b->vdso_addr - low));
	if (!ret && b->vvar_size)
		ret = move(b->vvar_addr, b->vvar_size, to + (b->vvar_addr - low));
	if (ret)
		return (int)ret;
	vdso_start = to + (b->vdso_addr - low);
	vdso_size = b->vdso_size;
	vvar_start = to + (b->vvar_addr - low);
	vvar_size = b->vvar_size;
	auxv_facts.vdso = vdso_start;
	host_clock_init(find_function(vdso_start, "__vdso_clock_gettime"));
	return 0;
}

uaddr_t vdso_floor(void)
{
	if (!vdso_size)
		return USER_END;
	return vvar_size ? MIN(vvar_start, vdso_start) : vdso_start;
}

static int add_area(struct mm *mm, uaddr_t start, size_t size, uint32_t prot, uint32_t flags)
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
	int err = 0;

	if (!vdso_size)
		return 0;
	if (vvar_size)
		err = add_area(mm, vvar_start, vvar_size, PROT_READ, VMA_VVAR | VMA_DONTDUMP);
	if (!err)
		err = add_area(mm, vdso_start, vdso_size, PROT_READ | PROT_EXEC, VMA_VDSO);
	mm->vdso_start = vdso_floor();
	return err;
}
