/* SPDX-License-Identifier: MIT */
/*
 * patch_plan.h - how to turn one `syscall` instruction into a jump: pure decisions on
 *bytes.
 *
 * The caller has caught a system call that trapped, and
 *	patch_analyse()    decides whether and how its site can be patched;
 *	patch_find_slot()  finds room for the trampoline, at an address that fits the
 *site; patch_emit()       makes the bytes of both and the record to keep. It writes the
 *trampoline, then a copy of the page with the site, and files the record:
 *patch_to_tramp() and patch_to_site() translate instruction pointers with it.
 *
 * What the caller must know:
 *
 *   - A trampoline enters the kernel with %rcx = where to resume and %r11 free, all else
 *as at a `syscall`. For kind A, %rcx is the instruction behind the syscall, in place. For
 *     kind B it is the trampoline's own ret_off, and the int32 just below that address is
 *     the distance from there to the instruction behind the syscall.
 *   - A call that is to be restarted resumes at the site's address, which is a `syscall`
 *     (kind A) or the jump that stands for it (kind B).
 *   - After patching, the call that trapped resumes at site + 2 (A) or at slot + ret_off
 *(B).
 *   - Signal frames, ptrace and sigcontext show patch_to_site() of an address that lies
 *in a trampoline. It is exact: no instruction of a trampoline changes what the guest can
 *see but the copied ones, and %rcx, which the system call destroys anyway.
 *   - SIGILL at an address for which patch_to_tramp() knows an answer is no fault: go
 *there.
 *   - Where to put trampolines: anywhere within +-2 GiB for kind A. Kind B needs one to
 *three bytes of the distance to be invalid opcodes. 15 of the 256 blocks of 256 bytes in
 *any 64 KiB serve a site with a constraint on byte 1 alone, which is most. A constraint
 *on byte 3 is met by an area that lies 0x06000000 to 0x07ffffff above the code (or 0x16…
 *     0x1e…, 0x60…: windows of 32 MiB); one on byte 2 too, if the area is 576 KiB long
 *and byte 2 is between 00 and 3f there. Most pages of such an area are never touched.
 *   - Nothing here is for pages that the guest may write.
 */
#pragma once
#include "abi/types.h"

enum patch_kind {
	PATCH_NONE,
	PATCH_A, /* the `mov $nr,%eax` before the syscall becomes the jump */
	PATCH_B, /* the syscall and what follows becomes the jump */
};

enum {
	PATCH_BEFORE = 64, /* bytes before the site that an analysis looks at, at most */
	PATCH_AFTER = 32,  /* and from the site on */
	PATCH_SITE_MAX = 24,  /* bytes of a site that a patch changes, at most */
	PATCH_TRAMP_MAX = 96, /* bytes of a trampoline, at most */
	PATCH_MOVED_MAX = 6,  /* instructions copied into a trampoline */
	PATCH_MAP_MAX = PATCH_MOVED_MAX + 4,
	PATCH_SLOT_ALIGN = 8, /* slots start at multiples of this in their area */
};

/* One system call site, as the caller sees it. */
struct patch_request {
	uaddr_t site;	     /* address of the syscall instruction */
	const uint8_t *code; /* borrowed: the bytes around it, code[before] is its 0f */
	uint32_t before;     /* readable bytes before the site, in the same mapping */
	uint32_t after;	     /* readable bytes from the site on, the syscall included */
	uint32_t nr;	     /* %eax as it trapped */
};

/* How a site can be patched; offsets are from the syscall instruction. */
struct patch_shape {
	uaddr_t site;
	uint32_t nr;
	uint8_t kind;	   /* enum patch_kind */
	int8_t start;	   /* first byte that changes */
	uint8_t len;	   /* bytes that change */
	uint8_t moved_len; /* bytes of instructions that are copied, from moved_off on */
	int8_t moved_off;
	uint8_t moved_count;
	uint8_t invalid_mask; /* bytes of rel32 that must be invalid opcodes, bit n: n */
	uint8_t moved[PATCH_BEFORE]; /* the original bytes of those */
};

/* Address pairs that mean the same: site + site_off and slot + tramp_off. */
struct patch_map {
	int8_t site_off;
	uint8_t tramp_off;
};

/* What to keep of a patched site. Position-independent. */
struct patch_record {
	int32_t slot_delta; /* slot - site */
	uint8_t kind;
	int8_t start;
	uint8_t len;
	uint8_t tramp_len;
	uint8_t ret_off; /* B: where the kernel resumes, in the trampoline */
	uint8_t map_count;
	struct patch_map map[PATCH_MAP_MAX];
};

struct patch_plan {
	struct patch_record record;
	uint8_t bytes[PATCH_SITE_MAX]; /* record.len new bytes from site + record.start on
					*/
	uint8_t tramp[PATCH_TRAMP_MAX];
};

/* Decides how to patch a site. Returns false when it must stay on the slow path. */
bool patch_analyse(const struct patch_request *req, struct patch_shape *out) MUST_CHECK;

/* Whether a trampoline at slot serves the site, jumping to the kernel through the 8-byte
 * pointer at entry_ptr. */
bool patch_slot_ok(const struct patch_shape *shape, uaddr_t slot, uaddr_t entry_ptr);

/* Finds the lowest offset in the area at or above from, a multiple of PATCH_SLOT_ALIGN,
 * at which a trampoline fits. Bit n of used, if not NULL, says that the PATCH_SLOT_ALIGN
 * bytes at n * PATCH_SLOT_ALIGN are taken. Returns false if there is none. */
bool patch_find_slot(const struct patch_shape *shape, uaddr_t entry_ptr, uaddr_t area,
		     size_t area_size, size_t from, const uint8_t *used,
		     size_t *slot_off) MUST_CHECK;

/* Makes the new bytes. Returns false, with *out undefined, for a slot that is not ok. */
bool patch_emit(const struct patch_shape *shape, uaddr_t slot, uaddr_t entry_ptr,
		struct patch_plan *out) MUST_CHECK;

/* The length of the site's trampoline, the same for every slot. */
size_t patch_tramp_len(const struct patch_shape *shape);

/* May b be what a patch has put at the start of an instruction that it displaced? */
bool patch_is_marker(uint8_t b);
/* Translates the start of an instruction that a patch displaced to its copy. site is the
 * address of the record's syscall. Returns false if rip is no such address. */
bool patch_to_tramp(const struct patch_record *rec, uaddr_t site, uaddr_t rip,
		    uaddr_t *out) MUST_CHECK;

/* Translates an address in the site's trampoline to where an unpatched program would be:
 * the start of the same instruction, or of the syscall. Returns false if rip is not the
 * start of an instruction of this trampoline. */
bool patch_to_site(const struct patch_record *rec, uaddr_t site, uaddr_t rip,
		   uaddr_t *out) MUST_CHECK;
