/* SPDX-License-Identifier: MIT */
/* vdso.c - see vdso.h.
 *
 * The guest sees a copy of the host's code, at the same distance from the host's data
 * pages, with a page of our own behind it (arch/x86_64/vdso.S): what tells the time of
 * day begins there. */
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

/* arch/x86_64/vdso.S: code, its entries, and where it jumps to the host's. */
extern const uint8_t vdso_code[], vdso_code_end[];
extern const uint8_t vdso_code_gettime[], vdso_code_gettimeofday[], vdso_code_time[];
extern const uint8_t vdso_hole_gettime[], vdso_hole_mono[], vdso_hole_gettimeofday[],
	vdso_hole_time[];

static const struct entry {
	const char *name;
	const uint8_t *code;
	const uint8_t *holes[2];
} entries[] = {
	{"__vdso_clock_gettime", vdso_code_gettime, {vdso_hole_gettime, vdso_hole_mono}},
	{"__vdso_gettimeofday", vdso_code_gettimeofday, {vdso_hole_gettimeofday, NULL}},
	{"__vdso_time", vdso_code_time, {vdso_hole_time, NULL}},
};

struct symbols {
	const struct linux_elf64_sym *sym;
	const char *names;
	size_t count;
};

/* The image's dynamic symbols. */
static struct symbols symbols_of(uaddr_t image)
{
	const struct linux_elf64_ehdr *eh =
		(const struct linux_elf64_ehdr *)image; // NOLINT
	const struct linux_elf64_phdr *ph =
		(const struct linux_elf64_phdr *)(image + eh->e_phoff); // NOLINT
	const struct linux_elf64_dyn *dyn = NULL;
	struct symbols s = {NULL, NULL, 0};

	for (size_t i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const struct linux_elf64_dyn *)(image +
							       ph[i].p_vaddr); // NOLINT
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		uaddr_t at = image + dyn->d_val;

		if (dyn->d_tag == DT_STRTAB)
			s.names = (const char *)at; // NOLINT
		else if (dyn->d_tag == DT_SYMTAB)
			s.sym = (const struct linux_elf64_sym *)at; // NOLINT
		else if (dyn->d_tag == DT_HASH)
			s.count = ((const uint32_t *)at)[1]; // NOLINT
	}
	/* The symbols end where the strings begin, where there is no DT_HASH to count
	 * them. */
	if (s.sym && s.names && !s.count && (uaddr_t)s.names > (uaddr_t)s.sym)
		s.count = ((uaddr_t)s.names - (uaddr_t)s.sym) / sizeof(*s.sym);
	if (!s.sym || !s.names)
		s.count = 0;
	return s;
}

/* Where a function is in the image. 0: not there. */
static uaddr_t find_function(const struct symbols *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sym[i].st_value && strcmp(s->names + s->sym[i].st_name, name) == 0)
			return s->sym[i].st_value;
	return 0;
}

static int put(int fd, const void *from, size_t size, uaddr_t at)
{
	return host_pwrite(fd, from, size, (int64_t)at) == (long)size ? 0 : -EIO;
}

/* Makes every name of the host's function lead to ours, and ours jump to it. */
static int entry_write(int fd, uaddr_t image, const struct symbols *s,
		       const struct entry *e)
{
	uaddr_t host = find_function(s, e->name);
	uaddr_t ours = vdso_size + (uaddr_t)(e->code - vdso_code);
	int err = 0;

	for (size_t i = 0; i < s->count && !err && host; i++)
		if (s->sym[i].st_value == host)
			err = put(fd, &ours, sizeof(ours),
				  (uaddr_t)&s->sym[i].st_value - image);
	for (size_t i = 0; i < ARRAY_SIZE(e->holes) && !err && e->holes[i]; i++) {
		/* The operand of a jump or call: behind its opcode, from its end on. */
		uaddr_t at = vdso_size + (uaddr_t)(e->holes[i] - vdso_code) + 1;
		uint32_t distance = (uint32_t)(host - (at + sizeof(distance)));

		err = put(fd, &distance, sizeof(distance), at);
	}
	return err;
}

/* Lays the copy over the host's image. */
static int copy_lay(uaddr_t image)
{
	const struct symbols s = symbols_of(image);
	int fd = host_memfd_create("vdso", MFD_CLOEXEC | MFD_EXEC);
	long ret;

	if (fd == -EINVAL) /* hosts before 6.3 */
		fd = host_memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = host_ftruncate(fd, (int64_t)(vdso_size + PAGE_SIZE));
	if (!ret)
		ret = put(fd, (const void *)image, vdso_size, 0); // NOLINT
	if (!ret)
		ret = put(fd, vdso_code, (size_t)(vdso_code_end - vdso_code), vdso_size);
	for (size_t i = 0; i < ARRAY_SIZE(entries) && !ret; i++)
		ret = find_function(&s, entries[i].name)
			      ? entry_write(fd, image, &s, &entries[i])
			      : -ENOENT;
	if (!ret)
		ret = host_mmap(image, vdso_size + PAGE_SIZE, PROT_READ | PROT_EXEC,
				MAP_PRIVATE | MAP_FIXED, fd, 0);
	(void)host_close(fd);
	return ret < 0 ? (int)ret : 0;
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
	uaddr_t to = USER_END - (high - low) - PAGE_SIZE;
	struct symbols s;
	uaddr_t gettime;
	long ret;

	if (!b->vdso_size || high < low || high - low > (1UL << 20) ||
	    (b->vvar_size && b->vvar_addr + b->vvar_size > b->vdso_addr))
		return -ENOENT;
	vdso_off = b->vdso_addr - low;
	vdso_size = b->vdso_size;
	vvar_off = b->vvar_addr - low;
	vvar_size = b->vvar_size;
	s = symbols_of(b->vdso_addr);
	gettime = find_function(&s, "__vdso_clock_gettime");
	ret = move(b->vdso_addr, vdso_size, to + vdso_off, to);
	if (!ret)
		ret = copy_lay(to + vdso_off);
	if (ret)
		return (int)ret;
	vdso_size += PAGE_SIZE;
	pieces[0].size = vdso_size;
	piece_count = 1;
	if (vvar_size)
		ret = move(b->vvar_addr, vvar_size, to + vvar_off, to);
	if (ret)
		return (int)ret;
	total_size = high - low + PAGE_SIZE;
	cpu_self()->vdso_base = to;
	host_clock_init(vdso_off + gettime);
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
