/* SPDX-License-Identifier: MIT */
/* vdso.c - see vdso.h.
 *
 * The guest sees a copy of the host's code, at the same distance from the host's data
 * pages, with a page of our own behind it (arch/x86_64/vdso.S): what tells the time of
 * day begins there. A process in a time namespace with offsets has another copy, whose
 * page adds them. */
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
#include "process/task.h"
#include "process/time_ns.h"
#include "time/clock.h"

#define VDSO_SPAN	 (64UL << 20)
#define VDSO_RANDOM_BITS 14

/* Set once, at start: offsets from where the lot begins (cpu->vdso_base). */
static size_t total_size;
static uaddr_t vvar_off, vdso_off;
static size_t vvar_size, vdso_size;
static int plain_image; /* a host descriptor of it, with the machine's clocks */
static struct {
	uaddr_t off;
	size_t size;
} pieces[8];
static size_t piece_count;

/* arch/x86_64/vdso.S: code, its entries, and where it jumps to the host's. */
extern const uint8_t vdso_code[], vdso_code_end[];
extern const uint8_t vdso_code_gettime[], vdso_code_gettimeofday[], vdso_code_time[];
extern const uint8_t vdso_code_shifted[], vdso_code_offsets[];
extern const uint8_t vdso_hole_gettime[], vdso_hole_mono[], vdso_hole_shifted[],
	vdso_hole_gettimeofday[], vdso_hole_time[];

static const struct entry {
	const char *name;
	const uint8_t *code;
	const uint8_t *holes[3];
} entries[] = {
	{"__vdso_clock_gettime",
	 vdso_code_gettime,
	 {vdso_hole_gettime, vdso_hole_mono, vdso_hole_shifted}},
	{"__vdso_gettimeofday", vdso_code_gettimeofday, {vdso_hole_gettimeofday}},
	{"__vdso_time", vdso_code_time, {vdso_hole_time}},
};
/* Set once, at start: where the host's functions are in its image. */
static uaddr_t host_entries[ARRAY_SIZE(entries)];

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

/* Where our page, behind size bytes of the host's, has what is at p in the original. */
static uaddr_t place_of(const uint8_t *p, size_t size)
{
	return size + (uaddr_t)(p - vdso_code);
}

/* Makes every name of the host's functions lead to ours: size bytes of image. */
static int names_write(int fd, uaddr_t image, size_t size)
{
	const struct symbols s = symbols_of(image);
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(entries) && !err; i++) {
		uaddr_t host = find_function(&s, entries[i].name);
		uaddr_t ours = place_of(entries[i].code, size);

		host_entries[i] = host;
		if (!host)
			return -ENOENT;
		for (size_t k = 0; k < s.count && !err; k++)
			if (s.sym[k].st_value == host)
				err = put(fd, &ours, sizeof(ours),
					  (uaddr_t)&s.sym[k].st_value - image);
	}
	return err;
}

/* The operand of a jump or call at p: behind its opcode, from its end on. */
static int jump_write(int fd, const uint8_t *p, size_t size, uaddr_t to)
{
	uaddr_t at = place_of(p, size) + 1;
	uint32_t distance = (uint32_t)(to - (at + sizeof(distance)));

	return put(fd, &distance, sizeof(distance), at);
}

/* Our page, behind size bytes of the host's, with the jumps to that. */
static int code_write(int fd, size_t size)
{
	int err = put(fd, vdso_code, (size_t)(vdso_code_end - vdso_code), size);

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		for (size_t k = 0; k < ARRAY_SIZE(entries[i].holes) && !err; k++)
			if (entries[i].holes[k])
				err = jump_write(fd, entries[i].holes[k], size,
						 host_entries[i]);
	return err;
}

/* Has our page add offsets. */
static int offsets_write(int fd, size_t size, const struct time_offsets *o)
{
	static const uint8_t jump = 0xe9;
	nsec_t t[2] = {o->monotonic, o->boottime};
	struct linux_timespec ts[2];
	int err = put(fd, &jump, 1, place_of(vdso_code_gettime, size));

	if (!err)
		err = jump_write(fd, vdso_code_gettime, size,
				 place_of(vdso_code_shifted, size));
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		ts[i] = nsec_to_timespec(t[i]);
		if (ts[i].tv_nsec < 0) {
			ts[i].tv_nsec += NSEC_PER_SEC;
			ts[i].tv_sec--;
		}
	}
	return err ? err : put(fd, ts, sizeof(ts), place_of(vdso_code_offsets, size));
}

/* A file with size bytes of image in it and room for a page of ours: a descriptor. */
static int image_create(uaddr_t image, size_t size)
{
	int fd = host_memfd_create("vdso", MFD_CLOEXEC | MFD_EXEC);
	long ret;

	if (fd == -EINVAL) /* hosts before 6.3 */
		fd = host_memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = host_ftruncate(fd, (int64_t)(size + PAGE_SIZE));
	if (!ret)
		ret = put(fd, (const void *)image, size, 0); // NOLINT
	if (ret)
		(void)host_close(fd);
	return ret ? (int)ret : fd;
}

/* Lays it, size bytes, over the image. */
static int image_lay(int fd, uaddr_t image, size_t size)
{
	long ret = host_mmap(image, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
			     fd, 0);

	return ret < 0 ? (int)ret : 0;
}

/* Lays the copy over the host's image. */
static int copy_lay(uaddr_t image)
{
	int fd = image_create(image, vdso_size);
	int err = fd < 0 ? fd : names_write(fd, image, vdso_size);

	if (!err)
		err = code_write(fd, vdso_size);
	if (!err)
		err = image_lay(fd, image, vdso_size + PAGE_SIZE);
	if (!err)
		plain_image = fd;
	else if (fd >= 0)
		(void)host_close(fd);
	return err;
}

/* Of a time namespace: a copy of what is there, with its offsets. It does not matter
 * whose: each has its image elsewhere, but code and data are at one distance. */
static int shifted_create(const struct time_offsets *o)
{
	size_t size = vdso_size - PAGE_SIZE;
	int fd = image_create(cpu_self()->vdso_base + vdso_off, size);
	int err = fd < 0 ? fd : code_write(fd, size);

	if (!err)
		err = offsets_write(fd, size, o);
	if (err && fd >= 0)
		(void)host_close(fd);
	return err ? err : fd;
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
	time_ns_image_hook = shifted_create;
	return 0;
}

int vdso_follow_time_ns(struct task *t)
{
	struct cpu *c = cpu_self();
	struct time_ns *ns = t->ns->time;
	uint64_t ino = ns->image ? ns->ns.ino : 0;
	int err;

	if (likely(c->vdso_time_ns == ino) || !total_size)
		return 0;
	/* It still is there, as it is sealed, and no other task runs in this memory. */
	err = image_lay(ino ? ns->image - 1 : plain_image, c->vdso_base + vdso_off,
			vdso_size);
	if (!err)
		c->vdso_time_ns = ino;
	return err;
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
	lock_take(&mm->lock);
	v = vma_spare(&spares);
	v->start = start;
	v->end = start + size;
	v->prot = prot;
	v->flags = flags | VMA_SEALED; /* the kernel's own clocks are read there */
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
	return err ? err : vdso_follow_time_ns(current());
}

uaddr_t vdso_address(void)
{
	return total_size ? cpu_self()->vdso_base + vdso_off : 0;
}
