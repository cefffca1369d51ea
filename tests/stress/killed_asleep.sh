#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 300
# killed_asleep.sh - the host processes of killed_asleep.c are killed by somebody of the host.
set -u
. "$(dirname "$0")/../descendants"
[ -n "$RUN" ] || exit 77
cp "$BUILD/tests/stress/killed_asleep" .
mkfifo in out
# What they had in the kernel goes with them.
${RUN/ run / run --leaks --stats } ./killed_asleep outside $((${STRESS:-1} * 8)) <in >out 2>errors &
exec 8>in
last=
while read -r word count; do
	last="$word $count"
	if [ "$word" = begin ]; then
		descendants $! | sort >others
		echo go >&8
	fi
	[ "$word" = ready ] || continue
	victims=
	# A list that is made while others end may leave some out.
	until [ "$(wc -w <<<"$victims")" = "$count" ]; do
		victims=$(descendants $! | sort | comm -23 - others)
	done
	kill -KILL $victims
done <out
wait $!
status=$?
grep '^carbyne: objects:' errors >objects
sed -Ei '/^carbyne: (objects|calls|patches|kernel memory|tasks): /d' errors
# Of the sizes that vectors and control messages of the waits have.
while read -r _ _ name count _; do
	case $name in
	kmalloc-768 | kmalloc-2048)
		[ "$count" -lt 8 ] || echo "not ok: $count of $name are left" >>errors
		;;
	esac
done <objects
[ -s objects ] || echo "not ok: no objects" >>errors
echo "$last"
cat errors
[ ! -s errors ] || exit 1
[ $status = 0 ] && [ "${last%% *}" = ok: ] && exit 0
echo "not ok: status $status"
exit 1
