/* SPDX-License-Identifier: MIT */
/* static/hello.c as a static program that can lie anywhere. */
/* calls: execve */
/* cflags: -static-pie -fPIE */
#include "static/hello.c"
