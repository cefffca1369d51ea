/* SPDX-License-Identifier: MIT */
/*
 * decode.c - the white list of instructions that the patcher may move.
 *
 * This is not a disassembler. It knows the integer instructions that compilers put before
 * and behind a system call, in 64-bit mode, and refuses everything else: an instruction
 * it refuses costs a slow system call, one it gets wrong destroys the program. It
 * therefore refuses whatever has no use there even when its length would be clear:
 *
 *   - every prefix but REX, 66 where it merely halves the operand, 64 (%fs:) on a memory
 *     operand, and the fixed forms endbr64, pause, "rep ret" and padding nops;
 *   - LOCK, VEX, EVEX, XOP, REX2, x87, and all vector instructions but those that gather
 *     two pointers and store them;
 *   - far, privileged and 64-bit-invalid instructions (hlt alone is known, as an end);
 *   - undocumented aliases (shift /6, test /1), and 66 with branches and stack
 * operations, where AMD and Intel disagree.
 *
 * tests/unit/decode.c holds it against Zydis, tests/fuzz/decode.c against itself.
 */
#include "arch/x86_64/decode.h"

enum form {
	F_OK = 1 << 0, /* on the list */
	F_MODRM = 1 << 1,
	F_IMM8 = 1 << 2,
	F_IMMZ = 1 << 3,  /* 4 bytes, 2 with prefix 66 */
	F_IMMV = 1 << 4,  /* as IMMZ, 8 with REX.W */
	F_NO66 = 1 << 5,  /* prefix 66 is refused */
	F_NOREX = 1 << 6, /* REX is refused */
	F_MEM = 1 << 7,	  /* the ModRM operand must be memory */
	F_GROUP = 1 << 8, /* ModRM.reg selects: see group_form() */
	F_REL8 = 1 << 9,
	F_REL32 = 1 << 10,
	F_ONLY66 = 1 << 11, /* prefix 66 is part of the opcode */
};

enum { REX_W = 8 };

/* What has been read of one instruction so far. */
struct cursor {
	const uint8_t *code;
	size_t avail; /* never more than INSN_MAX */
	size_t pos;
	unsigned opsize_count; /* prefixes 66 */
	bool has_cs;
	bool has_fs;
	bool has_rep;
};

static unsigned arith_form(uint8_t op)
{
	switch (op & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		return F_OK | F_MODRM;
	case 4:
		return F_OK | F_IMM8;
	case 5:
		return F_OK | F_IMMZ;
	default:
		return 0;
	}
}

static unsigned one_byte_form(uint8_t op)
{
	if (op < 0x40)
		return arith_form(op);
	switch (op) {
	case 0x50 ... 0x5f: /* push, pop */
		return F_OK | F_NO66;
	case 0x63: /* movslq */
		return F_OK | F_MODRM | F_NO66;
	case 0x68:
		return F_OK | F_IMMZ | F_NO66;
	case 0x69:
		return F_OK | F_MODRM | F_IMMZ;
	case 0x6a:
		return F_OK | F_IMM8 | F_NO66;
	case 0x6b:
		return F_OK | F_MODRM | F_IMM8;
	case 0x70 ... 0x7f: /* jcc */
	case 0xeb:
		return F_OK | F_REL8 | F_NO66 | F_NOREX;
	case 0x80:
	case 0x83:
		return F_OK | F_MODRM | F_IMM8;
	case 0x81:
		return F_OK | F_MODRM | F_IMMZ;
	case 0x84 ... 0x8b: /* test, xchg, mov */
		return F_OK | F_MODRM;
	case 0x8d: /* lea */
		return F_OK | F_MODRM | F_MEM;
	case 0x90 ... 0x99: /* nop, xchg, cltq, cqto */
		return F_OK;
	case 0xa8:
		return F_OK | F_IMM8;
	case 0xa9:
		return F_OK | F_IMMZ;
	case 0xb0 ... 0xb7:
		return F_OK | F_IMM8;
	case 0xb8 ... 0xbf:
		return F_OK | F_IMMV;
	case 0xc0:
	case 0xc1:
		return F_OK | F_MODRM | F_IMM8 | F_GROUP;
	case 0xd0 ... 0xd3:
	case 0xf6:
	case 0xf7:
	case 0xfe:
	case 0xff:
		return F_OK | F_MODRM | F_GROUP;
	case 0xc6:
		return F_OK | F_MODRM | F_IMM8 | F_GROUP;
	case 0xc7:
		return F_OK | F_MODRM | F_IMMZ | F_GROUP;
	case 0xc3: /* ret */
	case 0xc9: /* leave */
	case 0xf4: /* hlt */
		return F_OK | F_NO66 | F_NOREX;
	case 0xe8:
	case 0xe9:
		return F_OK | F_REL32 | F_NO66 | F_NOREX;
	default:
		return 0;
	}
}

static unsigned two_byte_form(uint8_t op)
{
	switch (op) {
	case 0x05: /* syscall */
		return F_OK | F_NO66 | F_NOREX;
	case 0x10: /* movups */
	case 0x11:
	case 0x28: /* movaps */
	case 0x29:
		return F_OK | F_MODRM | F_NO66;
	case 0x6c: /* punpcklqdq */
	case 0x6e: /* movd, movq */
		return F_OK | F_MODRM | F_ONLY66;
	case 0x1f: /* nop */
		return F_OK | F_MODRM | F_GROUP;
	case 0x40 ... 0x4f: /* cmov */
	case 0xa3:	    /* bt */
	case 0xaf:	    /* imul */
	case 0xb6:	    /* movzx, movsx */
	case 0xb7:
	case 0xbe:
	case 0xbf:
		return F_OK | F_MODRM;
	case 0x80 ... 0x8f: /* jcc */
		return F_OK | F_REL32 | F_NO66 | F_NOREX;
	case 0x90 ... 0x9f: /* setcc */
		return F_OK | F_MODRM | F_GROUP;
	case 0xba: /* bt, bts, btr, btc */
		return F_OK | F_MODRM | F_IMM8 | F_GROUP;
	case 0xc8 ... 0xcf: /* bswap */
		return F_OK | F_NO66;
	default:
		return 0;
	}
}

/* The form of an opcode whose meaning depends on ModRM.reg. */
static unsigned group_form(bool is_two_byte, uint8_t op, unsigned reg, unsigned form)
{
	if (is_two_byte) {
		if (op == 0xba)
			return reg >= 4 ? form : 0;
		return reg == 0 ? form : 0; /* nop, setcc */
	}
	switch (op) {
	case 0xc6: /* mov; /7 is xabort */
	case 0xc7:
		return reg == 0 ? form : 0;
	case 0xf6: /* test, -, not, neg, mul, imul, div, idiv */
	case 0xf7:
		if (reg == 0)
			return form | (op == 0xf6 ? F_IMM8 : F_IMMZ);
		return reg == 1 ? 0 : form;
	case 0xfe: /* inc, dec */
		return reg <= 1 ? form : 0;
	case 0xff: /* inc, dec, call, far call, jmp, far jmp, push */
		if (reg == 3 || reg == 5 || reg == 7)
			return 0;
		return reg <= 1 ? form : form | F_NO66;
	default: /* shifts; /6 is an alias of shl that no assembler makes */
		return reg == 6 ? 0 : form;
	}
}

static bool take(struct cursor *c, size_t count)
{
	if (c->avail - c->pos < count)
		return false;
	c->pos += count;
	return true;
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* Reads legacy prefixes and REX. Which of them go with the opcode is settled later. */
static bool read_prefixes(struct cursor *c, struct insn *in)
{
	for (; c->pos < c->avail; c->pos++) {
		uint8_t b = c->code[c->pos];

		if (b == 0x66)
			c->opsize_count++;
		else if (b == 0x64 && !c->has_fs && !c->has_cs)
			c->has_fs = true;
		else if (b == 0x2e && !c->has_cs && !c->has_fs)
			c->has_cs = true;
		else if (b == 0xf3 && !c->has_rep)
			c->has_rep = true;
		else
			break;
	}
	if (c->pos < c->avail && (c->code[c->pos] & 0xf0) == 0x40)
		in->rex = c->code[c->pos++];
	return c->pos < c->avail;
}

/* Reads ModRM, SIB and displacement. */
static bool read_operand(struct cursor *c, struct insn *in)
{
	in->modrm_off = (uint8_t)c->pos;
	if (!take(c, 1))
		return false;

	unsigned mod = c->code[in->modrm_off] >> 6;
	unsigned rm = c->code[in->modrm_off] & 7;
	size_t disp_size = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (mod == 3)
		return true;
	if (rm == 4) {
		if (!take(c, 1))
			return false;
		if (mod == 0 && (c->code[c->pos - 1] & 7) == 5)
			disp_size = 4; /* no base */
	} else if (mod == 0 && rm == 5) {
		in->is_rip_relative = true;
		in->disp_off = (uint8_t)c->pos;
		disp_size = 4;
	}
	return take(c, disp_size);
}

/* The forms that are accepted with prefixes which are otherwise refused. */
static bool prefixes_fit(const struct cursor *c, const struct insn *in, unsigned form)
{
	uint8_t op = c->code[in->opcode_off];
	bool is_nop = in->is_two_byte && op == 0x1f;

	if (c->has_cs && !is_nop)
		return false;
	if (c->opsize_count > 1 && !is_nop)
		return false;
	if (c->has_fs) {
		if (!in->modrm_off || c->code[in->modrm_off] >= 0xc0 || op == 0x8d)
			return false;
	}
	if (c->has_rep) { /* pause, rep ret */
		if (in->is_two_byte || in->rex || c->opsize_count)
			return false;
		if (op != 0x90 && op != 0xc3)
			return false;
	}
	if (c->opsize_count && (form & F_NO66))
		return false;
	if (!c->opsize_count && (form & F_ONLY66))
		return false;
	return !in->rex || !(form & F_NOREX);
}

static bool read_immediate(struct cursor *c, struct insn *in, unsigned form)
{
	bool is_wide = in->rex & REX_W;
	size_t z = c->opsize_count && !is_wide ? 2 : 4;

	if ((form & F_IMM8) && !take(c, 1))
		return false;
	if ((form & F_IMMZ) && !take(c, z))
		return false;
	if ((form & F_IMMV) && !take(c, is_wide ? 8 : z))
		return false;
	if (form & (F_REL8 | F_REL32)) {
		in->has_rel = true;
		if (!take(c, form & F_REL8 ? 1 : 4))
			return false;
		in->rel = form & F_REL8 ? (int8_t)c->code[c->pos - 1]
					: (int32_t)load32(c->code + c->pos - 4);
	}
	return true;
}

static void classify(const struct cursor *c, struct insn *in)
{
	uint8_t op = c->code[in->opcode_off];

	in->kind = INSN_PLAIN;
	if (in->is_two_byte) {
		if (op == 0x05)
			in->kind = INSN_SYSCALL;
		else if ((op & 0xf0) == 0x80)
			in->kind = INSN_JCC;
	} else if ((op & 0xf0) == 0x70) {
		in->kind = INSN_JCC;
	} else if (op == 0xe9 || op == 0xeb) {
		in->kind = INSN_JMP;
	} else if (op == 0xe8) {
		in->kind = INSN_CALL;
	} else if (op == 0xc3) {
		in->kind = INSN_RET;
	} else if (op == 0xf4) {
		in->kind = INSN_HALT;
	} else if (op == 0xff) {
		unsigned reg = c->code[in->modrm_off] >> 3 & 7;

		if (reg == 2)
			in->kind = INSN_CALL;
		else if (reg == 4)
			in->kind = INSN_JMP_IND;
	}
	if (in->kind == INSN_JCC)
		in->cond = op & 15;
}

static bool is_endbr64(const uint8_t *code, size_t avail)
{
	return avail >= 4 && load32(code) == 0xfa1e0ff3;
}

int insn_decode(const uint8_t *code, size_t avail, struct insn *out)
{
	struct cursor c = {.code = code, .avail = MIN(avail, (size_t)INSN_MAX)};
	struct insn in = {0};
	unsigned form;

	if (is_endbr64(code, avail)) {
		in.len = 4;
		in.opcode_off = 2;
		in.modrm_off = 3;
		in.is_two_byte = true;
		*out = in;
		return 0;
	}
	if (!read_prefixes(&c, &in))
		return -1;
	in.is_two_byte = code[c.pos] == 0x0f;
	if (in.is_two_byte && !take(&c, 1))
		return -1;
	if (c.pos == c.avail)
		return -1;
	in.opcode_off = (uint8_t)c.pos;

	uint8_t op = code[c.pos++];

	form = in.is_two_byte ? two_byte_form(op) : one_byte_form(op);
	if (!form)
		return -1;
	if ((form & F_MODRM) && !read_operand(&c, &in))
		return -1;
	if ((form & F_MEM) && code[in.modrm_off] >= 0xc0)
		return -1;
	if (form & F_GROUP)
		form = group_form(in.is_two_byte, op, code[in.modrm_off] >> 3 & 7, form);
	if (!form || !prefixes_fit(&c, &in, form) || !read_immediate(&c, &in, form))
		return -1;
	classify(&c, &in);
	in.len = (uint8_t)c.pos;
	*out = in;
	return 0;
}
