/* SPDX-License-Identifier: MIT */
/* bpf.h - classic BPF: what programs may be run, and running them.
 *
 * A program comes from the guest. bpf_check() accepts exactly those that Linux does; it
 * must have accepted what is given to the other functions. An accepted program ends:
 * jumps go forward, and its last instruction returns. */
#pragma once
#include "abi/bpf.h"
#include "abi/types.h"

enum bpf_use {
	BPF_FOR_CALLS,	 /* seccomp(2): loads are whole words of one small struct */
	BPF_FOR_PACKETS, /* SO_ATTACH_FILTER */
};

/* data_size: of the struct, BPF_FOR_CALLS. scratch: of count elements. */
bool bpf_check(const struct linux_sock_filter *program, size_t count, enum bpf_use use,
	       uint32_t data_size, uint16_t *scratch) MUST_CHECK;

/* Runs a program checked BPF_FOR_CALLS over a struct of data_size bytes. */
uint32_t bpf_run_words(const struct linux_sock_filter *program, const uint32_t *data,
		       uint32_t data_size);

/* What such a program returns whatever the rest of the struct is: known are its words
 * number 0 to known_words - 1. False: that depends, or is not easily seen. */
bool bpf_foresee(const struct linux_sock_filter *program, const uint32_t *known,
		 uint32_t known_words, uint32_t *result) MUST_CHECK;

/* The two registers, for loads that use them. */
struct bpf_registers {
	uint32_t a, x;
};

struct bpf_packet {
	/* Loads size bytes (1, 2, 4) in network order from off, or what SKF_AD_OFF + n
	 * stands for. False: there is no such thing, and the program returns 0. */
	bool (*load)(const struct bpf_packet *p, const struct bpf_registers *r,
		     uint32_t off, uint32_t size, uint32_t *out);
	uint32_t size;
};

uint32_t bpf_run_packet(const struct linux_sock_filter *program,
			const struct bpf_packet *packet);
