#!/bin/bash
# SPDX-License-Identifier: MIT
# volume_outside.sh - outside_hand.c on a volume, which programs of the host change meanwhile.
# native: skip
# timeout: 180
set -eu
mkdir volume
cp "$BUILD/tests/stress/outside_hand" .
cd volume
../outside_hand make
../outside_hand change 2>/dev/null &
host=$!
trap 'kill -9 $(pgrep -P $host) $host 2>/dev/null' EXIT
rounds=$((${STRESS:-1} * 20000))
for _ in 1 2; do
	"$CARBYNE" run --leaks -v "$PWD:/v" -v "$PWD/../outside_hand:/outside_hand" -w /v -- /outside_hand use "$rounds" >../out 2>&1 || {
		cat ../out
		exit 1
	}
	! grep leaked ../out
done
