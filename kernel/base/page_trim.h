/* SPDX-License-Identifier: MIT */
/* page_trim.h - when the kernel's free pages go back to the host.
 *
 * What nobody has needed for a second goes, but for a few MiB. A program that takes and
 * frees the same memory again and again so keeps it; after a burst it is gone within two
 * seconds. A sandbox at rest has nothing to look after and is not woken. */
#pragma once
#include "abi/types.h"

enum {
	PAGE_KEEP_IDLE = 8 << 20,   /* so much always stays */
	PAGE_KEEP_WATCH = 16 << 20, /* from here on it is looked after */
	PAGE_KEEP_MAX = 256 << 20,  /* beyond it page_free() gives back at once */
	PAGE_KEEP_SHARE = 16,	    /* or beyond this part of the kernel's memory */
};

/* Once, after page_init(). give_back: as of page_set_give_back(). wake makes somebody
 * call page_trim_look(): called with locks held. */
void page_trim_init(void (*give_back)(void *addr, size_t size), void (*wake)(void));

/* Gives back what is due. Returns when to look again: NSEC_NEVER if only wake tells. By
 * one thread, without locks. */
nsec_t page_trim_look(nsec_t now);
