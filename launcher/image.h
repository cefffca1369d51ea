/* SPDX-License-Identifier: MIT */
/* image.h - the kernel image inside the command: an ELF file linked at KERNEL_TEXT_BASE.
 */
#pragma once
#include <stdint.h>

enum { IMAGE_PART_COUNT = 4 };

/* One read-only segment, mapped privately from the command's own file. */
struct image_part {
	uint64_t addr, size;
	int64_t off; /* in file_fd */
	int prot;
};

struct image {
	int file_fd;
	int part_count;
	struct image_part part[IMAGE_PART_COUNT];
	uint64_t entry;
	uint64_t data_addr, data_size; /* what the segment starts with */
	const void *data;
	uint64_t bss_end;
};

/* Takes the image apart and opens the file that it is in. Ends the process on a bad one.
 */
void image_open(struct image *image);

/* Maps the read-only parts at their addresses, over the reservation. */
void image_map(const struct image *image);
