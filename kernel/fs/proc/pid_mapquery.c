/* SPDX-License-Identifier: MIT */
/* pid_mapquery.c - PROCMAP_QUERY: one area of /proc/PID/maps, without the text. */
#include "abi/elf.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/procmap.h"
#include "base/page.h"
#include "base/slab.h"
#include "fs/file.h"
#include "fs/proc/generated.h"
#include "fs/proc/internal.h"
#include "fs/proc/pid_areas.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "process/task.h"

#define NAME_MAX_SIZE 4096U
enum { BUILD_ID_MAX = 20 };

static uint32_t flags_of(const struct area *v)
{
	uint32_t flags = 0;

	if (v->prot & PROT_READ)
		flags |= PROCMAP_QUERY_VMA_READABLE;
	if (v->prot & PROT_WRITE)
		flags |= PROCMAP_QUERY_VMA_WRITABLE;
	if (v->prot & PROT_EXEC)
		flags |= PROCMAP_QUERY_VMA_EXECUTABLE;
	if (v->flags & VMA_SHARED)
		flags |= PROCMAP_QUERY_VMA_SHARED;
	return flags;
}

/* The area at the address that is as asked for, or the next such. */
static const struct area *find(const struct areas *a, const struct procmap_query *q)
{
	uint64_t wanted = q->query_flags & PROCMAP_QUERY_VMA_FLAGS;

	for (size_t i = 0; i < a->count; i++) {
		const struct area *v = &a->area[i];
		bool next = q->query_flags & PROCMAP_QUERY_COVERING_OR_NEXT_VMA;

		if (v->end <= q->query_addr)
			continue;
		if (!next && v->start > q->query_addr)
			return NULL;
		if ((flags_of(v) & wanted) == wanted &&
		    (v->object || !(q->query_flags & PROCMAP_QUERY_FILE_BACKED_VMA)))
			return v;
		if (!next)
			return NULL;
	}
	return NULL;
}

/* ---- the build id ---- */

/* Looks for it among the notes: its size, or 0. */
static uint32_t id_in_notes(const char *notes, size_t size, uint8_t id[BUILD_ID_MAX])
{
	for (size_t at = 0; at + sizeof(struct linux_elf64_nhdr) <= size;) {
		struct linux_elf64_nhdr h;
		size_t name = at + sizeof(h);
		size_t desc;

		memcpy(&h, notes + at, sizeof(h));
		if (h.n_namesz > size || h.n_descsz > size)
			return 0;
		desc = name + ALIGN_UP((size_t)h.n_namesz, 4UL);
		if (desc + h.n_descsz > size)
			return 0;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == sizeof("GNU") &&
		    !memcmp(notes + name, "GNU", sizeof("GNU")) && h.n_descsz &&
		    h.n_descsz <= BUILD_ID_MAX) {
			memcpy(id, notes + desc, h.n_descsz);
			return h.n_descsz;
		}
		at = desc + ALIGN_UP((size_t)h.n_descsz, 4UL);
	}
	return 0;
}

/* As Linux, looks at the file's first page alone. */
static uint32_t id_in_page(const char *page, size_t size, uint8_t id[BUILD_ID_MAX])
{
	struct linux_elf64_ehdr e;

	if (size < sizeof(e))
		return 0;
	memcpy(&e, page, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 ||
	    e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_phoff > size ||
	    e.e_phnum > (size - e.e_phoff) / sizeof(struct linux_elf64_phdr))
		return 0;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		struct linux_elf64_phdr p;
		uint32_t len;

		memcpy(&p, page + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_NOTE || p.p_offset > size ||
		    p.p_filesz > size - p.p_offset)
			continue;
		len = id_in_notes(page + p.p_offset, p.p_filesz, id);
		if (len)
			return len;
	}
	return 0;
}

static uint32_t build_id(const struct area *v, uint8_t id[BUILD_ID_MAX])
{
	struct file *f = file_of_object(v->object);
	char *page = f ? page_alloc(0) : NULL;
	uint32_t len = 0;

	if (page) {
		ssize_t got = file_read_kernel(f, page, PAGE_SIZE, 0);

		len = id_in_page(page, got > 0 ? (size_t)got : 0, id);
		page_free(page, 0);
	}
	return len;
}

/* ---- the answer ---- */

static int put_name(struct procmap_query *q, const char *name)
{
	size_t size = name ? strlen(name) + 1 : 0;

	if (size > MIN(q->vma_name_size, NAME_MAX_SIZE))
		return -ENAMETOOLONG;
	q->vma_name_size = (uint32_t)size;
	return size ? copy_to_user(q->vma_name_addr, name, size) : 0;
}

static int put_build_id(struct procmap_query *q, const struct area *v)
{
	uint8_t id[BUILD_ID_MAX];
	uint32_t size = build_id(v, id);

	if (size > q->build_id_size)
		return -ENAMETOOLONG;
	q->build_id_size = size;
	return size ? copy_to_user(q->build_id_addr, id, size) : 0;
}

static int answer(struct procmap_query *q, const struct area *v)
{
	char *page = page_alloc(0);
	uint64_t dev;
	const char *name;
	int err = 0;

	if (!page)
		return -ENOMEM;
	name = area_name(v, page, &dev, &q->inode);
	q->vma_start = v->start;
	q->vma_end = v->end;
	q->vma_flags = flags_of(v);
	q->vma_page_size = PAGE_SIZE;
	q->vma_offset = v->object ? v->off : 0;
	q->dev_major = (uint32_t)(dev >> 8 & 0xfff);
	q->dev_minor = (uint32_t)((dev & 0xff) | (dev >> 12 & 0xfff00));
	if (q->build_id_size)
		err = put_build_id(q, v);
	if (!err && q->vma_name_size)
		err = put_name(q, name);
	page_free(page, 0);
	return err;
}

static int check_query(const struct procmap_query *q)
{
	if (q->query_flags & ~(uint64_t)PROCMAP_QUERY_FLAGS)
		return -EINVAL;
	if (!q->vma_name_size != !q->vma_name_addr ||
	    !q->build_id_size != !q->build_id_addr)
		return -EINVAL;
	return 0;
}

static int query(struct file *f, struct procmap_query *q)
{
	struct task *t = pid_task(pid_inode_of(f->inode));
	struct mm *mm = t ? task_mm(t) : NULL;
	const struct area *v;
	struct areas a;
	int err;

	if (!mm || mm->id != generated_about(f)) {
		mm_put(mm);
		task_put(t);
		return -ESRCH;
	}
	err = areas_take(&a, mm);
	v = err ? NULL : find(&a, q);
	if (!err)
		err = v ? answer(q, v) : -ENOENT;
	areas_drop(&a);
	mm_put(mm);
	task_put(t);
	return err;
}

static long maps_ioctl(struct file *f, unsigned int cmd, uint64_t arg)
{
	struct procmap_query q = {.size = 0};
	uint64_t size;
	int err;

	if (cmd != PROCMAP_QUERY)
		return -ENOTTY;
	if (get_user_u64(&size, arg))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < PROCMAP_QUERY_SIZE_MIN)
		return -EINVAL;
	err = copy_struct_from_user(&q, sizeof(q), arg, size);
	if (!err)
		err = check_query(&q);
	if (!err)
		err = query(f, &q);
	return err ? err : copy_to_user(arg, &q, MIN(sizeof(q), size));
}

const struct file_ops pid_maps_ops = {
	.read = generated_read,
	.lseek = generated_lseek,
	.ioctl = maps_ioctl,
	.release = generated_release,
	.no_splice = true,
};
