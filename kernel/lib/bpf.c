/* SPDX-License-Identifier: MIT */
/* bpf.c - see bpf.h.
 *
 * Both registers and the scratch words are 0 at the start; that a scratch word is read
 * before it was written is refused all the same, as by Linux. Dividing by a register that
 * is 0 ends the program with 0; a shift takes its count modulo 32. */
#include "lib/bpf.h"

#define CLASS(code) ((code)&0x7)
#define OP(code)    ((code)&0xf0)
#define SIZE(code)  ((code)&0x18)
#define MODE(code)  ((code)&0xe0)

#define LIMIT 0x100 /* above all opcodes */

/* ---- what may be run ---- */

static const bool is_opcode[LIMIT] = {
#define BOTH(code) [(code) | BPF_K] = true, [(code) | BPF_X] = true
	BOTH(BPF_ALU | BPF_ADD),
	BOTH(BPF_ALU | BPF_SUB),
	BOTH(BPF_ALU | BPF_MUL),
	BOTH(BPF_ALU | BPF_DIV),
	BOTH(BPF_ALU | BPF_MOD),
	BOTH(BPF_ALU | BPF_AND),
	BOTH(BPF_ALU | BPF_OR),
	BOTH(BPF_ALU | BPF_XOR),
	BOTH(BPF_ALU | BPF_LSH),
	BOTH(BPF_ALU | BPF_RSH),
	[BPF_ALU | BPF_NEG] = true,
	[BPF_LD | BPF_W | BPF_ABS] = true,
	[BPF_LD | BPF_H | BPF_ABS] = true,
	[BPF_LD | BPF_B | BPF_ABS] = true,
	[BPF_LD | BPF_W | BPF_IND] = true,
	[BPF_LD | BPF_H | BPF_IND] = true,
	[BPF_LD | BPF_B | BPF_IND] = true,
	[BPF_LD | BPF_W | BPF_LEN] = true,
	[BPF_LD | BPF_IMM] = true,
	[BPF_LD | BPF_MEM] = true,
	[BPF_LDX | BPF_W | BPF_LEN] = true,
	[BPF_LDX | BPF_B | BPF_MSH] = true,
	[BPF_LDX | BPF_IMM] = true,
	[BPF_LDX | BPF_MEM] = true,
	[BPF_ST] = true,
	[BPF_STX] = true,
	[BPF_MISC | BPF_TAX] = true,
	[BPF_MISC | BPF_TXA] = true,
	[BPF_RET | BPF_K] = true,
	[BPF_RET | BPF_A] = true,
	[BPF_JMP | BPF_JA] = true,
	BOTH(BPF_JMP | BPF_JEQ),
	BOTH(BPF_JMP | BPF_JGT),
	BOTH(BPF_JMP | BPF_JGE),
	BOTH(BPF_JMP | BPF_JSET),
#undef BOTH
};

static bool is_branch(uint16_t code)
{
	return CLASS(code) == BPF_JMP && code != (BPF_JMP | BPF_JA);
}

static bool is_load_of_mem(uint16_t code)
{
	return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM);
}

/* SKF_AD_OFF + k, one of those that exist. */
static bool is_ancillary(uint32_t k)
{
	uint32_t what = k - (uint32_t)SKF_AD_OFF;

	return what <= SKF_AD_VLAN_TPID && what % 4 == 0;
}

/* One instruction by itself, with left instructions behind it. */
static bool check_operands(const struct linux_sock_filter *f, size_t left)
{
	switch (f->code) {
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K:
		return f->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return f->k < 32;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_JMP | BPF_JA:
		return f->k < left;
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
		return f->k < (uint32_t)SKF_AD_OFF || is_ancillary(f->k);
	default:
		return !is_branch(f->code) || (f->jt < left && f->jf < left);
	}
}

/* What a program over a call's data may not use of the rest. */
static bool check_for_calls(const struct linux_sock_filter *f, uint32_t data_size)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < data_size && f->k % 4 == 0;
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_ALU | BPF_MOD | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_X:
		return false;
	default:
		return true;
	}
}

/* Whether each scratch word is written on all ways to where it is read. written[i]: the
 * words that have been on all ways to instruction i so far seen, all of which come from
 * before it. */
static bool check_scratch(const struct linux_sock_filter *program, size_t count,
			  uint16_t *written)
{
	uint16_t now = 0;

	for (size_t i = 0; i < count; i++)
		written[i] = UINT16_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct linux_sock_filter *f = &program[i];

		now &= written[i];
		if (is_load_of_mem(f->code) && !(now >> f->k & 1))
			return false;
		if (f->code == BPF_ST || f->code == BPF_STX)
			now |= (uint16_t)(1U << f->k);
		if (CLASS(f->code) != BPF_JMP)
			continue;
		if (f->code == (BPF_JMP | BPF_JA)) {
			written[i + 1 + f->k] &= now;
		} else {
			written[i + 1 + f->jt] &= now;
			written[i + 1 + f->jf] &= now;
		}
		now = UINT16_MAX; /* nobody comes to the next but by jumps */
	}
	return true;
}

bool bpf_check(const struct linux_sock_filter *program, size_t count, enum bpf_use use,
	       uint32_t data_size, uint16_t *scratch)
{
	uint16_t last;

	if (count == 0 || count > BPF_MAXINSNS)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct linux_sock_filter *f = &program[i];

		if (f->code >= LIMIT || !is_opcode[f->code] ||
		    !check_operands(f, count - i - 1))
			return false;
		if (use == BPF_FOR_CALLS && !check_for_calls(f, data_size))
			return false;
	}
	last = program[count - 1].code;
	return CLASS(last) == BPF_RET && check_scratch(program, count, scratch);
}

/* ---- running ---- */

/* False: a division by 0. */
static inline bool compute(uint16_t code, uint32_t *a, uint32_t v)
{
	switch (OP(code)) {
	case BPF_ADD:
		*a += v;
		break;
	case BPF_SUB:
		*a -= v;
		break;
	case BPF_MUL:
		*a *= v;
		break;
	case BPF_DIV:
	case BPF_MOD:
		if (!v)
			return false;
		*a = OP(code) == BPF_DIV ? *a / v : *a % v;
		break;
	case BPF_AND:
		*a &= v;
		break;
	case BPF_OR:
		*a |= v;
		break;
	case BPF_XOR:
		*a ^= v;
		break;
	case BPF_LSH:
		*a <<= v & 31;
		break;
	case BPF_RSH:
		*a >>= v & 31;
		break;
	default: /* BPF_NEG */
		*a = -*a;
		break;
	}
	return true;
}

static inline bool compare(uint16_t code, uint32_t a, uint32_t v)
{
	switch (OP(code)) {
	case BPF_JEQ:
		return a == v;
	case BPF_JGT:
		return a > v;
	case BPF_JGE:
		return a >= v;
	default: /* BPF_JSET */
		return a & v;
	}
}

/* A program in the middle of its run. Its data are words or a packet. */
struct machine {
	struct bpf_registers r;
	uint32_t mem[BPF_MEMWORDS];
	const uint32_t *words;
	const struct bpf_packet *packet;
	uint32_t size;
};

/* A load of the packet's own. */
static bool load_packet(struct machine *m, const struct linux_sock_filter *f)
{
	static const uint8_t sizes[] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1};
	uint32_t off = MODE(f->code) == BPF_IND ? m->r.x + f->k : f->k;
	uint32_t out;

	if (!m->packet->load(m->packet, &m->r, off, sizes[SIZE(f->code) >> 3], &out))
		return false;
	if (MODE(f->code) == BPF_MSH)
		m->r.x = (out & 0xf) * 4;
	else
		m->r.a = out;
	return true;
}

/* False: there is nothing to load. */
static inline bool load(struct machine *m, const struct linux_sock_filter *f)
{
	uint32_t *to = CLASS(f->code) == BPF_LD ? &m->r.a : &m->r.x;

	switch (MODE(f->code)) {
	case BPF_IMM:
		*to = f->k;
		return true;
	case BPF_LEN:
		*to = m->size;
		return true;
	case BPF_MEM:
		*to = m->mem[f->k];
		return true;
	default:
		if (m->packet)
			return load_packet(m, f);
		m->r.a = m->words[f->k / 4];
		return true;
	}
}

static inline uint32_t run(const struct linux_sock_filter *f, struct machine *m)
{
	for (;; f++) {
		uint32_t v = f->code & BPF_X ? m->r.x : f->k;

		switch (CLASS(f->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!load(m, f))
				return 0;
			break;
		case BPF_ST:
			m->mem[f->k] = m->r.a;
			break;
		case BPF_STX:
			m->mem[f->k] = m->r.x;
			break;
		case BPF_ALU:
			if (!compute(f->code, &m->r.a, v))
				return 0;
			break;
		case BPF_JMP:
			if (OP(f->code) == BPF_JA)
				f += f->k;
			else
				f += compare(f->code, m->r.a, v) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return f->code & BPF_A ? m->r.a : f->k;
		default:
			if (f->code == (BPF_MISC | BPF_TAX))
				m->r.x = m->r.a;
			else
				m->r.a = m->r.x;
			break;
		}
	}
}

uint32_t bpf_run_words(const struct linux_sock_filter *program, const uint32_t *data,
		       uint32_t data_size)
{
	struct machine m; /* mem: bpf_check() sees to it that it is written first */

	m.r = (struct bpf_registers){0, 0};
	m.words = data;
	m.packet = NULL;
	m.size = data_size;
	return run(program, &m);
}

uint32_t bpf_run_packet(const struct linux_sock_filter *program,
			const struct bpf_packet *packet)
{
	struct machine m;

	m.r = (struct bpf_registers){0, 0};
	m.words = NULL;
	m.packet = packet;
	m.size = packet->size;
	return run(program, &m);
}

bool bpf_foresee(const struct linux_sock_filter *f, const uint32_t *known,
		 uint32_t known_words, uint32_t *result)
{
	uint32_t a = 0;

	for (;; f++) {
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (f->k / 4 >= known_words)
				return false;
			a = known[f->k / 4];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			f += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			f += compare(f->code, a, f->k) ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			*result = f->k;
			return true;
		default:
			return false;
		}
	}
}
