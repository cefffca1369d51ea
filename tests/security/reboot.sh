#!/bin/bash
# SPDX-License-Identifier: MIT
# reboot.sh - reboot(2) by who may is the end of the sandbox, and of nothing else.
# native: skip
set -u
failures=0

fail() {
	echo "not ok: $*"
	failures=$((failures + 1))
}

# ends STATUS CMD: the sandbox's status after a child of the program asked for cmd
ends() {
	timeout 20 "$CARBYNE" run -u root -- python3 -c "
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
if os.fork() == 0:
    libc.syscall(169, ctypes.c_uint(0xfee1dead), $3, ctypes.c_uint($2), None)
    os._exit(ctypes.get_errno())
print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
time.sleep($4)
" >out 2>&1 </dev/null
	local got=$?
	[ "$got" = "$1" ] && echo "ok: $2 $3" || fail "$2 $3: status $got, not $1: $(cat out)"
}

ends 129 0x01234567 0x28121969 15 # restart: as by SIGHUP
ends 129 0xa1b2c3d4 0x20112000 15
ends 130 0xcdef0123 672274793 15  # halt: as by SIGINT
ends 130 0x4321fedc 85072278 15
ends 0 0x01234567 0x28121968 0    # the wrong magic number: EINVAL
grep -qx 22 out || fail "magic: $(cat out)"
ends 0 0x89abcdef 672274793 0     # no keyboard is there to end it by
grep -qx 22 out || fail "keyboard: $(cat out)"
timeout 20 "$CARBYNE" run -u 65534 -- python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(169, ctypes.c_uint(0xfee1dead), 672274793, 0x1234567, None)
raise SystemExit(ctypes.get_errno())' </dev/null
[ $? = 1 ] || fail "an ordinary user"
exit $((failures > 0))
