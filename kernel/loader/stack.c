/* SPDX-License-Identifier: MIT */
/* stack.c - see stack.h.
 *
 * From the top down: 8 zero bytes, the program's file name, environment strings, argument
 * strings, the platform name, 16 random bytes, then, 16-byte aligned at the stack
 * pointer: argc, argv, envp, auxv. */
#include "loader/stack.h"

#include "abi/elf.h"
#include "abi/errno.h"
#include "abi/mman.h"
#include "abi/prctl.h"
#include "abi/resource.h"
#include "base/slab.h"
#include "host/host.h"
#include "lib/string.h"
#include "loader/elf.h"
#include "loader/random.h"
#include "loader/strings.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "process/creds.h"
#include "process/task.h"
#include "process/user_ns.h"

#define STACK_RANDOM_BITS 22		/* pages */
#define STACK_ROOM	  (128UL << 10) /* below the strings; more comes by faults */
#define MMAP_RANDOM_BITS  28		/* pages */
#define MMAP_GAP_MIN	  (128UL << 20)
#define STACK_GAP	  (1UL << 20) /* plus the stack's own randomness */

struct auxv_facts auxv_facts;

struct builder {
	uaddr_t sp;
	uint64_t auxv[AUXV_WORDS];
	size_t count; /* words in auxv */
	uaddr_t vdso;
	int err;
};

static uaddr_t push_bytes(struct builder *b, const void *data, size_t size)
{
	b->sp -= size;
	if (!b->err)
		b->err = copy_to_user(b->sp, data, size);
	return b->sp;
}

static void aux(struct builder *b, uint64_t type, uint64_t value)
{
	b->auxv[b->count++] = type;
	b->auxv[b->count++] = value;
}

static void fill_auxv(struct builder *b, const struct elf_layout *l,
		      const struct creds *c, bool secure, uaddr_t random, uaddr_t execfn,
		      uaddr_t platform)
{
	if (b->vdso)
		aux(b, AT_SYSINFO_EHDR, b->vdso);
	aux(b, AT_MINSIGSTKSZ, auxv_facts.minsigstksz);
	aux(b, AT_HWCAP, auxv_facts.hwcap);
	aux(b, AT_PAGESZ, PAGE_SIZE);
	aux(b, AT_CLKTCK, auxv_facts.clktck);
	aux(b, AT_PHDR, l->phdr);
	aux(b, AT_PHENT, sizeof(struct linux_elf64_phdr));
	aux(b, AT_PHNUM, l->phnum);
	aux(b, AT_BASE, l->interp_base);
	aux(b, AT_FLAGS, 0);
	aux(b, AT_ENTRY, l->program_entry);
	aux(b, AT_UID, kuid_shown(c->user_ns, c->uid));
	aux(b, AT_EUID, kuid_shown(c->user_ns, c->euid));
	aux(b, AT_GID, kgid_shown(c->user_ns, c->gid));
	aux(b, AT_EGID, kgid_shown(c->user_ns, c->egid));
	aux(b, AT_SECURE, secure);
	aux(b, AT_RANDOM, random);
	/* Without FSGSBASE programs use arch_prctl, which tells us when %gs is taken. */
	aux(b, AT_HWCAP2, auxv_facts.hwcap2 & ~2UL);
	aux(b, AT_EXECFN, execfn);
	aux(b, AT_PLATFORM, platform);
	if (auxv_facts.rseq_feature_size) {
		aux(b, AT_RSEQ_FEATURE_SIZE, auxv_facts.rseq_feature_size);
		aux(b, AT_RSEQ_ALIGN, auxv_facts.rseq_align);
	}
	aux(b, AT_NULL, 0);
}

/* Writes count pointers to consecutive strings of size bytes in all, and a NULL; returns
 * behind them. */
static uaddr_t put_pointers(struct builder *b, uaddr_t at, const char *strings,
			    uint32_t count, uaddr_t where)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t len = strlen(strings) + 1;

		if (!b->err)
			b->err = put_user_u64(at, where);
		at += sizeof(uint64_t);
		strings += len;
		where += len;
	}
	if (!b->err)
		b->err = put_user_u64(at, 0);
	return at + sizeof(uint64_t);
}

/* What lies at the top, before all else: see stack_create(). */
static size_t strings_size(const struct exec_strings *s, const char *execfn)
{
	return sizeof(uint64_t) + strlen(execfn) + 1 + s->env_size + s->args_size;
}

static int map_stack(struct mm *mm, bool exec_stack, size_t strings, uaddr_t *top)
{
	uint64_t limit = ALIGN_DOWN(rlimit_current(RLIMIT_STACK), PAGE_SIZE);
	size_t used = ALIGN_UP(strings, PAGE_SIZE);
	size_t size = MAX(MIN(used + STACK_ROOM, limit), used);
	size_t gap = MIN(MAX(limit, MMAP_GAP_MIN), USER_END / 6 * 5);
	uint32_t prot = PROT_READ | PROT_WRITE | (exec_stack ? PROT_EXEC : 0U);
	uint32_t random_bits_used = STACK_RANDOM_BITS;
	long ret;

	/* The vdso lies in the last 64 MiB: see core/vdso.c. */
	*top = USER_END - (64UL << 20) - PAGE_SIZE -
	       (random_bits(random_bits_used) << PAGE_SHIFT);
	ret = mm_map(mm, *top - size, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		     NULL, 0, VMA_STACK);
	if (ret < 0)
		return (int)ret;
	mm->stack_low = *top - size;
	mm->mmap_top = ALIGN_DOWN(*top - gap, PAGE_SIZE) - STACK_GAP -
		       (random_bits(MMAP_RANDOM_BITS) << PAGE_SHIFT);
	mm->stack_reach = 0; /* nothing is below it yet */
	if (current()->personality & ADDR_COMPAT_LAYOUT)
		mm->mmap_bottom = ALIGN_UP(USER_END / 3, PAGE_SIZE) +
				  (random_bits(MMAP_RANDOM_BITS) << PAGE_SHIFT);
	return 0;
}

int stack_create(struct mm *mm, const struct exec_strings *s, const char *execfn,
		 const struct elf_layout *layout, const struct creds *creds, uaddr_t vdso,
		 bool secure, uaddr_t *sp)
{
	static const uint64_t zero;
	struct builder b = {.vdso = vdso};
	uint8_t random[16];
	uaddr_t execfn_at;
	uaddr_t platform_at;
	uaddr_t random_at;
	uaddr_t at;

	b.sp = mm->stack_start;
	(void)push_bytes(&b, &zero, sizeof(zero));
	execfn_at = push_bytes(&b, execfn, strlen(execfn) + 1);
	mm->env_end = b.sp;
	mm->env_start = push_bytes(&b, s->data + s->args_size, s->env_size);
	mm->arg_end = b.sp;
	mm->arg_start = push_bytes(&b, s->data, s->args_size);
	b.sp = ALIGN_DOWN(b.sp - (random_bits(9) << 4), 16UL);
	platform_at =
		push_bytes(&b, auxv_facts.platform, strlen(auxv_facts.platform) + 1);
	random_bytes(random, sizeof(random));
	random_at = push_bytes(&b, random, sizeof(random));
	fill_auxv(&b, layout, creds, secure, random_at, execfn_at, platform_at);
	b.sp = ALIGN_DOWN(b.sp - b.count * sizeof(uint64_t) -
				  (s->argc + s->envc + 3UL) * sizeof(uint64_t),
			  16UL);
	if (!b.err)
		b.err = put_user_u64(b.sp, s->argc);
	at = put_pointers(&b, b.sp + sizeof(uint64_t), s->data, s->argc, mm->arg_start);
	at = put_pointers(&b, at, s->data + s->args_size, s->envc, mm->env_start);
	if (!b.err)
		b.err = copy_to_user(at, b.auxv, b.count * sizeof(uint64_t));
	memcpy(mm->auxv, b.auxv, sizeof(b.auxv));
	mm->stack_start = b.sp;
	*sp = b.sp;
	return b.err;
}

int stack_map(struct mm *mm, bool exec_stack, const struct exec_strings *s,
	      const char *execfn)
{
	uaddr_t top;
	int err = map_stack(mm, exec_stack, strings_size(s, execfn), &top);

	if (!err)
		mm->stack_start = top;
	return err;
}
