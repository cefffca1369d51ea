/* SPDX-License-Identifier: MIT */
/* user_access.h - the instructions that touch guest memory (arch/x86_64/usercopy.S), for
 * mm/usercopy.c alone, which checks the addresses first; unit tests have others. The
 * copies return how many bytes were not reached, the rest 0 or a length, or -EFAULT. */
#pragma once
#include "abi/types.h"

size_t user_copy(void *dst, const void *src, size_t size);
size_t user_clear(void *dst, size_t size);
long user_strncpy(char *dst, const char *src, size_t size);
long user_strnlen(const char *src, size_t size);
int user_load_u32(uint32_t *out, const void *src);
int user_load_u64(uint64_t *out, const void *src);
int user_store_u8(void *dst, uint64_t value);
int user_store_u32(void *dst, uint64_t value);
int user_store_u64(void *dst, uint64_t value);
int user_cas_u32(void *addr, uint32_t old, uint32_t new_value, uint32_t *seen);
