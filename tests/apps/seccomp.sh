#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that put filters on themselves: one of libseccomp's, man and its helpers, file.
. "$(dirname "$0")/common"
need gcc

if gcc -w -O1 -o rules "$SRC/tests/apps/seccomp_rules.c" -lseccomp 2>/dev/null; then
	both "libseccomp's rules" ./rules
else
	echo "skip: no libseccomp here"
fi
if command -v man >/dev/null && man -w man >/dev/null 2>&1; then
	both "man, in a sandbox of its own" man -P cat man
fi
if command -v file >/dev/null; then
	both "file" file -b "$BASH" /etc/passwd /usr/bin/env
fi
finish
