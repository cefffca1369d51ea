#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 180
# differ_memory.sh - memory calls in random order answer inside as they do natively, and leave the
# same behind (differ_memory.c).
[ -n "$RUN" ] || exit 77
exec "$SRC/tests/stress/differ" "$BUILD/tests/stress/differ_memory" --steps 250 --batch 10 \
	--seeds 1-$((${STRESS:-1} * 60)) --seconds $((${STRESS:-1} * 10))
