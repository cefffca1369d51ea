/* SPDX-License-Identifier: MIT */
/* elf.h - loading ELF programs and their interpreters (elf(5)).
 *
 * Two steps, because an exec changes address spaces between them: elf_open() reads and
 * checks everything that can be refused; elf_load() maps it, and its failure kills the
 * process. */
#pragma once
#include "abi/elf.h"
#include "abi/types.h"

struct file;
struct mm;

struct elf_file {
	struct file *file; /* ref */
	struct linux_elf64_ehdr ehdr;
	struct linux_elf64_phdr *phdr; /* kmalloc */
};

struct elf_program {
	struct elf_file main;
	struct elf_file interp; /* file NULL: static */
	bool stack_exec;
};

/* Where things came to lie. */
struct elf_layout {
	uaddr_t entry;	       /* first instruction: the interpreter's if there is one */
	uaddr_t program_entry; /* AT_ENTRY */
	uaddr_t phdr;	       /* AT_PHDR */
	uint32_t phnum;
	uaddr_t interp_base; /* AT_BASE, 0 when static */
	uaddr_t brk;
};

/* Takes over the reference to file, also on failure. -ENOEXEC, -ELIBBAD, -ENOMEM, -EIO,
 * what opening the interpreter gave. */
int elf_open(struct file *file, struct elf_program *out) MUST_CHECK;
void elf_close(struct elf_program *p);
/* Maps program and interpreter into mm, the calling task's. */
int elf_load(struct mm *mm, const struct elf_program *p,
	     struct elf_layout *out) MUST_CHECK;
