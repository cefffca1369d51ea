#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 180
# killed_mapping.sh - the host process of killed_mapping.c's child is killed by somebody of the
# host: what it had for a change of its areas is given back. If it was just changing the kernel's
# data that is the sandbox's end, which is told.
set -u
. "$(dirname "$0")/../descendants"
[ -n "$RUN" ] || exit 77
cp "$BUILD/tests/stress/killed_mapping" .
mkfifo in out
for ((i = 0; i < ${STRESS:-1} * 25; i++)); do
	${RUN/ run / run --leaks } ./killed_mapping outside <in >out 2>errors &
	exec 8>in 9<out
	read -r word <&9
	descendants $! | sort >others
	echo go >&8
	read -r word <&9
	[ "$word" = ready ] || { cat errors && exit 1; }
	victim=
	# A list that is made while others end may leave some out.
	until [ "$(wc -w <<<"$victim")" = 1 ]; do
		victim=$(descendants $! | sort | comm -23 - others)
	done
	sleep 0.0$((RANDOM % 10))
	kill -KILL "$victim"
	wait $!
	status=$?
	exec 8>&- 9<&-
	count_end $status
done
echo "$lived lived on, $ended sandboxes ended"
