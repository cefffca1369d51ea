#!/bin/bash
# SPDX-License-Identifier: MIT
# escape_roots.sh - a sandbox sees what it was given: a root (--rootfs) and volumes (-v). Paths, links and
# moved directories in them lead to nothing else, and what is read-only stays as it is.
# native: skip
set -u
failures=0

fail() {
	echo "not ok: $*"
	failures=$((failures + 1))
}

# sees NAME WANT COMMAND...: what the command prints
sees() {
	local name=$1 want=$2 got
	shift 2
	got=$("$@" 2>/dev/null </dev/null)
	if [ "$got" = "$want" ]; then
		echo "ok: $name"
	else
		fail "$name: '$got', not '$want'"
	fi
}

busybox=$(command -v busybox) && ! readelf -l "$busybox" 2>/dev/null | grep -q INTERP || {
	echo "skip: no static busybox here"
	exit 77
}
mkdir -p root/bin root/d root/proc volume/d outside
cp "$busybox" root/bin/busybox
ln -s busybox root/bin/sh
echo secret >outside/secret
echo "the guest's" >root/secret
echo inner >volume/d/file
ln -s "$PWD/outside/secret" volume/absolute
ln -s ../outside/secret volume/relative
ln -s ../../../../../../../../../../../../secret volume/deep
ln -s /proc/self/root/../../secret volume/magic
ln -s ../outside root/out
chmod -R a+rX .

inside() {
	"$CARBYNE" run --rootfs "$PWD/root" -v "$PWD/volume:/v" -v "$PWD/volume:/ro:ro" -- /bin/sh -c "$1"
}
words() {
	"$CARBYNE" run --rootfs "$PWD/root" -- /bin/sh -c "$1"
}

sees "an absolute link does not leave" "" inside "busybox cat /v/absolute"
sees "a relative link does not leave" "" inside "busybox cat /v/relative"
sees "a link in the root does not leave" "" words "busybox cat /out/secret"
sees "dots in a link stop at the guest's root" "the guest's" inside "busybox cat /v/deep"
sees "a magic link leads to the guest's root" "the guest's" inside "busybox cat /v/magic"
sees "dots stop at the guest's root" "the guest's" words "cd /d; busybox cat ../../../../../secret"
sees "dots leave a volume for the guest's root" "the guest's" inside "cd /v/d; busybox cat ../../secret"
sees "the host's directories are not there" "no" words "[ -e $PWD ] || [ -e /usr/bin ] || echo no"

# a directory that moves away under the guest's feet
sees "a moved directory gives no way up" "inner" inside \
	'cd /v/d; busybox mkdir /v/e; busybox mv /v/d /v/e/d; busybox cat file; busybox cat ../../../../secret/x ../../../outside/secret'
[ -e volume/e/d/file ] && mv volume/e/d volume/d && rmdir volume/e

# while another one inside swaps a directory for a link
sees "a swapped link is never followed to the host" "" inside '
	cd /v
	(i=0; while [ $i -lt 300 ]; do i=$((i + 1))
		busybox rm -rf s; busybox mkdir s; busybox rm -rf s; busybox ln -s '"$PWD/outside"' s
	done) &
	i=0; while [ $i -lt 300 ]; do i=$((i + 1)); busybox cat s/secret; done
	wait; busybox rm -rf s'

# what is read-only, and the root that only seems to be written
sees "a read-only volume is not written" "no" inside "{ echo x >/ro/new; } 2>/dev/null || echo no"
sees "nor changed" "no" inside "busybox rm /ro/d/file || busybox chmod 0 /ro/d/file || busybox mv /ro/d /ro/e || echo no"
sees "the root is not written" "gone" words "busybox rm /secret; echo x >/new; [ -e /secret ] || echo gone"
[ "$(cat root/secret)" = "the guest's" ] || fail "the root's file is gone"
[ ! -e root/new ] && [ ! -e volume/new ] || fail "a file has come to the host"
[ "$(cat volume/d/file)" = inner ] || fail "the volume's file has changed"
[ "$(cat outside/secret)" = secret ] || fail "a file outside has changed"
sees "a volume is written" "yes" inside "echo yes >/v/new; busybox cat /v/new"
[ "$(cat volume/new)" = yes ] || fail "the volume was not written"
[ "$failures" = 0 ]
