#!/bin/sh
# SPDX-License-Identifier: MIT
# inotifywait and tail -f see what other processes do to files.
command -v inotifywait >/dev/null || exit 77
$RUN sh -ec '
mkdir w && cd w
inotifywait -mrq --format "%w%f %e" . >../seen &
watcher=$!
# watches N: waits until there are so many
watches() {
	n=0
	until [ "$(cat /proc/$watcher/fdinfo/* 2>/dev/null | grep -c "^inotify ")" = $1 ]; do
		n=$((n + 1)); [ $n -lt 500 ]; sleep 0.02
	done
}
watches 1
echo hello >a
mkdir sub
watches 2
mv a sub/b
chmod 600 sub/b
rm sub/b
rmdir sub
n=0
until grep -q "DELETE,ISDIR" ../seen; do
	n=$((n + 1)); [ $n -lt 500 ]; sleep 0.02
done
kill $watcher
wait $watcher || true
cat ../seen
' >out 2>err || { cat out err; exit 1; }
cat >want <<END
./a CREATE
./a OPEN
./a MODIFY
./a CLOSE_WRITE,CLOSE
./sub CREATE,ISDIR
./a MOVED_FROM
./sub/b MOVED_TO
./sub/b ATTRIB
./sub/b DELETE
./sub/ DELETE_SELF
./sub DELETE,ISDIR
END
grep -vE "sub/? (OPEN|ACCESS|CLOSE_NOWRITE)" out >got
cmp -s want got || { diff want got; exit 1; }

$RUN sh -ec '
echo one >log
tail -n +1 -f log >copy &
tailer=$!
sleep 0.5
echo two >>log
sleep 0.1
echo three >>log
n=0
while [ "$(wc -l <copy)" -lt 3 ]; do
	n=$((n + 1)); [ $n -lt 500 ]; sleep 0.02
done
kill $tailer
wait $tailer || true
cat copy
' >out || exit 1
[ "$(cat out)" = "one
two
three" ]
