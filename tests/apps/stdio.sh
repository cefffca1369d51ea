#!/bin/bash
# SPDX-License-Identifier: MIT
# stdio.sh - the standard streams by their names: pipes and files of the caller's, opened again.
set -u

# expect WANT GOT
expect() {
	[ "$1" = "$2" ] && return
	echo "not ok: got '$2', want '$1'"
	exit 1
}

expect $'hi\nthere' "$($RUN sh -c 'echo hi > /proc/self/fd/1; echo there > /dev/stdout' | cat)"
expect 'oops' "$({ $RUN sh -c 'echo oops > /dev/stderr' 2>&1 >/dev/null; } | cat)"
expect 'in' "$(echo in | $RUN sh -c 'cat /dev/stdin')"
expect 'in' "$(echo in | $RUN sh -c 'cat /proc/self/fd/0')"
echo text >file
expect 'text' "$($RUN cat /dev/stdin <file)"
$RUN sh -c 'echo kept >> /dev/stdout' >out
expect 'kept' "$(cat out)"
expect 'ok' "$($RUN sh -c 'echo no > /dev/null; cat /dev/null; echo ok')"
# Process accounting there ends nobody's end. Not natively, where it would be the machine's.
if [ "$RUN" ]; then
	timeout 60 $RUN perl -e 'syscall(163, my $out = "/proc/self/fd/1"); exit(system("true") != 0)' >acct
	expect 0 $?
fi
