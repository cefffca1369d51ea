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
lived=0
ended=0
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
	if [ $status = 0 ] && [ ! -s errors ]; then
		lived=$((lived + 1))
	elif [ $status = 125 ] && grep -q 'was killed while it changed the kernel' errors; then
		ended=$((ended + 1))
	else
		echo "not ok: status $status"
		cat errors
		exit 1
	fi
done
echo "$lived lived on, $ended sandboxes ended"
