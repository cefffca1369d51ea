/* SPDX-License-Identifier: MIT */
/*
 * decode.c - holds the instruction white list against Zydis.
 *
 * Whatever insn_decode() accepts, Zydis must accept with the same length and the same
 * meaning: behind every `syscall` in the system's programs and libraries, in random
 * bytes, and in mutations of valid instructions. SITE_SECONDS bounds the first (20).
 */
/* unit: arch/x86_64/decode.c */
/* libs: -lZydis */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <Zydis/Zydis.h>
#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../sys/test.h"
#include "arch/x86_64/decode.h"

static ZydisDecoder zydis;
static uint64_t rng = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static int kind_of(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *op)
{
	bool is_direct = op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

	switch (z->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		return INSN_JCC;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return is_direct ? INSN_JMP : INSN_JMP_IND;
	case ZYDIS_CATEGORY_CALL:
		return INSN_CALL;
	case ZYDIS_CATEGORY_RET:
		return INSN_RET;
	case ZYDIS_CATEGORY_SYSCALL:
		return INSN_SYSCALL;
	default:
		return z->mnemonic == ZYDIS_MNEMONIC_HLT ? INSN_HALT : INSN_PLAIN;
	}
}

static const char *disagreement(const uint8_t *code, size_t avail, const struct insn *in)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	bool is_rip = false;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&zydis, code, avail, &z, op)))
		return "not an instruction";
	if (z.length != in->len)
		return "length";
	if (kind_of(&z, op) != in->kind)
		return "kind";
	for (int i = 0; i < z.operand_count; i++)
		is_rip |= op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
			  op[i].mem.base == ZYDIS_REGISTER_RIP;
	if (is_rip != in->is_rip_relative)
		return "rip-relative";
	if (is_rip && (z.raw.disp.offset != in->disp_off || z.raw.disp.size != 32))
		return "offset of the displacement";
	if ((z.raw.imm[0].is_relative != 0) != in->has_rel)
		return "relative";
	if (in->has_rel && z.raw.imm[0].value.s != in->rel)
		return "branch target";
	if (z.raw.modrm.offset != in->modrm_off)
		return "offset of ModRM";
	if ((z.attributes & ZYDIS_ATTRIB_HAS_REX) ? z.raw.rex.offset + 1u > in->opcode_off
						  : in->rex)
		return "REX";
	if (in->is_two_byte != (z.opcode_map == ZYDIS_OPCODE_MAP_0F) ||
	    z.opcode != code[in->opcode_off])
		return "opcode";
	if (in->kind == INSN_JCC && (z.opcode & 15) != in->cond)
		return "condition";
	if (z.attributes & (ZYDIS_ATTRIB_HAS_LOCK | ZYDIS_ATTRIB_HAS_SEGMENT_GS |
			    ZYDIS_ATTRIB_HAS_ADDRESSSIZE))
		return "prefix";
	if (z.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return "encoding";
	return NULL;
}

/* Compares at one place; returns the length, or 0 if insn_decode() refuses. */
static unsigned compare(const uint8_t *code, size_t avail)
{
	struct insn in;

	if (insn_decode(code, avail, &in) < 0)
		return 0;

	const char *what = in.len <= avail ? disagreement(code, avail, &in) : "overrun";

	if (what) {
		printf("not ok: %s, len %u kind %u:", what, in.len, in.kind);
		for (size_t i = 0; i < avail && i < 15; i++)
			printf(" %02x", code[i]);
		printf("\n");
		exit(1);
	}
	return in.len;
}

/* ---- real programs ---- */

static struct timespec started;
static unsigned long site_count, insn_count, file_count;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - started.tv_sec) +
	       (double)(now.tv_nsec - started.tv_nsec) / 1e9;
}

/* Each byte near a syscall: before it alignment is unknown, so every start counts. */
static void scan_code(const uint8_t *code, size_t size)
{
	const uint8_t *end = code + size;
	const uint8_t *p = code;

	while ((p = memmem(p, (size_t)(end - p), "\x0f\x05", 2)) != NULL) {
		const uint8_t *from = p - code > 40 ? p - 40 : code;
		const uint8_t *to = end - p > 40 ? p + 40 : end;

		for (; from < to; from++)
			insn_count += compare(from, (size_t)(end - from)) != 0;
		site_count++;
		p++;
	}
}

static void scan_elf(const uint8_t *image, size_t size)
{
	const Elf64_Ehdr *eh = (const void *)image;

	if (size < sizeof *eh || memcmp(image, ELFMAG "\2\1", 6) != 0 ||
	    eh->e_machine != EM_X86_64 || eh->e_phentsize != sizeof(Elf64_Phdr) ||
	    eh->e_phoff % 8 || eh->e_phoff > size ||
	    (size - eh->e_phoff) / sizeof(Elf64_Phdr) < eh->e_phnum)
		return;

	const Elf64_Phdr *ph = (const void *)(image + eh->e_phoff);

	file_count++;
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_X) &&
		    ph[i].p_offset <= size && ph[i].p_filesz <= size - ph[i].p_offset)
			scan_code(image + ph[i].p_offset, ph[i].p_filesz);
}

static int scan_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *limit = getenv("SITE_SECONDS");

	(void)ftw;
	if (seconds() > (limit ? atof(limit) : 20))
		return 1;
	if (type != FTW_F || st->st_size < 4096 || st->st_size > 64 << 20)
		return 0;
	if (!(st->st_mode & 0111) && !strstr(path, ".so"))
		return 0;

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;

	void *image = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	close(fd);
	if (image == MAP_FAILED)
		return 0;
	scan_elf(image, (size_t)st->st_size);
	munmap(image, (size_t)st->st_size);
	return 0;
}

static void agrees_around_every_syscall_of_the_system(void)
{
	/* The C libraries first, in case time runs out. */
	static const char *const roots[] = {
		"/usr/lib/x86_64-linux-gnu/libc.so.6",
		"/usr/lib64/ld-linux-x86-64.so.2",
		"/usr/lib/x86_64-linux-musl",
		"/usr/bin",
		"/usr/sbin",
		"/usr/lib",
	};

	clock_gettime(CLOCK_MONOTONIC, &started);
	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
		if (nftw(roots[i], scan_file, 16, FTW_PHYS) == 1)
			break;
	printf("# %lu files, %lu sites, %lu instructions, %.1f s\n", file_count,
	       site_count, insn_count, seconds());
}

/* ---- made-up bytes ---- */

static void fill(uint8_t *buf, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buf[i] = (uint8_t)(rnd() >> 24);
}

static void agrees_on_random_bytes(void)
{
	static const uint8_t lead[] = {0x0f, 0x48, 0x41, 0x66, 0x64, 0xf3, 0x2e, 0xff,
				       0xf7, 0x83, 0x4c, 0x44, 0x40, 0x67, 0xf0, 0xf2};
	unsigned long accepted = 0;
	uint8_t buf[24];

	for (int i = 0; i < 3000000; i++) {
		size_t avail = rnd() % 8 ? sizeof buf : rnd() % 16;
		size_t n = rnd() % 4;

		fill(buf, sizeof buf);
		while (n-- > 0)
			buf[n] = lead[rnd() % sizeof lead];
		accepted += compare(buf, avail) != 0;
	}
	printf("# %lu of 3000000 accepted\n", accepted);
}

static void agrees_on_mutations_of_what_it_accepts(void)
{
	unsigned long accepted = 0;
	uint8_t buf[24];
	uint8_t keep[24];

	fill(keep, sizeof keep);
	for (int i = 0; i < 3000000; i++) {
		memcpy(buf, keep, sizeof buf);
		buf[rnd() % 8] ^= (uint8_t)(1 << rnd() % 8);
		if (rnd() % 4 == 0)
			buf[rnd() % 6] = (uint8_t)rnd();
		if (rnd() % 8 == 0) {
			memmove(buf + 1, buf, sizeof buf - 1);
			buf[0] = (uint8_t)(rnd() % 2 ? 0x40 | (rnd() & 15) : 0x66);
		}
		if (compare(buf, sizeof buf)) {
			accepted++;
			memcpy(keep, buf, sizeof keep);
		} else if (rnd() % 64 == 0) {
			fill(keep, sizeof keep);
		}
	}
	printf("# %lu of 3000000 accepted\n", accepted);
}

/* Every one- and two-byte opcode with every ModRM and the prefixes in use. */
static void agrees_on_every_opcode_and_modrm(void)
{
	static const char *const prefixes[] = {
		"",	"\x48", "\x41", "\x66", "\x66\x48", "\x64",	"\x4f",	   "\xf3",
		"\x2e", "\xf2", "\xf0", "\x67", "\x65",	    "\x64\x48", "\x48\x66"};
	unsigned long accepted = 0;
	uint8_t buf[24];

	for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
		size_t n = strlen(prefixes[p]);

		for (unsigned op = 0; op < 512 * 256; op++) {
			size_t at = n;

			fill(buf, sizeof buf);
			memcpy(buf, prefixes[p], n);
			if (op >= 256 * 256)
				buf[at++] = 0x0f;
			buf[at++] = (uint8_t)(op >> 8);
			buf[at++] = (uint8_t)op;
			accepted += compare(buf, sizeof buf) != 0;
		}
	}
	printf("# %lu accepted\n", accepted);
}

static void never_reads_beyond_what_it_was_given(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(map != MAP_FAILED);
	CHECK(mprotect(map + page, (size_t)page, PROT_NONE) == 0);
	for (int i = 0; i < 500000; i++) {
		size_t avail = rnd() % 16;
		uint8_t *code = map + page - avail;
		struct insn in;

		fill(code, avail);
		if (avail && rnd() % 2)
			code[0] = (uint8_t)(0x40 | (rnd() & 15));
		CHECK(insn_decode(code, avail, &in) < 0 || in.len <= avail);
	}
	CHECK(munmap(map, (size_t)page * 2) == 0);
}

static void knows_what_compilers_write(void)
{
	static const struct {
		const char *code;
		uint8_t len;
		uint8_t kind;
	} known[] = {
		{"\x48\x3d\x00\xf0\xff\xff", 6, INSN_PLAIN},
		{"\x3d\x00\xf0\xff\xff", 5, INSN_PLAIN},
		{"\x48\x89\xc7", 3, INSN_PLAIN},
		{"\x64\x48\x8b\x04\x25\x28\x00\x00\x00", 9, INSN_PLAIN},
		{"\x48\x8b\x0d\x01\x02\x03\x04", 7, INSN_PLAIN},
		{"\xf3\x0f\x1e\xfa", 4, INSN_PLAIN},
		{"\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", 10, INSN_PLAIN},
		{"\x74\x05", 2, INSN_JCC},
		{"\x0f\x87\x01\x02\x03\x04", 6, INSN_JCC},
		{"\xeb\xfe", 2, INSN_JMP},
		{"\xe8\x00\x00\x00\x00", 5, INSN_CALL},
		{"\xc3", 1, INSN_RET},
		{"\xf3\xc3", 2, INSN_RET},
		{"\xff\xe0", 2, INSN_JMP_IND},
		{"\x0f\x05", 2, INSN_SYSCALL},
		{"\xf4", 1, INSN_HALT},
	};
	struct insn in;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const uint8_t *code = (const uint8_t *)known[i].code;

		CHECK(insn_decode(code, known[i].len, &in) == 0);
		CHECK(in.len == known[i].len && in.kind == known[i].kind);
		CHECK(insn_decode(code, known[i].len - 1U, &in) < 0);
	}
}

static void refuses_what_it_must_not_move(void)
{
	static const char *const refused[] = {
		"\xc5\xf8\x77",			    /* vzeroupper */
		"\x62\xf1\x7c\x48\x10\xc0",	    /* vmovups zmm */
		"\xd5\x00\x89\xc0",		    /* REX2 */
		"\xf0\xff\x08",			    /* lock decl */
		"\x67\x8b\x00",			    /* address size */
		"\x65\x48\x8b\x04\x25\x00\x00\x00", /* gs */
		"\xcd\x80",			    /* int 0x80 */
		"\xcc",				    /* int3 */
		"\x0f\x0b",			    /* ud2 */
		"\x48\xe9\x00\x00\x00\x00",	    /* REX on a branch */
		"\x66\xe9\x00\x00\x00\x00",	    /* AMD and Intel disagree */
		"\x06",				    /* invalid */
		"\xc7\xf8\x00\x00\x00\x00",	    /* xbegin */
		"\x8d\xc0",			    /* lea of a register */
		"\x48\x66\x89\xc7",		    /* REX not last */
	};
	struct insn in = {.len = 77};
	uint8_t buf[16] = {0};

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		strncpy((char *)buf, refused[i], sizeof buf - 1);
		CHECK(insn_decode(buf, sizeof buf, &in) < 0);
	}
	CHECK(insn_decode(buf, 0, &in) < 0);
	CHECK(in.len == 77);
}

static void init(void)
{
	CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&zydis, ZYDIS_MACHINE_MODE_LONG_64,
					    ZYDIS_STACK_WIDTH_64)));
}

RUN(TEST(init), TEST(knows_what_compilers_write), TEST(refuses_what_it_must_not_move),
    TEST(never_reads_beyond_what_it_was_given), TEST(agrees_on_every_opcode_and_modrm),
    TEST(agrees_on_random_bytes), TEST(agrees_on_mutations_of_what_it_accepts),
    TEST(agrees_around_every_syscall_of_the_system))
