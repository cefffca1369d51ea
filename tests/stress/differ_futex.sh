#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 180
# differ_futex.sh - futex calls in random order answer inside as they do natively, with the same
# threads woken and requeued (differ_futex.c). Without those of locks that inherit priorities.
[ -n "$RUN" ] || exit 77
exec "$SRC/tests/stress/differ" "$BUILD/tests/stress/differ_futex" --steps 250 --batch 10 \
	--kinds set,wait,sleep,wake,wake_op,requeue,futex2,waitv,bad,kick,robust \
	--seeds 1-$((${STRESS:-1} * 60)) --seconds $((${STRESS:-1} * 10))
