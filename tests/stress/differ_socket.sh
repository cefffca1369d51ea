#!/bin/bash
# SPDX-License-Identifier: MIT
# differ_socket.sh - the same calls on sockets natively and inside, in both networks and in
# one made by the program, leave the same transcript (differ_socket.c).
# native: skip
# timeout: 180
set -u
[ -n "$RUN" ] || exit 77
command -v python3 >/dev/null || exit 77
exec python3 "$SRC/tests/stress/differ_compare.py" --seeds $((${STRESS:-1} * 8)) \
	"$BUILD/tests/stress/differ_socket"
