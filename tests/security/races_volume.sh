#!/bin/bash
# SPDX-License-Identifier: MIT
# races_volume.sh - races.c on a volume, which the host changes meanwhile: directories and files become
# links to what lies outside, and one is moved there and back. Nothing there is read, made, changed or removed.
# native: skip
# timeout: 180
set -u
failures=0
fail() {
	echo "not ok: $*"
	failures=$((failures + 1))
}

rounds=$((${STRESS:-1} * 700))
mkdir volume outside outside/keep
echo secret >outside/secret
chmod 640 outside/secret
touch -d @1000000000 outside/secret outside/keep
cp "$BUILD/tests/security/races" races
secret() { stat -c '%n %a %u %g %h %s %Y %F' outside/secret outside/keep; }
before=$(secret)

./races make volume "$PWD/outside" || fail "no tree"
./races host "$PWD/volume" "$PWD/outside" &
host=$!
for round in 1 2 3; do
	# from elsewhere: the directory it is started in would be shown to the guest
	here=$PWD
	(cd / && exec "$CARBYNE" run --leaks -v "$here/volume:/v" -v "$here/races:/races" -- \
		/races guest /v "$here/outside" "$rounds") >out 2>&1 || fail "round $round: $(cat out)"
	grep leaked out && fail "round $round leaves objects"
	grep -r secret volume && fail "the secret was copied"
	kill -STOP "$host"
	[ ! -e outside/m ] || mv outside/m volume/m
	find volume -mindepth 1 -delete
	./races make volume "$PWD/outside" || fail "no tree"
	kill -CONT "$host"
done
kill "$host"
wait "$host" 2>/dev/null
[ ! -e outside/m ] || mv outside/m volume/m

[ "$(secret)" = "$before" ] || fail "something outside has changed: $(secret), not $before"
[ "$(cat outside/secret)" = secret ] || fail "the secret has changed"
[ "$(ls outside | tr '\n' ' ')" = "keep secret " ] || fail "something was made or removed outside: $(ls outside)"
[ "$failures" = 0 ] && echo "ok: 3 rounds"
