#!/bin/sh
# SPDX-License-Identifier: MIT
# acct_stdout.sh - process accounting into the file that is standard output: the records of processes that end there, and of who
# turns it off. Inside only, as it is the whole machine's otherwise.
set -e
"$CARBYNE" run -u 0 -- python3 -c '
import ctypes, os
libc = ctypes.CDLL(None)
assert libc.acct(b"/proc/self/fd/1") == 0
for status in range(3):
    if not os.fork():
        os._exit(status)
for _ in range(3):
    os.wait()
assert libc.acct(None) == 0
' >records
test "$(stat -c %s records)" -eq $((4 * 64))
