/* SPDX-License-Identifier: MIT */
/* decode.h - lengths and kinds of the few instruction forms that stand around system
 * calls. */
#pragma once
#include "abi/types.h"

enum insn_kind {
	INSN_PLAIN,   /* goes on to the next one, may be copied elsewhere */
	INSN_JCC,     /* conditional jump to end + rel */
	INSN_JMP,     /* jump to end + rel */
	INSN_CALL,    /* call, direct (has_rel) or through r/m */
	INSN_RET,     /* near return */
	INSN_JMP_IND, /* jump through r/m */
	INSN_HALT,    /* hlt: faults in user mode, never goes on */
	INSN_SYSCALL,
};

enum { INSN_MAX = 15 }; /* bytes in the longest legal instruction */

struct insn {
	uint8_t len;
	uint8_t kind;	      /* enum insn_kind */
	uint8_t cond;	      /* JCC: the condition, low four bits of the opcode */
	uint8_t opcode_off;   /* of the opcode byte (behind 0f, for the two-byte ones) */
	bool is_two_byte;     /* the opcode is 0f xx */
	uint8_t rex;	      /* the REX prefix or 0 */
	uint8_t modrm_off;    /* of the ModRM byte, 0 if there is none */
	bool has_rel;	      /* rel is the displacement of a relative branch */
	bool is_rip_relative; /* memory operand at end + the int32 at disp_off */
	uint8_t disp_off;
	int32_t rel;
};

/* Decodes the instruction at code, of which avail bytes may be read. Returns 0, or -1 for
 * anything that is not on the white list or does not end within avail; *out is then
 * untouched. What it accepts is executed alike by every 64-bit CPU. Never sleeps. */
int insn_decode(const uint8_t *code, size_t avail, struct insn *out) MUST_CHECK;
