/* SPDX-License-Identifier: MIT */
/* stack.h - the first stack of a program: strings, auxiliary vector, pointers
 * (getauxval(3)). */
#pragma once
#include "abi/types.h"

struct creds;
struct elf_layout;
struct exec_strings;
struct mm;

/* What the host and the launcher know of the machine; set once at start. */
struct auxv_facts {
	uint64_t hwcap, hwcap2, minsigstksz, clktck;
	uint64_t rseq_feature_size, rseq_align;
	char platform[16];
};
extern struct auxv_facts auxv_facts;

/* Maps a stack in the empty mm, the calling task's, with room for the strings and a
 * little more, and chooses where later mappings go. */
int stack_map(struct mm *mm, bool exec_stack, const struct exec_strings *s,
	      const char *execfn) MUST_CHECK;
/* Fills the stack and sets *sp. vdso: AT_SYSINFO_EHDR, 0 for none. Also fills mm's
 * argument addresses and auxv. */
int stack_create(struct mm *mm, const struct exec_strings *s, const char *execfn,
		 const struct elf_layout *layout, const struct creds *creds, uaddr_t vdso,
		 bool secure, uaddr_t *sp) MUST_CHECK;
