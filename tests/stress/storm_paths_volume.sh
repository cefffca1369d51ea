#!/bin/bash
# SPDX-License-Identifier: MIT
# storm_paths_volume.sh - storm_paths on a directory of the host, then on the overlay.
# native: skip
# timeout: 300
set -eu
mkdir volume
cp "$BUILD/tests/stress/storm_paths" .
count=$((${STRESS:-1} * 50000))
run() {
	"$CARBYNE" run --leaks "$@" 2>leaks || {
		cat leaks
		exit 1
	}
	cat leaks
	! grep -q leaked leaks
}
run -v "$PWD:/v" -- /v/storm_paths "$count" /v/volume
run -v "$PWD:/v" -- /v/storm_paths "$count" /var/tmp
[ -z "$(ls -A volume)" ]
