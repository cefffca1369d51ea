#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# native: skip
# alone
# sort of 100 MB (1 GB with STRESS=10; see tests/run's --slow), with so little memory that it must
# use temporary files: in a real directory (-v) and in the layer in memory. The result is that of
# the native sort, and the times are printed.
. "$(dirname "$0")/../apps/common"
size=$((${STRESS:-1} * 100000000))
memory=$((size / 10))

mkdir volume temp
head -c $((size / 4 * 3)) /dev/urandom | base64 -w 99 >volume/in
sort_in() { # DIRECTORY TEMPORARY
	sort -S "${memory}b" -T "$2" "$1/in" -o "$2/out" && md5sum <"$2/out" && rm -f "$2/out"
}
now() { date +%s%N; }
seconds() { echo "$1: $((($3 - $2) / 1000000)) ms"; }

a=$(now)
want=$(sort_in volume temp)
b=$(now)
seconds native "$a" "$b"
a=$(now)
got=$("$CARBYNE" run -v "$PWD/volume:/mnt" -- bash -c "memory=$memory; $(declare -f sort_in); mkdir /mnt/temp; sort_in /mnt /mnt/temp")
b=$(now)
seconds "in a volume" "$a" "$b"
same "sort in a volume" "$want" "$got"
a=$(now)
got=$("$CARBYNE" run -v "$PWD/volume:/mnt:ro" -- bash -c "memory=$memory; $(declare -f sort_in); sort_in /mnt /var/tmp")
b=$(now)
seconds "in memory" "$a" "$b"
same "sort in memory" "$want" "$got"
same "nothing is left over" "in temp" "$(echo $(ls volume volume/temp | grep -v :))"
finish
