/* SPDX-License-Identifier: MIT */
/*
 * patch_share.c - what share of the system's `syscall` instructions can be patched.
 *
 * Zydis finds them, by decoding whole sections. SITE_FILE names one more ELF file to
 * count in; with SHOW_SITES set, the addresses that stay on the slow path are printed.
 */
/* unit: arch/x86_64/decode.c arch/x86_64/patch_plan.c */
/* libs: -lZydis */
#include <Zydis/Zydis.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../sys/test.h"
#include "arch/x86_64/patch_plan.h"

struct share {
	unsigned a, b, b_simple, none;
};

enum { RECENT = 16 };

/* Tries every number that the bytes before the site may load, as it cannot be run here.
 */
static uint8_t kind_of_site(const uint8_t *text, size_t size, size_t off, uaddr_t addr,
			    struct patch_shape *out)
{
	uint32_t before = (uint32_t)(off < 64 ? off : 64);
	struct patch_request req = {
		.site = addr,
		.code = text + off - before,
		.before = before,
		.after = (uint32_t)(size - off < 64 ? size - off : 64),
		.nr = 1000,
	};

	for (uint32_t back = 5; back <= before; back++) {
		const uint8_t *p = text + off - back;

		if (*p == 0xb8)
			memcpy(&req.nr, p + 1, 4);
		else if (*p == 0x48 && back >= 7)
			memcpy(&req.nr, p + 3, 4);
		if (patch_analyse(&req, out) && out->kind == PATCH_A)
			return PATCH_A;
	}
	req.nr = 1000;
	return patch_analyse(&req, out) ? out->kind : PATCH_NONE;
}

static void count_site(const uint8_t *text, size_t size, size_t off, uaddr_t addr,
		       const size_t *recent, struct share *sh)
{
	struct patch_shape shape;
	bool is_start = false;

	switch (kind_of_site(text, size, off, addr, &shape)) {
	case PATCH_A:
		for (int i = 0; i < RECENT; i++)
			is_start |= recent[i] == off + (size_t)(ssize_t)shape.start;
		if (!is_start)
			printf("# %lx: no instruction at %d\n", addr, shape.start);
		CHECK(is_start);
		sh->a++;
		break;
	case PATCH_B:
		sh->b++;
		sh->b_simple += shape.invalid_mask == 2;
		break;
	default:
		sh->none++;
		if (getenv("SHOW_SITES"))
			printf("# none: %lx\n", addr);
	}
}

static void count_text(const uint8_t *text, size_t size, uaddr_t addr, struct share *sh)
{
	size_t recent[RECENT] = {0};
	unsigned n = 0;
	ZydisDecoder zydis;
	ZydisDecodedInstruction z;

	CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&zydis, ZYDIS_MACHINE_MODE_LONG_64,
					    ZYDIS_STACK_WIDTH_64)));
	for (size_t off = 0; off < size; off += z.length) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&zydis, NULL, text + off,
								size - off, &z))) {
			z.length = 1;
			continue;
		}
		recent[n++ % RECENT] = off;
		if (z.mnemonic == ZYDIS_MNEMONIC_SYSCALL)
			count_site(text, size, off, addr + off, recent, sh);
	}
}

static bool count_file(const char *path, struct share *sh)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;

	uint8_t *image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	const Elf64_Ehdr *eh = (const void *)image;

	close(fd);
	CHECK(image != MAP_FAILED && memcmp(image, ELFMAG, 4) == 0);

	const Elf64_Shdr *sec = (const void *)(image + eh->e_shoff);

	for (int i = 0; i < eh->e_shnum; i++)
		if (sec[i].sh_type == SHT_PROGBITS && (sec[i].sh_flags & SHF_EXECINSTR))
			count_text(image + sec[i].sh_offset, sec[i].sh_size,
				   sec[i].sh_addr, sh);
	munmap(image, (size_t)st.st_size);
	return true;
}

static void nearly_every_site_can_be_patched(void)
{
	static const char *const files[] = {
		"/usr/lib/x86_64-linux-gnu/libc.so.6",
		"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
		"/usr/lib/x86_64-linux-musl/libc.so",
		"/usr/bin/busybox",
		"/usr/bin/bash",
		"/usr/bin/python3",
	};
	struct share all = {0};
	const char *extra = getenv("SITE_FILE");

	for (size_t i = 0; i <= sizeof files / sizeof files[0]; i++) {
		bool is_extra = i == sizeof files / sizeof files[0];
		const char *path = is_extra ? extra : files[i];
		struct share sh = {0};

		if (!path || !count_file(path, &sh))
			continue;
		printf("# %s: A %u, B %u (%u with byte 1 alone), none %u\n", path, sh.a,
		       sh.b, sh.b_simple, sh.none);
		if (is_extra)
			continue;
		all.a += sh.a;
		all.b += sh.b;
		all.none += sh.none;
	}
	CHECK((all.a + all.b) * 100 >= 97 * (all.a + all.b + all.none));
}

RUN(TEST(nearly_every_site_can_be_patched))
