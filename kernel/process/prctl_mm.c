/* SPDX-License-Identifier: MIT */
/* prctl_mm.c - PR_SET_MM: where a process restored from an image says that its code, data
 * and stack are; PR_SET_VMA: names of areas. */
#include "process/prctl_mm.h"

#include "abi/capability.h"
#include "abi/errno.h"
#include "abi/prctl.h"
#include "abi/resource.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/map.h"
#include "mm/name.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

static void map_read(struct linux_prctl_mm_map *m, const struct mm *mm)
{
	*m = (struct linux_prctl_mm_map){
		.start_code = mm->code_start,
		.end_code = mm->code_end,
		.start_data = mm->data_start,
		.end_data = mm->data_end,
		.start_brk = mm->brk_start,
		.brk = mm->brk_end,
		.start_stack = mm->stack_start,
		.arg_start = mm->arg_start,
		.arg_end = mm->arg_end,
		.env_start = mm->env_start,
		.env_end = mm->env_end,
	};
}

static void map_write(struct mm *mm, const struct linux_prctl_mm_map *m)
{
	mm->code_start = m->start_code;
	mm->code_end = m->end_code;
	mm->data_start = m->start_data;
	mm->data_end = m->end_data;
	mm->brk_start = m->start_brk;
	mm->brk_end = m->brk;
	mm->stack_start = m->start_stack;
	mm->arg_start = m->arg_start;
	mm->arg_end = m->arg_end;
	mm->env_start = m->env_start;
	mm->env_end = m->env_end;
}

static bool is_valid_addr(uint64_t addr)
{
	return addr >= (uaddr_t)atomic_load(&mm_min_addr) && addr < USER_END;
}

static int map_check(const struct linux_prctl_mm_map *m)
{
	const uint64_t places[] = {
		m->start_code, m->end_code,  m->start_data,  m->end_data,
		m->start_brk,  m->brk,	     m->start_stack, m->arg_start,
		m->arg_end,    m->env_start, m->env_end,
	};
	uint64_t limit = rlimit_current(RLIMIT_DATA);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!is_valid_addr(places[i]))
			return -EINVAL;
	if (m->start_code >= m->end_code || m->start_data > m->end_data ||
	    m->start_brk > m->brk || m->arg_start > m->arg_end ||
	    m->env_start > m->env_end)
		return -EINVAL;
	if (limit != UINT64_MAX &&
	    m->brk - m->start_brk + (m->end_data - m->start_data) > limit)
		return -EINVAL;
	return 0;
}

/* ---- all at once ---- */

/* Copies in a vector of size bytes, ended by AT_NULL in any case. */
static int auxv_copy(uint64_t auxv[AUXV_WORDS], uaddr_t from, size_t size)
{
	memset(auxv, 0, AUXV_WORDS * sizeof(auxv[0]));
	if (copy_from_user(auxv, from, size))
		return -EFAULT;
	auxv[AUXV_WORDS - 2] = auxv[AUXV_WORDS - 1] = 0;
	return 0;
}

static long set_map(struct mm *mm, uaddr_t from, uint64_t size)
{
	uint64_t auxv[AUXV_WORDS];
	struct linux_prctl_mm_map m;
	int err;

	if (size != sizeof(m))
		return -EINVAL;
	if (COPY_IN(&m, from))
		return -EFAULT;
	err = map_check(&m);
	if (!err && m.auxv_size && (!m.auxv || m.auxv_size > sizeof(auxv)))
		err = -EINVAL;
	if (!err && m.auxv_size)
		err = auxv_copy(auxv, m.auxv, m.auxv_size);
	if (!err && m.exe_fd != UINT32_MAX)
		err = ns_capable(current_user_ns(), CAP_SYS_ADMIN) ||
				      ns_capable(current_user_ns(),
						 CAP_CHECKPOINT_RESTORE)
			      ? mm_exe_replace(mm, (int)m.exe_fd)
			      : -EPERM;
	if (err)
		return err;
	lock_take(&mm->lock);
	map_write(mm, &m);
	if (m.auxv_size)
		memcpy(mm->auxv, auxv, sizeof(auxv));
	lock_drop(&mm->lock);
	return 0;
}

/* ---- one by one ---- */

static long set_auxv(struct mm *mm, uaddr_t from, uint64_t size)
{
	uint64_t auxv[AUXV_WORDS];

	if (size > sizeof(auxv))
		return -EINVAL;
	if (auxv_copy(auxv, from, size))
		return -EFAULT;
	lock_take(&mm->lock);
	memcpy(mm->auxv, auxv, size);
	lock_drop(&mm->lock);
	return 0;
}

static uint64_t *place_of(struct linux_prctl_mm_map *m, uint64_t option)
{
	switch (option) {
	case PR_SET_MM_START_CODE:
		return &m->start_code;
	case PR_SET_MM_END_CODE:
		return &m->end_code;
	case PR_SET_MM_START_DATA:
		return &m->start_data;
	case PR_SET_MM_END_DATA:
		return &m->end_data;
	case PR_SET_MM_START_STACK:
		return &m->start_stack;
	case PR_SET_MM_START_BRK:
		return &m->start_brk;
	case PR_SET_MM_BRK:
		return &m->brk;
	case PR_SET_MM_ARG_START:
		return &m->arg_start;
	case PR_SET_MM_ARG_END:
		return &m->arg_end;
	case PR_SET_MM_ENV_START:
		return &m->env_start;
	case PR_SET_MM_ENV_END:
		return &m->env_end;
	default:
		return NULL;
	}
}

/* Places that something must be mapped at, or above. */
static bool is_in_memory(uint64_t option)
{
	return option == PR_SET_MM_START_STACK || option == PR_SET_MM_ARG_START ||
	       option == PR_SET_MM_ARG_END || option == PR_SET_MM_ENV_START ||
	       option == PR_SET_MM_ENV_END;
}

static long set_place(struct mm *mm, uint64_t option, uint64_t addr)
{
	struct linux_prctl_mm_map m;
	uint64_t *place = place_of(&m, option);
	int err;

	if (!is_valid_addr(addr) || !place)
		return -EINVAL;
	lock_take(&mm->lock);
	map_read(&m, mm);
	*place = addr;
	err = map_check(&m);
	if (!err && is_in_memory(option) && !vma_find(mm, addr))
		err = -EFAULT;
	if (!err)
		map_write(mm, &m);
	lock_drop(&mm->lock);
	return err;
}

long prctl_mm(struct mm *mm, uint64_t option, uint64_t addr, uint64_t arg4, uint64_t arg5)
{
	if (arg5 || (arg4 && option != PR_SET_MM_AUXV && option != PR_SET_MM_MAP &&
		     option != PR_SET_MM_MAP_SIZE))
		return -EINVAL;
	if (option == PR_SET_MM_MAP_SIZE)
		return put_user_u32(addr, sizeof(struct linux_prctl_mm_map));
	if (option == PR_SET_MM_MAP)
		return set_map(mm, addr, arg4);
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (option == PR_SET_MM_EXE_FILE)
		return mm_exe_replace(mm, (int)addr);
	if (option == PR_SET_MM_AUXV)
		return set_auxv(mm, addr, arg4);
	return set_place(mm, option, addr);
}

long prctl_auxv_get(struct mm *mm, uaddr_t to, uint64_t size)
{
	uint64_t auxv[AUXV_WORDS];

	lock_take(&mm->lock);
	memcpy(auxv, mm->auxv, sizeof(auxv));
	lock_drop(&mm->lock);
	if (copy_to_user(to, auxv, MIN(size, sizeof(auxv))))
		return -EFAULT;
	return sizeof(auxv);
}

/* ---- names of areas ---- */

/* Printable, and nothing that would end the brackets in maps or mean more to a shell. */
static bool is_valid_name(const char *name)
{
	for (; *name; name++)
		if (*name <= 0x1f || *name >= 0x7f || strchr("\\`$[]", *name))
			return false;
	return true;
}

long prctl_vma(struct mm *mm, uint64_t option, uint64_t addr, uint64_t size, uaddr_t name)
{
	char text[VMA_NAME_SIZE];
	struct vma_name *n = NULL;
	long len = 0;
	int err;

	if (option != PR_SET_VMA_ANON_NAME)
		return -EINVAL;
	if (name)
		len = strncpy_from_user(text, name, sizeof(text));
	if (len < 0)
		return len == -EFAULT ? -EFAULT : -EINVAL;
	if (name) {
		if (!is_valid_name(text))
			return -EINVAL;
		n = vma_name_create(text);
		if (!n)
			return -ENOMEM;
	}
	err = mm_name_range(mm, addr, size, n);
	vma_name_put(n);
	return err;
}
