/* SPDX-License-Identifier: MIT */
/*
 * decode.c - fuzzes the instruction white list and the patch planner for what must always
 * hold, whatever the bytes: nothing is read beyond the input, a length does not depend on
 * what follows, and a plan changes only what it says, fits its buffers and maps back and
 * forth. It is a libFuzzer target; built with -DFUZZ_ALONE it runs by itself, for
 * FUZZ_SECONDS (5) with FUZZ_SEED (1), or on the files named as arguments.
 */
/* unit: arch/x86_64/decode.c arch/x86_64/patch_plan.c */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/x86_64/decode.h"
#include "arch/x86_64/patch_plan.h"
#include "fuzz.h"

static unsigned long decoded, planned;

static void fuzz_decode(const uint8_t *data, size_t size)
{
	struct insn in, again;

	memset(&in, 0xee, sizeof in);
	if (insn_decode(data, size, &in) < 0)
		return;
	decoded++;
	MUST(in.len >= 1 && in.len <= size && in.len <= INSN_MAX);
	MUST(in.opcode_off < in.len && in.modrm_off < in.len);
	MUST(!in.is_rip_relative || (in.disp_off && in.disp_off + 4 <= in.len));
	memset(&again, 0xee, sizeof again);
	MUST(insn_decode(data, in.len, &again) == 0);
	MUST(again.len == in.len && again.kind == in.kind && again.rel == in.rel);
	for (size_t n = 0; n < in.len; n++)
		MUST(insn_decode(data, n, &again) < 0);
}

static void check_plan(const struct patch_shape *s, const struct patch_plan *p,
		       uaddr_t slot)
{
	const struct patch_record *r = &p->record;
	size_t tail = r->kind == PATCH_B ? r->ret_off : r->tramp_len;
	uaddr_t to, back;

	MUST(r->tramp_len <= PATCH_TRAMP_MAX && r->map_count <= PATCH_MAP_MAX);
	MUST(r->len <= PATCH_SITE_MAX && r->len >= 5 && p->bytes[0] == 0xe9);
	MUST(r->tramp_len == patch_tramp_len(s));
	for (int i = 0; i < r->map_count; i++) {
		const struct patch_map *m = &r->map[i];
		struct insn in;

		/* What the trampoline starts there is an instruction. */
		MUST(insn_decode(p->tramp + m->tramp_off, r->tramp_len - m->tramp_off,
				 &in) == 0);
		MUST(patch_to_site(r, s->site, slot + m->tramp_off, &to));
		MUST(to == s->site + (uaddr_t)(int64_t)m->site_off);
		if (patch_to_tramp(r, s->site, to, &back))
			MUST(back == slot + m->tramp_off && m->tramp_off >= tail);
	}
	MUST(!patch_to_tramp(r, s->site, s->site, &to));
	MUST(!patch_to_tramp(r, s->site, s->site + r->len, &to));
	/* Behind its copies B goes on at the site; A ends in the jump to the kernel. */
	for (size_t off = tail; off < r->tramp_len;) {
		struct insn in;

		MUST(insn_decode(p->tramp + off, r->tramp_len - off, &in) == 0);
		off += in.len;
		MUST(off <= r->tramp_len);
	}
}

static void fuzz_plan(const uint8_t *data, size_t size)
{
	uint8_t code[160];
	struct patch_shape s;
	struct patch_plan plan;
	size_t off;

	if (size < 8)
		return;

	size_t n = size - 4 < sizeof code ? size - 4 : sizeof code;
	uint32_t before = data[0] % (n - 2);
	uaddr_t site = 0x7f1200000000 + data[1] + ((uaddr_t)data[2] << 16);
	uaddr_t area = site + ((uaddr_t)data[2] << 24) - 0x60000000 + data[1] * 4096u;

	memcpy(code, data + 4, n);
	code[before] = 0x0f;
	code[before + 1] = 0x05;
	if (before >= 12 && (data[3] & 1)) {
		memcpy(code + before - 5 - data[3] % 7, "\xb8\x27\x00\x00\x00", 5);
		if (data[3] & 2)
			memcpy(code + before - 5, "\xb8\x27\x00\x00\x00", 5);
	}

	struct patch_request req = {.site = site,
				    .code = code,
				    .before = before,
				    .after = (uint32_t)n - before,
				    .nr = 39};

	if (!patch_analyse(&req, &s))
		return;
	MUST(s.start >= -(int)before && s.start + s.len <= (int)req.after);
	if (!patch_find_slot(&s, area, area, 0x100000, 8, NULL, &off))
		return;
	MUST(off + patch_tramp_len(&s) <= 0x100000);
	MUST(patch_emit(&s, area + off, area, &plan));
	check_plan(&s, &plan, area + off);
	planned++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_decode(data, size);
	fuzz_plan(data, size);
	return 0;
}

#ifdef FUZZ_ALONE

static uint64_t rng;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* Random bytes strewn with what the decoder and the planner look for. */
static void make(uint8_t *buf, size_t size)
{
	static const char *const words[] = {
		"\x48\x3d", "\x48\x89", "\x0f\x1f", "\xc3",    "\x74", "\xeb",
		"\x66\x2e", "\x8b\x15", "\x31\xd2", "\x5b",    "\x90", "\xcc\xcc",
		"\x85\xc0", "\x0f\x84", "\xe9",	    "\xb8\x27"};

	for (size_t i = 0; i < size; i++)
		buf[i] = (uint8_t)(rnd() >> 20);
	for (size_t i = 4; i + 2 < size; i += 1 + rnd() % 6) {
		const char *w = words[rnd() % (sizeof words / sizeof words[0])];

		if (rnd() % 4)
			memcpy(buf + i, w, strlen(w));
	}
}

static void fuzz_file(const char *path)
{
	static uint8_t buf[1 << 16];
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		exit(1);
	}

	size_t size = fread(buf, 1, sizeof buf, f);
	uint8_t *copy = malloc(size ? size : 1); /* so that a sanitizer sees its end */

	fclose(f);
	MUST(copy);
	memcpy(copy, buf, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_SECONDS");
	const char *seed = getenv("FUZZ_SEED");
	time_t end = time(NULL) + (seconds ? atol(seconds) : 5);
	unsigned long count = 0;

	for (int i = 1; i < argc; i++)
		fuzz_file(argv[i]);
	if (argc > 1)
		return 0;
	rng = (seed ? strtoull(seed, NULL, 0) : 1) * 0x9e3779b97f4a7c15 | 1;
	while (time(NULL) < end) {
		for (int i = 0; i < 1000; i++, count++) {
			size_t size = rnd() % 96;
			uint8_t *buf = malloc(size ? size : 1);

			MUST(buf);
			make(buf, size);
			LLVMFuzzerTestOneInput(buf, size);
			free(buf);
		}
	}
	printf("1..1\n# %lu inputs, %lu decoded, %lu planned\n", count, decoded, planned);
	printf("ok 1 - decoder and planner hold\n");
	return 0;
}

#endif
