/* SPDX-License-Identifier: MIT */
/* differ_memory_place.h - where the calls of differ_memory.c are to act: ranges of the
 * arena, and now and then what no kernel takes. */
#pragma once
#include "differ_memory_files.h"

struct place {
	uint64_t at;
	uint64_t size;
};

static uint64_t any_page(struct chance *c)
{
	return ARENA + below(c, ARENA_PAGES) * PAGE;
}

/* Whole pages of the arena. */
static struct place any_pages(struct chance *c, uint64_t max)
{
	struct place p = {any_page(c), (1 + below(c, percent(c, 60) ? 4 : max)) * PAGE};

	if (p.size > ARENA_END - p.at)
		p.size = ARENA_END - p.at;
	return p;
}

/* Addresses and sizes that overflow, are not aligned, or not the program's: nothing that
 * lies outside of the arena and could be there is reached. */
static struct place any_place(struct chance *c, uint64_t max)
{
	static const uint64_t ends[] = {0x7ffffffff000, 0x800000000000,
					0xffff800000000000, -(uint64_t)PAGE,
					0x8000000000000000};
	static const uint64_t sizes[] = {-1UL, -(uint64_t)PAGE, 1UL - PAGE, -ARENA,
					 1 - ARENA};
	struct place p = any_pages(c, max);

	switch (below(c, 40)) {
	case 0:
		p.at = ANY(c, ends);
		break;
	case 1:
		p.size = ANY(c, sizes);
		break;
	case 2:
		p.at += 1 + below(c, PAGE - 1);
		break;
	case 3:
		p.size -= 1 + below(c, PAGE - 1);
		break;
	case 4:
		p.size = 0;
		break;
	case 5:
		p.at = ANY(c, ends);
		p.size = ANY(c, sizes);
		break;
	default:
		break;
	}
	return p;
}

static const char *size_text(uint64_t size)
{
	static char text[4][24];
	static unsigned int next;
	char *out = text[next++ % 4];

	snprintf(out, 24, "%#lx", size);
	return out;
}

static void say_call(const char *name, struct place p)
{
	say("%s(%s, %s)", name, at_text(p.at), size_text(p.size));
}

static int any_prot(struct chance *c)
{
	static const int common[] = {PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_WRITE,
				     PROT_READ,
				     PROT_NONE,
				     PROT_READ | PROT_WRITE | PROT_EXEC,
				     PROT_READ | PROT_EXEC};

	return percent(c, 92) ? ANY(c, common) : (int)below(c, 8);
}

/* The memory of a page as the program itself writes it: from its first byte on, that of a
 * return. */
static bool poke(uint64_t at, uint8_t value)
{
	volatile uint8_t *page = (volatile uint8_t *)at;

	return TRIED(({
		page[0] = code_return;
		page[1 + value % 64] = value;
	}));
}

static void say_poke(uint64_t at, uint8_t value)
{
	bool is_done = poke(at, value);

	say("poke %s %s\n", at_text(at), is_done ? "done" : fault_name(at));
}
