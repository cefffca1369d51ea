/* SPDX-License-Identifier: MIT */
/* bpf.c - fuzzes classic BPF: whatever the bytes, checking a program reads nothing beyond
 * it, and one that is taken runs to its end within its bounds, and as foreseen. The first
 * 64 bytes are the data, the rest the program. A libFuzzer target; built with
 * -DFUZZ_ALONE it runs on the files named as arguments. */
/* unit: lib/bpf.c */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/bpf.h"

enum { DATA = 64 };

static const uint8_t *packet;

static bool load(const struct bpf_packet *p, const struct bpf_registers *r, uint32_t off,
		 uint32_t size, uint32_t *out)
{
	MUST(size == 1 || size == 2 || size == 4);
	if (off >= (uint32_t)SKF_AD_OFF) {
		*out = r->a ^ r->x;
		return off % 8 == 0;
	}
	if (off >= p->size || size > p->size - off)
		return false;
	*out = 0;
	while (size--)
		*out = *out << 8 | packet[off++];
	return true;
}

static void run(const struct linux_sock_filter *program, size_t count, uint16_t *scratch,
		const uint32_t *words)
{
	struct bpf_packet p = {load, DATA};
	uint32_t changed[DATA / 4];
	uint32_t result;
	uint32_t foreseen;

	if (bpf_check(program, count, BPF_FOR_PACKETS, 0, scratch))
		(void)bpf_run_packet(program, &p);
	if (!bpf_check(program, count, BPF_FOR_CALLS, DATA, scratch))
		return;
	result = bpf_run_words(program, words, DATA);
	if (!bpf_foresee(program, words, 2, &foreseen))
		return;
	MUST(result == foreseen);
	for (int i = 0; i < DATA / 4; i++)
		changed[i] = i < 2 ? words[i] : ~words[i];
	MUST(bpf_run_words(program, changed, DATA) == foreseen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct linux_sock_filter *program;
	uint16_t *scratch;
	uint32_t *words;
	size_t count;

	if (size < DATA + sizeof(*program))
		return 0;
	count = (size - DATA) / sizeof(*program);
	words = malloc(DATA);
	program = malloc(count * sizeof(*program));
	scratch = malloc(count * sizeof(*scratch));
	MUST(words && program && scratch);
	memcpy(words, data, DATA);
	memcpy(program, data + DATA, count * sizeof(*program));
	/* most opcodes are none: more are with the upper half clear */
	if (data[0] & 1)
		for (size_t i = 0; i < count; i++)
			program[i].code &= 0xff;
	packet = data;
	run(program, count, scratch, words);
	free(scratch);
	free(program);
	free(words);
	return 0;
}

#ifdef FUZZ_ALONE

int main(int argc, char **argv)
{
	static uint8_t buf[1 << 16];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");

		MUST(f);
		LLVMFuzzerTestOneInput(buf, fread(buf, 1, sizeof(buf), f));
		fclose(f);
	}
	return 0;
}

#endif
