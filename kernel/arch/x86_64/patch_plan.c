/* SPDX-License-Identifier: MIT */
/*
 * patch_plan.c - turns one `syscall` instruction into a jump to a trampoline.
 *
 * Kind A. `mov $nr,%eax; [up to five plain instructions;] syscall` becomes
 *
 *	site:  jmp tramp; [the plain instructions, untouched;] syscall
 *	tramp: mov $nr,%eax; [copies;] lea site+2(%rip),%rcx; jmp *entry
 *
 * Only the mov changes, and it is one instruction, so nobody can be about to execute its
 * middle. Whoever jumps to anything behind it finds the old code and traps as before.
 *
 * Most often the mov is the instruction right before the syscall, and then nothing is
 * decoded: x86 code cannot be decoded backwards, and need not be. The site trapped with
 * %eax = nr, and the four bytes of this very number (high bytes zero) behind a b8 stand
 * where a compiler puts them; that this is chance or the tail of a longer instruction
 *takes an instruction with the nr as its immediate or displacement *and* b8 as its last
 *byte but that. Those are enumerated and refused: every start before the mov from which
 *the decoder finds one instruction that spans it (41 b8 mov $nr,%r8d; c7 45 b8 movl
 *$nr,-72(%rbp); ...). An operand disp32(%rax) would have faulted, because %rax is nr, and
 *is let pass: a mov 8(%rdi),%rsi before the mov ends in a byte that looks like its
 *opcode. A byte 66 before the mov is refused, since CPUs disagree on `66 e9`.
 *
 * Kind B. `syscall; i1; [i2; i3;]` (at least five bytes in all) becomes
 *
 *	site:  jmp tramp; filler
 *	tramp: lea ret(%rip),%rcx; jmp *entry; .long site+2-ret; ret: i1; i2; i3; jmp back
 *
 * Somebody may jump to i1, i2, i3, or be blocked in the kernel with i1 as its return
 * address. Each starts at site + 2, 3 or 4, inside the rel32 of the jump; the
 *trampoline's address is chosen so that the byte there is an opcode that 64-bit mode does
 *not have. It raises SIGILL, and the handler goes on at the copy. Only opcodes without
 *operands serve: one with operands can fault on fetching them from the next page instead.
 *
 * Behind an instruction that never goes on (ret, jmp) the next is reached by jumps alone,
 *so that each time would cost a signal. Displaced there are only padding, which nobody
 * executes, and a lone jump (the cancellation exit behind musl's cancellable syscall).
 *
 * Not patched: rt_sigreturn, whose code unwinders recognise by its bytes.
 */
#include "arch/x86_64/patch_plan.h"

#include "arch/x86_64/decode.h"

enum {
	NR_MAX = 1023,
	NR_RT_SIGRETURN = 15,
	SYSCALL_LEN = 2,
	JMP_LEN = 5,
	FILLER = 0x06,	/* an invalid opcode */
	MOV32_LEN = 5,	/* b8 imm32 */
	MOV64_LEN = 7,	/* 48 c7 c0 imm32 */
	ENTER_LEN = 13, /* lea, jmp through the pointer */
	RET_OFF = ENTER_LEN + 4,
	FUNCTION_ALIGN = 16,
	BETWEEN_MAX = 5, /* plain instructions between mov and syscall */
	BETWEEN_BYTES = 40,
	SLOT_TRIES = 16, /* free slots out of reach of something, before giving up */
};

_Static_assert(PATCH_BEFORE >= BETWEEN_BYTES + MOV64_LEN + INSN_MAX, "window");
_Static_assert(PATCH_MAP_MAX >= BETWEEN_MAX + 4, "mov, copies, lea, jmp");
/* B: three copies at most, the last ends below 4 + INSN_MAX; jcc grows by four. */
_Static_assert(PATCH_SITE_MAX >= 4 + INSN_MAX, "site");
_Static_assert(PATCH_TRAMP_MAX >= RET_OFF + 4 + INSN_MAX + 3 * 4 + JMP_LEN, "tramp B");
_Static_assert(PATCH_TRAMP_MAX >= MOV32_LEN + BETWEEN_BYTES + ENTER_LEN, "tramp A");

/* Opcodes without operands that raise #UD in 64-bit mode. (d6 is Intel's UDB; 62 and d5
 * are the EVEX and REX2 prefixes.) */
bool patch_is_marker(uint8_t b)
{
	switch (b) {
	case 0x06:
	case 0x07:
	case 0x0e:
	case 0x16:
	case 0x17:
	case 0x1e:
	case 0x1f:
	case 0x27:
	case 0x2f:
	case 0x37:
	case 0x3f:
	case 0x60:
	case 0x61:
	case 0xce:
	case 0xd6:
		return true;
	default:
		return false;
	}
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static bool fits32(int64_t v)
{
	return v >= INT32_MIN && v <= INT32_MAX;
}

/* ---- kind A ---- */

/* The length of the mov of nr at code[pos], or 0 if there is none. */
static uint32_t mov_len(const struct patch_request *req, uint32_t pos)
{
	const uint8_t *p = req->code + pos;
	uint32_t room = req->before - pos;

	if (room >= MOV64_LEN && p[0] == 0x48 && p[1] == 0xc7 && p[2] == 0xc0 &&
	    load32(p + 3) == req->nr)
		return MOV64_LEN;
	if (room >= MOV32_LEN && p[0] == 0xb8 && load32(p + 1) == req->nr)
		return MOV32_LEN;
	return 0;
}

/* Whether an instruction that began before the mov at code[pos] could own its bytes. */
static bool mov_is_doubtful(const struct patch_request *req, uint32_t pos, uint32_t len)
{
	uint32_t first = pos > INSN_MAX - 1 ? pos - (INSN_MAX - 1) : 0;
	struct insn in;

	if (pos > 0 && req->code[pos - 1] == 0x66)
		return true;
	for (uint32_t s = first; s < pos; s++) {
		if (insn_decode(req->code + s, req->before - s, &in) < 0)
			continue;
		if (s + in.len < pos + len)
			continue;
		bool is_rax_operand = req->code[s] != 0x64 && in.modrm_off &&
				      s + in.modrm_off == pos && req->code[pos] == 0xb8 &&
				      !(in.rex & 1);
		bool is_lea = !in.is_two_byte && req->code[s + in.opcode_off] == 0x8d;

		if (!is_rax_operand || is_lea)
			return true;
	}
	return false;
}

/* Whether the bytes from code[pos] to the site are whole plain instructions. */
static bool between_is_plain(const struct patch_request *req, uint32_t pos,
			     uint8_t *count)
{
	struct insn in;

	for (*count = 0; pos < req->before; (*count)++) {
		if (*count == BETWEEN_MAX)
			return false;
		if (insn_decode(req->code + pos, req->before - pos, &in) < 0)
			return false;
		if (in.kind != INSN_PLAIN)
			return false;
		pos += in.len;
	}
	return true;
}

static bool analyse_a(const struct patch_request *req, struct patch_shape *out)
{
	for (uint32_t back = MOV32_LEN;
	     back <= MIN(req->before, (uint32_t)(BETWEEN_BYTES + MOV64_LEN)); back++) {
		uint32_t pos = req->before - back;
		uint32_t len = mov_len(req, pos);
		uint8_t count;

		if (!len || back - len > BETWEEN_BYTES)
			continue;
		if (!between_is_plain(req, pos + len, &count) ||
		    mov_is_doubtful(req, pos, len))
			continue;
		out->kind = PATCH_A;
		out->start = (int8_t) - (int)back;
		out->len = (uint8_t)len;
		out->moved_len = (uint8_t)(back - len);
		out->moved_off = (int8_t) - (int)out->moved_len;
		out->moved_count = count;
		out->invalid_mask = 0;
		return true;
	}
	return false;
}

/* ---- kind B ---- */

/* The length of the padding nop at code, or 0. */
static uint32_t nop_len(const uint8_t *code, size_t avail)
{
	struct insn in;

	if (insn_decode(code, avail, &in) < 0 || in.rex || code[0] == 0xf3)
		return 0;
	return code[in.opcode_off] == (in.is_two_byte ? 0x1f : 0x90) ? in.len : 0;
}

/* Whether the bytes from code + off on, behind an instruction that never goes on, are
 * int3, or nops up to the next aligned address, at least as far as the jump will reach.
 * Code that is jumped to does not look so: where it starts with nops it is aligned. */
static bool is_padding(const struct patch_request *req, uint32_t off)
{
	const uint8_t *code = req->code + req->before;
	uint32_t end = off + (uint32_t)(-(req->site + off) % FUNCTION_ALIGN);
	uint32_t run = off;

	while (run < req->after && code[run] == 0xcc)
		run++;
	if (run >= JMP_LEN)
		return true;
	if (end < JMP_LEN || end > req->after)
		return false;
	while (run < end) {
		uint32_t len = nop_len(code + run, end - run);

		if (!len)
			return false;
		run += len;
	}
	return true;
}

static bool never_goes_on(uint8_t kind)
{
	return kind == INSN_JMP || kind == INSN_RET || kind == INSN_JMP_IND ||
	       kind == INSN_HALT;
}

static bool analyse_b(const struct patch_request *req, struct patch_shape *out)
{
	const uint8_t *code = req->code + req->before;
	uint32_t pos = SYSCALL_LEN;
	bool ended = false;

	out->invalid_mask = 0;
	out->moved_count = 0;
	while (pos < JMP_LEN) {
		struct insn in;

		if (ended && is_padding(req, pos))
			break;
		if (insn_decode(code + pos, req->after - pos, &in) < 0)
			return false;
		if (in.kind == INSN_CALL || in.kind == INSN_SYSCALL)
			return false;
		if (ended && in.kind != INSN_JMP)
			return false;
		out->invalid_mask |= (uint8_t)(1 << (pos - 1));
		out->moved_count++;
		ended = never_goes_on(in.kind);
		pos += in.len;
	}
	out->kind = PATCH_B;
	out->start = 0;
	out->moved_off = SYSCALL_LEN;
	out->moved_len = (uint8_t)(pos - SYSCALL_LEN);
	out->len = (uint8_t)MAX(pos, (uint32_t)JMP_LEN);
	return true;
}

bool patch_analyse(const struct patch_request *req, struct patch_shape *out)
{
	uint32_t skip = req->before > PATCH_BEFORE ? req->before - PATCH_BEFORE : 0;
	struct patch_request window = {
		.site = req->site,
		.code = req->code + skip,
		.before = req->before - skip,
		.after = MIN(req->after, (uint32_t)PATCH_AFTER),
		.nr = req->nr,
	};
	const uint8_t *site = req->code + req->before;
	struct patch_shape shape = {.site = req->site, .nr = req->nr};

	if (req->after < SYSCALL_LEN || site[0] != 0x0f || site[1] != 0x05)
		return false;
	if (req->nr > NR_MAX || req->nr == NR_RT_SIGRETURN)
		return false;
	if (!analyse_a(&window, &shape) && !analyse_b(&window, &shape))
		return false;
	for (int i = 0; i < shape.moved_len; i++)
		shape.moved[i] = site[shape.moved_off + i];
	*out = shape;
	return true;
}

/* ---- trampolines ---- */

/* Bytes being written at an address, with the first error remembered. */
struct emitter {
	struct patch_plan *plan;
	uaddr_t slot;
	uint8_t pos;
	bool failed;
};

static void emit_byte(struct emitter *e, unsigned byte)
{
	e->plan->tramp[e->pos++] = (uint8_t)byte;
}

static void emit32(struct emitter *e, uint32_t v)
{
	store32(e->plan->tramp + e->pos, v);
	e->pos += 4;
}

/* The distance from the end of the four bytes to target. */
static void emit_rel32(struct emitter *e, uaddr_t target)
{
	int64_t rel = (int64_t)(target - (e->slot + e->pos + 4));

	if (!fits32(rel))
		e->failed = true;
	emit32(e, (uint32_t)rel);
}

/* Records that the trampoline's next instruction stands for the one at site + site_off.
 */
static void emit_mark(struct emitter *e, int site_off)
{
	struct patch_record *r = &e->plan->record;

	r->map[r->map_count++] = (struct patch_map){(int8_t)site_off, e->pos};
}

static void emit_jmp(struct emitter *e, uaddr_t target)
{
	emit_byte(e, 0xe9);
	emit_rel32(e, target);
}

/* lea resume(%rip),%rcx; jmp *entry_ptr(%rip) */
static void emit_enter(struct emitter *e, uaddr_t resume, uaddr_t entry_ptr)
{
	emit_mark(e, 0);
	emit_byte(e, 0x48);
	emit_byte(e, 0x8d);
	emit_byte(e, 0x0d);
	emit_rel32(e, resume);
	emit_mark(e, 0);
	emit_byte(e, 0xff);
	emit_byte(e, 0x25);
	emit_rel32(e, entry_ptr);
}

/* Copies one instruction from the site at old to the trampoline. */
static void emit_copy(struct emitter *e, const uint8_t *code, const struct insn *in,
		      uaddr_t old)
{
	uaddr_t end = old + in->len;
	uint8_t start = e->pos;

	if (in->kind == INSN_JMP) {
		emit_jmp(e, end + (uaddr_t)(int64_t)in->rel);
		return;
	}
	if (in->kind == INSN_JCC) {
		emit_byte(e, 0x0f);
		emit_byte(e, 0x80U | in->cond);
		emit_rel32(e, end + (uaddr_t)(int64_t)in->rel);
		return;
	}
	for (int i = 0; i < in->len; i++)
		emit_byte(e, code[i]);
	if (in->is_rip_relative) {
		int64_t disp = (int32_t)load32(code + in->disp_off);

		disp += (int64_t)(old - (e->slot + start));
		if (!fits32(disp))
			e->failed = true;
		store32(e->plan->tramp + start + in->disp_off, (uint32_t)disp);
	}
}

/* Copies all that moves. Returns whether the last copy goes on behind itself. */
static bool emit_moved(struct emitter *e, const struct patch_shape *s)
{
	bool goes_on = true;
	struct insn in;

	for (int i = 0; i < s->moved_len; i += in.len) {
		if (insn_decode(s->moved + i, (size_t)(s->moved_len - i), &in) < 0) {
			e->failed = true;
			return false;
		}
		int off = s->moved_off + i;

		emit_mark(e, off);
		emit_copy(e, s->moved + i, &in, s->site + (uaddr_t)(int64_t)off);
		goes_on = !never_goes_on(in.kind);
	}
	return goes_on;
}

static void emit_tramp_a(struct emitter *e, const struct patch_shape *s,
			 uaddr_t entry_ptr)
{
	emit_mark(e, s->start);
	emit_byte(e, 0xb8);
	emit32(e, s->nr);
	emit_moved(e, s);
	emit_enter(e, s->site + SYSCALL_LEN, entry_ptr);
}

static void emit_tramp_b(struct emitter *e, const struct patch_shape *s,
			 uaddr_t entry_ptr)
{
	emit_enter(e, e->slot + RET_OFF, entry_ptr);
	emit32(e, (uint32_t)(s->site + SYSCALL_LEN - (e->slot + RET_OFF)));
	e->plan->record.ret_off = RET_OFF;
	if (emit_moved(e, s)) {
		int end = s->moved_off + s->moved_len;

		emit_mark(e, end);
		emit_jmp(e, s->site + (uaddr_t)end);
	}
}

/* The jump at the site, and what fills the rest. Returns whether it may stand there. */
static bool emit_site(struct patch_plan *p, const struct patch_shape *s, uaddr_t slot)
{
	uaddr_t end = s->site + (uaddr_t)(int64_t)s->start + JMP_LEN;
	int64_t rel = (int64_t)(slot - end);

	if (!fits32(rel))
		return false;
	p->bytes[0] = 0xe9;
	store32(p->bytes + 1, (uint32_t)rel);
	for (int i = 0; i < 4; i++) {
		if ((s->invalid_mask >> i & 1) && !patch_is_marker(p->bytes[1 + i]))
			return false;
	}
	for (int i = JMP_LEN; i < s->len; i++)
		p->bytes[i] = FILLER;
	return true;
}

bool patch_emit(const struct patch_shape *shape, uaddr_t slot, uaddr_t entry_ptr,
		struct patch_plan *out)
{
	struct emitter e = {.plan = out, .slot = slot};
	struct patch_record *r = &out->record;

	*r = (struct patch_record){
		.slot_delta = (int32_t)(slot - shape->site),
		.kind = shape->kind,
		.start = shape->start,
		.len = shape->len,
	};
	if (!fits32((int64_t)(slot - shape->site)))
		return false;
	if (!emit_site(out, shape, slot))
		return false;
	if (shape->kind == PATCH_A)
		emit_tramp_a(&e, shape, entry_ptr);
	else
		emit_tramp_b(&e, shape, entry_ptr);
	r->tramp_len = e.pos;
	return !e.failed;
}

/* ---- slots ---- */

size_t patch_tramp_len(const struct patch_shape *shape)
{
	struct patch_plan plan = {0};
	struct emitter e = {.plan = &plan, .slot = shape->site};

	if (shape->kind == PATCH_A)
		emit_tramp_a(&e, shape, shape->site);
	else
		emit_tramp_b(&e, shape, shape->site);
	return e.pos;
}

bool patch_slot_ok(const struct patch_shape *shape, uaddr_t slot, uaddr_t entry_ptr)
{
	struct patch_plan plan;

	return patch_emit(shape, slot, entry_ptr, &plan);
}

/* How far to go on from a slot whose distance has a wrong byte: to where the highest
 * wrong byte changes. 0 if all are right. Byte 0 is never constrained. */
static uint64_t bytes_to_skip(const struct patch_shape *s, uaddr_t slot)
{
	uaddr_t end = s->site + (uaddr_t)(int64_t)s->start + JMP_LEN;
	uint64_t rel = slot - end;

	for (int i = 3; i > 0; i--) {
		if (!(s->invalid_mask >> i & 1))
			continue;
		if (!patch_is_marker((uint8_t)(rel >> (8 * i))))
			return (1ULL << (8 * i)) - (rel & ((1ULL << (8 * i)) - 1));
	}
	return 0;
}

/* Whether the len bytes at off are free; *next is where to go on if not. */
static bool is_free(const uint8_t *used, size_t off, size_t len, size_t *next)
{
	for (size_t o = off; used && o < off + len; o += PATCH_SLOT_ALIGN) {
		size_t n = o / PATCH_SLOT_ALIGN;

		if (used[n / 8] >> (n % 8) & 1) {
			*next = o + PATCH_SLOT_ALIGN;
			return false;
		}
	}
	*next = off + PATCH_SLOT_ALIGN;
	return true;
}

bool patch_find_slot(const struct patch_shape *shape, uaddr_t entry_ptr, uaddr_t area,
		     size_t area_size, size_t from, const uint8_t *used, size_t *slot_off)
{
	size_t len = patch_tramp_len(shape);
	size_t off = ALIGN_UP(from, (size_t)PATCH_SLOT_ALIGN);
	int tries = SLOT_TRIES;

	while (off < area_size && len <= area_size - off) {
		uint64_t skip = bytes_to_skip(shape, area + off);
		size_t next;

		if (skip) {
			if (skip > area_size - off)
				return false;
			off = ALIGN_UP(off + skip, (size_t)PATCH_SLOT_ALIGN);
			continue;
		}
		if (is_free(used, off, len, &next)) {
			if (patch_slot_ok(shape, area + off, entry_ptr)) {
				*slot_off = off;
				return true;
			}
			if (--tries == 0)
				return false;
		}
		off = next;
	}
	return false;
}

/* ---- instruction pointers ---- */

bool patch_to_tramp(const struct patch_record *rec, uaddr_t site, uaddr_t rip,
		    uaddr_t *out)
{
	uint64_t off = rip - site;

	if (rec->kind != PATCH_B || off < SYSCALL_LEN || off >= rec->len)
		return false;
	for (int i = 0; i < rec->map_count; i++) {
		if (rec->map[i].tramp_off < rec->ret_off ||
		    (uint64_t)rec->map[i].site_off != off)
			continue;
		*out = site + (uaddr_t)(int64_t)rec->slot_delta + rec->map[i].tramp_off;
		return true;
	}
	return false;
}

bool patch_to_site(const struct patch_record *rec, uaddr_t site, uaddr_t rip,
		   uaddr_t *out)
{
	uint64_t off = rip - (site + (uaddr_t)(int64_t)rec->slot_delta);

	for (int i = 0; i < rec->map_count; i++) {
		if (rec->map[i].tramp_off != off)
			continue;
		*out = site + (uaddr_t)(int64_t)rec->map[i].site_off;
		return true;
	}
	return false;
}
