/* SPDX-License-Identifier: MIT */
/* xstate.c - xsave areas in signal frames, as Linux lays them out: the standard (not the
 * compacted) format, a description in the last 48 of the legacy area's 512 bytes, a magic
 * number behind. */
#include "arch/x86_64/xstate.h"

#include "abi/errno.h"
#include "abi/signal.h"
#include "base/panic.h"
#include "lib/string.h"
#include "mm/usercopy.h"

/* arch/x86_64/usercopy.S */
int user_xsave(void *area, uint64_t mask);
int user_xrstor(const void *area, uint64_t mask);

#define XFEATURES_LEGACY 3ULL	      /* x87 and SSE */
#define XFEATURE_PKRU	 (1ULL << 9)  /* rights by protection key */
#define XFEATURE_TILES	 (1ULL << 18) /* AMX tile data */
#define LEGACY_SIZE	 sizeof(struct linux_fpstate)
#define HEADER_SIZE	 sizeof(struct linux_xstate_header)
#define MAGIC1_OFFSET	 offsetof(struct linux_fpstate, sw_reserved)
#define PKRU_DEFAULT	 0x55555554U /* as Linux starts programs: no access but by key 0 */

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80U

/* const after xstate_init() */
static uint64_t supported;
static uint64_t features;
static uint32_t area_size; /* without the magic number */

/* The image that xstate_reset() loads: all features in their initial state but x87 and
 * SSE, whose control words are not zero, and PKRU. */
static struct {
	struct linux_fpstate legacy;
	struct linux_xstate_header header;
	uint8_t rest[8192];
} ALIGNED(64) initial;

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(sub));
}

static uint64_t xcr0_read(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (uint64_t)high << 32;
}

void xstate_init(void)
{
	uint32_t leaf[4];

	supported = xcr0_read();
	features = supported & ~XFEATURE_TILES;
	area_size = LEGACY_SIZE + HEADER_SIZE;
	for (uint32_t i = 2; i < 63; i++) {
		if (!(features >> i & 1))
			continue;
		cpuid(0xd, i, leaf);
		area_size = MAX(area_size, leaf[0] + leaf[1]);
		if ((1ULL << i) == XFEATURE_PKRU && leaf[1] + 4 <= sizeof(initial)) {
			memcpy((char *)&initial + leaf[1], &(uint32_t){PKRU_DEFAULT}, 4);
			initial.header.xfeatures |= XFEATURE_PKRU;
		}
	}
	initial.legacy.cwd = FCW_DEFAULT;
	initial.legacy.mxcsr = MXCSR_DEFAULT;
	initial.header.xfeatures |= XFEATURES_LEGACY;
}

uint64_t xstate_features(void)
{
	return features;
}

uint64_t xstate_supported(void)
{
	return supported;
}

size_t xstate_frame_size(void)
{
	return area_size + FP_XSTATE_MAGIC2_SIZE;
}

size_t xstate_min_stack(void)
{
	/* The frame, the worst alignment of its two parts, and the red zone. */
	return ALIGN_UP(sizeof(struct linux_rt_sigframe) + xstate_frame_size() + 64 + 16 +
				128,
			(size_t)16);
}

static void *user(uaddr_t addr)
{
	return (void *)
		addr; // NOLINT(performance-no-int-to-ptr): for the two instructions
}

int xstate_to_frame(uaddr_t addr)
{
	static const struct linux_xstate_header clear;
	struct linux_fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = area_size + FP_XSTATE_MAGIC2_SIZE,
		.xfeatures = features,
		.xstate_size = area_size,
	};
	uint64_t saved;

	if (!user_range_ok(addr, xstate_frame_size()))
		return -EFAULT;
	/* xsave leaves the reserved words of the header as they are. */
	if (COPY_OUT(addr + LEGACY_SIZE, &clear) || user_xsave(user(addr), features))
		return -EFAULT;
	if (COPY_OUT(addr + MAGIC1_OFFSET, &sw) ||
	    put_user_u32(addr + area_size, FP_XSTATE_MAGIC2))
		return -EFAULT;
	/* A handler may edit x87 and SSE registers that were in their initial state. */
	if (get_user_u64(&saved, addr + LEGACY_SIZE))
		return -EFAULT;
	return put_user_u64(addr + LEGACY_SIZE, saved | XFEATURES_LEGACY);
}

size_t xstate_area_size(void)
{
	return area_size;
}

void xstate_save(void *area)
{
	memset(area, 0, area_size);
	if (user_xsave(area, features))
		panic("the vector state cannot be saved");
}

void xstate_reset(void)
{
	if (user_xrstor(&initial, features))
		panic("the processor refuses the initial vector state");
}

/* Only the 512 bytes of the legacy area are good. */
static int restore_legacy(uaddr_t addr)
{
	struct {
		struct linux_fpstate legacy;
		struct linux_xstate_header header;
	} ALIGNED(64) area;

	if (COPY_IN(&area.legacy, addr))
		return -EFAULT;
	memset(&area.header, 0, sizeof(area.header));
	area.header.xfeatures = XFEATURES_LEGACY;
	if (user_xrstor(&area, XFEATURES_LEGACY))
		return -EFAULT;
	return user_xrstor(&initial, features & ~XFEATURES_LEGACY);
}

/* Does the area say that it is a whole xsave area? *mask gets the features that it holds.
 */
static bool is_extended(uaddr_t addr, const struct linux_fpx_sw_bytes *sw, uint64_t *mask)
{
	uint32_t magic2;

	if (sw->magic1 != FP_XSTATE_MAGIC1 ||
	    sw->xstate_size < LEGACY_SIZE + HEADER_SIZE || sw->xstate_size > area_size ||
	    sw->xstate_size > sw->extended_size)
		return false;
	if (get_user_u32(&magic2, addr + sw->xstate_size) || magic2 != FP_XSTATE_MAGIC2)
		return false;
	*mask = sw->xfeatures & features;
	return true;
}

int xstate_from_frame(uaddr_t addr)
{
	struct linux_fpx_sw_bytes sw;
	uint64_t mask;

	if (!addr) {
		xstate_reset();
		return 0;
	}
	if (!user_range_ok(addr, xstate_frame_size()) ||
	    COPY_IN(&sw, addr + MAGIC1_OFFSET))
		return -EFAULT;
	if (!is_extended(addr, &sw, &mask))
		return restore_legacy(addr);
	if (user_xrstor(user(addr), mask))
		return -EFAULT;
	if (features & ~mask)
		return user_xrstor(&initial, features & ~mask);
	return 0;
}
