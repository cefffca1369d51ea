/* SPDX-License-Identifier: MIT */
/* elf.h - ELF64 files and the auxiliary vector. */
#pragma once
#pragma GCC system_header /* hosted tests include libc first, then this */

#include "abi/types.h"

#define EI_NIDENT      16
#define EI_CLASS       4
#define EI_DATA	       5
#define EI_VERSION     6
#define EI_OSABI       7
#define EI_ABIVERSION  8
#define ELFMAG	       "\177ELF"
#define SELFMAG	       4
#define ELFCLASS32     1
#define ELFCLASS64     2
#define ELFDATA2LSB    1
#define ELFDATA2MSB    2
#define EV_CURRENT     1
#define ELFOSABI_NONE  0
#define ELFOSABI_LINUX 3

/* e_type, e_machine */
#define ET_NONE	  0
#define ET_REL	  1
#define ET_EXEC	  2
#define ET_DYN	  3
#define ET_CORE	  4
#define EM_386	  3
#define EM_X86_64 62

/* Note types of core dumps and of PT_GNU_PROPERTY. */
#define NT_PRSTATUS	       1
#define NT_PRFPREG	       2
#define NT_PRPSINFO	       3
#define NT_AUXV		       6
#define NT_GNU_BUILD_ID	       3
#define NT_GNU_PROPERTY_TYPE_0 5
#define NT_FILE		       0x46494c45
#define NT_SIGINFO	       0x53494749
#define NT_X86_XSTATE	       0x202

struct linux_elf64_ehdr {
	uint8_t e_ident[EI_NIDENT];
	uint16_t e_type;
	uint16_t e_machine;
	uint32_t e_version;
	uint64_t e_entry;
	uint64_t e_phoff;
	uint64_t e_shoff;
	uint32_t e_flags;
	uint16_t e_ehsize;
	uint16_t e_phentsize;
	uint16_t e_phnum;
	uint16_t e_shentsize;
	uint16_t e_shnum;
	uint16_t e_shstrndx;
};

_Static_assert(sizeof(struct linux_elf64_ehdr) == 64, "Elf64_Ehdr");

/* p_type, p_flags */
#define PT_NULL		0
#define PT_LOAD		0x1
#define PT_DYNAMIC	0x2
#define PT_INTERP	0x3
#define PT_NOTE		0x4
#define PT_SHLIB	0x5
#define PT_PHDR		0x6
#define PT_TLS		0x7
#define PT_GNU_EH_FRAME 0x6474e550
#define PT_GNU_STACK	0x6474e551
#define PT_GNU_RELRO	0x6474e552
#define PT_GNU_PROPERTY 0x6474e553
#define PF_X		0x1
#define PF_W		0x2
#define PF_R		0x4
#define PN_XNUM		0xffff

struct linux_elf64_phdr {
	uint32_t p_type;
	uint32_t p_flags;
	uint64_t p_offset;
	uint64_t p_vaddr;
	uint64_t p_paddr;
	uint64_t p_filesz;
	uint64_t p_memsz;
	uint64_t p_align;
};

_Static_assert(sizeof(struct linux_elf64_phdr) == 56, "Elf64_Phdr");

#define SHN_UNDEF    0
#define SHN_ABS	     65521
#define SHT_NULL     0
#define SHT_PROGBITS 1
#define SHT_SYMTAB   2
#define SHT_STRTAB   3
#define SHT_RELA     4
#define SHT_HASH     5
#define SHT_DYNAMIC  6
#define SHT_NOTE     7
#define SHT_NOBITS   8
#define SHT_DYNSYM   11

struct linux_elf64_shdr {
	uint32_t sh_name;
	uint32_t sh_type;
	uint64_t sh_flags;
	uint64_t sh_addr;
	uint64_t sh_offset;
	uint64_t sh_size;
	uint32_t sh_link;
	uint32_t sh_info;
	uint64_t sh_addralign;
	uint64_t sh_entsize;
};

_Static_assert(sizeof(struct linux_elf64_shdr) == 64, "Elf64_Shdr");

#define STB_LOCAL	    0
#define STB_GLOBAL	    1
#define STB_WEAK	    2
#define STT_NOTYPE	    0
#define STT_OBJECT	    1
#define STT_FUNC	    2
#define STT_SECTION	    3
#define STT_FILE	    4
#define ELF64_ST_BIND(info) ((info) >> 4)
#define ELF64_ST_TYPE(info) ((info)&0xf)

struct linux_elf64_sym {
	uint32_t st_name;
	uint8_t st_info;
	uint8_t st_other;
	uint16_t st_shndx;
	uint64_t st_value;
	uint64_t st_size;
};

_Static_assert(sizeof(struct linux_elf64_sym) == 24, "Elf64_Sym");

#define DT_NULL	     0
#define DT_NEEDED    1
#define DT_HASH	     4
#define DT_STRTAB    5
#define DT_SYMTAB    6
#define DT_RELA	     7
#define DT_RELASZ    8
#define DT_RELAENT   9
#define DT_STRSZ     10
#define DT_SYMENT    11
#define DT_SONAME    14
#define DT_FLAGS     30
#define DT_GNU_HASH  0x6ffffef5
#define DT_RELACOUNT 0x6ffffff9
#define DT_FLAGS_1   0x6ffffffb
#define DT_VERSYM    0x6ffffff0
#define DT_VERDEF    0x6ffffffc
#define DT_VERDEFNUM 0x6ffffffd

struct linux_elf64_dyn {
	int64_t d_tag;
	uint64_t d_val;
};

struct linux_elf64_rela {
	uint64_t r_offset;
	uint64_t r_info;
	int64_t r_addend;
};

#define R_X86_64_NONE	   0
#define R_X86_64_64	   1
#define R_X86_64_GLOB_DAT  6
#define R_X86_64_JUMP_SLOT 7
#define R_X86_64_RELATIVE  8
#define ELF64_R_SYM(info)  ((uint32_t)((info) >> 32))
#define ELF64_R_TYPE(info) ((uint32_t)(info))

struct linux_elf64_nhdr {
	uint32_t n_namesz;
	uint32_t n_descsz;
	uint32_t n_type;
};

/* Notes of core files. */
struct linux_elf_prstatus {
	int32_t si_signo, si_code, si_errno;
	int16_t cursig;
	uint64_t sigpend, sighold;
	int32_t pid, ppid, pgrp, sid;
	int64_t utime[2], stime[2], cutime[2], cstime[2]; /* seconds, microseconds */
	/* as in struct user_regs_struct */
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax, rip, cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
	int32_t fpvalid;
};

_Static_assert(sizeof(struct linux_elf_prstatus) == 336, "struct elf_prstatus");

struct linux_elf_prpsinfo {
	int8_t state, sname, zomb, nice;
	uint64_t flag;
	uint32_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char fname[16];
	char psargs[80];
};

_Static_assert(sizeof(struct linux_elf_prpsinfo) == 136, "struct elf_prpsinfo");

/* The auxiliary vector. */
struct linux_auxv {
	uint64_t a_type;
	uint64_t a_val;
};

#define AT_NULL		     0
#define AT_IGNORE	     1
#define AT_EXECFD	     2
#define AT_PHDR		     3
#define AT_PHENT	     4
#define AT_PHNUM	     5
#define AT_PAGESZ	     6
#define AT_BASE		     7
#define AT_FLAGS	     8
#define AT_ENTRY	     9
#define AT_NOTELF	     10
#define AT_UID		     11
#define AT_EUID		     12
#define AT_GID		     13
#define AT_EGID		     14
#define AT_PLATFORM	     15
#define AT_HWCAP	     16
#define AT_CLKTCK	     17
#define AT_SECURE	     23
#define AT_BASE_PLATFORM     24
#define AT_RANDOM	     25
#define AT_HWCAP2	     26
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN	     28
#define AT_EXECFN	     31
#define AT_SYSINFO	     32
#define AT_SYSINFO_EHDR	     33
#define AT_MINSIGSTKSZ	     51
#define HWCAP2_RING3MWAIT    (1U << 0)
#define HWCAP2_FSGSBASE	     (1U << 1)
