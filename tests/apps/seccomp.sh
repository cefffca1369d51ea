#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that put filters on themselves: one of libseccomp's, man and its helpers, file.
. "$(dirname "$0")/common"
need gcc

if gcc -w -O1 -o rules "$SRC/tests/apps/seccomp_rules.c" -lseccomp 2>/dev/null; then
	both "libseccomp's rules" ./rules
	# natively the machine's own log, which may have other things to tell of
	if [ -n "$RUN" ] && [ "$(id -u)" = 0 ]; then
		same "the log tells of calls that kill" 1 "$($RUN bash -c './rules >/dev/null
			dmesg | grep -c "audit: type=1326 audit([0-9.:]*): .*uid=0 .*comm=\"rules\" exe=\".*/rules\" sig=31 arch=c000003e syscall=170 compat=0 ip=0x[0-9a-f]* code=0x0\$"')"
	fi
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
