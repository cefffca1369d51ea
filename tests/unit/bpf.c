/* SPDX-License-Identifier: MIT */
/* bpf.c - classic BPF: programs that are refused, and random ones, which stay within
 * their bounds, end, and compute what a second, plainer machine does. */
/* unit: lib/bpf.c */
#include "lib/bpf.h"
#include "../sys/test.h"
#include "random.h"

enum { DATA = 64, LONGEST = 64 };

static uint16_t scratch[BPF_MAXINSNS];

static bool check(const struct linux_sock_filter *f, size_t n, enum bpf_use use)
{
	/* exactly as long as it says: the sanitizer looks at the ends */
	struct linux_sock_filter *copy = malloc(n * sizeof(*f));
	uint16_t *own = malloc(n * sizeof(*own));
	bool ok;

	memcpy(copy, f, n * sizeof(*f));
	ok = bpf_check(copy, n, use, DATA, own);
	CHECK(memcmp(copy, f, n * sizeof(*f)) == 0);
	free(own);
	free(copy);
	return ok;
}

#define S(code, k)	   ((struct linux_sock_filter){(code), 0, 0, (uint32_t)(k)})
#define J(code, k, jt, jf) ((struct linux_sock_filter){(code), jt, jf, (uint32_t)(k)})
#define RET		   S(BPF_RET | BPF_K, 7)
#define OK(use, ...)                                                                     \
	check((struct linux_sock_filter[]){__VA_ARGS__},                                 \
	      sizeof((struct linux_sock_filter[]){__VA_ARGS__}) /                        \
		      sizeof(struct linux_sock_filter),                                  \
	      use)

static void programs_have_an_end(void)
{
	static struct linux_sock_filter most[BPF_MAXINSNS + 1];

	CHECK(!bpf_check(most, 0, BPF_FOR_PACKETS, DATA, scratch));
	for (int i = 0; i <= BPF_MAXINSNS; i++)
		most[i] = RET;
	CHECK(bpf_check(most, BPF_MAXINSNS, BPF_FOR_PACKETS, DATA, scratch));
	CHECK(!bpf_check(most, BPF_MAXINSNS + 1, BPF_FOR_PACKETS, DATA, scratch));
	CHECK(OK(BPF_FOR_PACKETS, RET));
	CHECK(!OK(BPF_FOR_PACKETS, S(BPF_LD | BPF_IMM, 0)));
	CHECK(!OK(BPF_FOR_PACKETS, S(BPF_JMP | BPF_JA, 0)));
	CHECK(!OK(BPF_FOR_PACKETS, S(BPF_JMP | BPF_JA, 1), RET));
	CHECK(!OK(BPF_FOR_PACKETS, S(BPF_JMP | BPF_JA, UINT32_MAX), RET));
	CHECK(!OK(BPF_FOR_PACKETS, J(BPF_JMP | BPF_JEQ, 0, 1, 0), RET));
	CHECK(!OK(BPF_FOR_PACKETS, J(BPF_JMP | BPF_JEQ, 0, 0, 255), RET));
	/* the longest jumps there are */
	for (int i = 0; i < BPF_MAXINSNS; i++)
		most[i] = J(BPF_JMP | BPF_JEQ, 0, 255, 255);
	CHECK(!bpf_check(most, BPF_MAXINSNS, BPF_FOR_PACKETS, DATA, scratch));
	most[0] = S(BPF_JMP | BPF_JA, BPF_MAXINSNS - 2);
	for (int i = BPF_MAXINSNS - 256; i < BPF_MAXINSNS; i++)
		most[i] = RET;
	CHECK(bpf_check(most, BPF_MAXINSNS, BPF_FOR_PACKETS, DATA, scratch));
	CHECK(bpf_run_words(most, NULL, 0) == 7);
}

static void opcodes_depend_on_the_use(void)
{
	int packets = 0;
	int calls = 0;

	for (unsigned code = 0; code < 0x10000; code++) {
		struct linux_sock_filter f[] = {
			S(BPF_ST, 4), {(uint16_t)code, 0, 0, 4}, RET, RET, RET, RET, RET};
		bool for_packets = check(f, 7, BPF_FOR_PACKETS);
		bool for_calls = check(f, 7, BPF_FOR_CALLS);

		CHECK(for_packets || !for_calls);
		packets += for_packets;
		calls += for_calls;
	}
	CHECK(packets == 49 && calls == 41);
	CHECK(OK(BPF_FOR_PACKETS, S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF), RET));
	CHECK(OK(BPF_FOR_PACKETS, S(BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + 60), RET));
	CHECK(!OK(BPF_FOR_PACKETS, S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + 61), RET));
	CHECK(!OK(BPF_FOR_PACKETS, S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + 64), RET));
	CHECK(OK(BPF_FOR_PACKETS, S(BPF_LD | BPF_W | BPF_ABS, SKF_NET_OFF), RET));
	CHECK(OK(BPF_FOR_CALLS, S(BPF_LD | BPF_W | BPF_ABS, 60), RET));
	CHECK(!OK(BPF_FOR_CALLS, S(BPF_LD | BPF_W | BPF_ABS, 61), RET));
	CHECK(!OK(BPF_FOR_CALLS, S(BPF_LD | BPF_W | BPF_ABS, 64), RET));
	CHECK(!OK(BPF_FOR_CALLS, S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF), RET));
}

static void scratch_words_are_written_first(void)
{
	CHECK(!OK(BPF_FOR_CALLS, S(BPF_LD | BPF_MEM, 0), RET));
	CHECK(OK(BPF_FOR_CALLS, S(BPF_ST, 0), S(BPF_LD | BPF_MEM, 0), RET));
	CHECK(!OK(BPF_FOR_CALLS, S(BPF_ST, 16), RET));
	CHECK(!OK(BPF_FOR_CALLS, J(BPF_JMP | BPF_JEQ, 0, 0, 1), S(BPF_ST, 3),
		  S(BPF_LD | BPF_MEM, 3), RET));
	CHECK(OK(BPF_FOR_CALLS, J(BPF_JMP | BPF_JEQ, 0, 0, 2), S(BPF_ST, 3),
		 S(BPF_JMP | BPF_JA, 1), S(BPF_STX, 3), S(BPF_LD | BPF_MEM, 3), RET));
}

/* ---- random programs ---- */

static const uint16_t codes[] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c,
	0x1d, 0x20, 0x24, 0x25, 0x28, 0x2c, 0x2d, 0x30, 0x34, 0x35, 0x3c, 0x3d, 0x40,
	0x44, 0x45, 0x48, 0x4c, 0x4d, 0x50, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74,
	0x7c, 0x80, 0x81, 0x84, 0x87, 0x94, 0x9c, 0xa4, 0xac, 0xb1,
};

static uint32_t operand(void)
{
	switch (random_below(6)) {
	case 0:
		return (uint32_t)random_u64();
	case 1:
		return random_below(2) ? 0 : UINT32_MAX;
	case 2:
		return (uint32_t)SKF_AD_OFF + 4 * (uint32_t)random_below(20);
	default:
		return (uint32_t)random_below(20) * (random_below(2) ? 4 : 1);
	}
}

static size_t make(struct linux_sock_filter *f)
{
	size_t n = 1 + random_below(LONGEST - 1);

	for (size_t i = 0; i + 1 < n; i++)
		f[i] = (struct linux_sock_filter){
			codes[random_below(sizeof(codes) / sizeof(codes[0]))],
			(uint8_t)random_below(5), (uint8_t)random_below(5), operand()};
	f[n - 1] = S(random_below(2) ? BPF_RET | BPF_K : BPF_RET | BPF_A, operand());
	return n;
}

static uint8_t packet[DATA];

static bool load(const struct bpf_packet *p, const struct bpf_registers *r, uint32_t off,
		 uint32_t size, uint32_t *out)
{
	if (off == (uint32_t)SKF_AD_OFF + SKF_AD_ALU_XOR_X) {
		*out = r->a ^ r->x;
		return true;
	}
	if (off >= p->size || size > p->size - off)
		return false;
	*out = 0;
	while (size--)
		*out = *out << 8 | packet[off++];
	return true;
}

/* The plain machine: as the manual says, with 64-bit numbers cut after each step. */
static uint32_t reference(const struct linux_sock_filter *f, size_t n, bool is_packet)
{
	uint64_t a = 0, x = 0, mem[16] = {0};

	for (size_t pc = 0; pc < n; pc++) {
		uint64_t k = f[pc].k;
		uint64_t v = f[pc].code & 8 ? x : k;
		int op = f[pc].code & 0xf0;
		struct bpf_packet p = {load, DATA};
		struct bpf_registers r = {(uint32_t)a, (uint32_t)x};
		uint32_t got;

		switch (f[pc].code & 7) {
		case BPF_LD:
		case BPF_LDX: {
			int mode = f[pc].code & 0xe0;
			int size = (f[pc].code & 0x18) == 0   ? 4
				   : (f[pc].code & 0x18) == 8 ? 2
							      : 1;

			if (mode == BPF_IMM) {
				got = (uint32_t)k;
			} else if (mode == BPF_LEN) {
				got = DATA;
			} else if (mode == BPF_MEM) {
				got = (uint32_t)mem[k];
			} else if (!is_packet) {
				memcpy(&got, packet + k, 4);
			} else if (!load(&p, &r, (uint32_t)(mode == BPF_IND ? x + k : k),
					 (uint32_t)size, &got)) {
				return 0;
			}
			if (mode == BPF_MSH)
				got = (got & 15) << 2;
			*((f[pc].code & 7) == BPF_LD ? &a : &x) = got;
			break;
		}
		case BPF_ST:
			mem[k] = a;
			break;
		case BPF_STX:
			mem[k] = x;
			break;
		case BPF_ALU:
			if (op == BPF_ADD)
				a += v;
			else if (op == BPF_SUB)
				a -= v;
			else if (op == BPF_MUL)
				a *= v;
			else if ((op == BPF_DIV || op == BPF_MOD) && !v)
				return 0;
			else if (op == BPF_DIV)
				a /= v;
			else if (op == BPF_MOD)
				a %= v;
			else if (op == BPF_AND)
				a &= v;
			else if (op == BPF_OR)
				a |= v;
			else if (op == BPF_XOR)
				a ^= v;
			else if (op == BPF_LSH)
				a <<= v % 32;
			else if (op == BPF_RSH)
				a >>= v % 32;
			else
				a = ~a + 1;
			a &= UINT32_MAX;
			break;
		case BPF_JMP: {
			bool is = op == BPF_JEQ	  ? a == v
				  : op == BPF_JGT ? a > v
				  : op == BPF_JGE ? a >= v
						  : (a & v) != 0;

			pc += op == BPF_JA ? k : is ? f[pc].jt : f[pc].jf;
			break;
		}
		case BPF_RET:
			return (uint32_t)(f[pc].code & BPF_A ? a : k);
		default:
			if (f[pc].code == (BPF_MISC | BPF_TXA))
				a = x;
			else
				x = a;
		}
	}
	abort();
}

static void random_programs_run(void)
{
	struct bpf_packet p = {load, DATA};
	struct linux_sock_filter f[LONGEST];
	int taken = 0, foreseen = 0;

	for (int i = 0; i < 400000; i++) {
		size_t n = make(f);
		uint32_t known[2];
		uint32_t result;

		for (int j = 0; j < DATA; j++)
			packet[j] = (uint8_t)random_below(4) * (uint8_t)random_below(256);
		if (check(f, n, BPF_FOR_PACKETS))
			CHECK(bpf_run_packet(f, &p) == reference(f, n, true));
		if (!check(f, n, BPF_FOR_CALLS))
			continue;
		taken++;
		result = bpf_run_words(f, (const uint32_t *)(const void *)packet, DATA);
		CHECK(result == reference(f, n, false));
		memcpy(known, packet, sizeof(known));
		uint32_t expected;

		if (!bpf_foresee(f, known, 2, &expected))
			continue;
		foreseen++;
		CHECK(expected == result);
		/* whatever the rest is */
		for (int j = 8; j < DATA; j++)
			packet[j] = (uint8_t)random_u64();
		CHECK(bpf_run_words(f, (const uint32_t *)(const void *)packet, DATA) ==
		      expected);
	}
	CHECK(taken > 1000 && foreseen > 100);
}

RUN(TEST(programs_have_an_end), TEST(opcodes_depend_on_the_use),
    TEST(scratch_words_are_written_first), TEST(random_programs_run))
