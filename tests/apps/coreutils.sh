#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# GNU coreutils: listings of the host's tree, copies, large sorts, time limits, following files.
. "$(dirname "$0")/common"

long=-lRgG
[ "$OWNERS" ] && long=-lR
$RUN ls $long /usr >inside.list 2>inside.err
$PLAIN ls $long /usr >native.list 2>native.err
if cmp -s native.list inside.list; then
	echo "ok: ls -lR /usr"
else
	fail "ls -lR /usr"
	diff native.list inside.list | head -n 20
fi
same "ls -lR /usr: complaints" "$(sort native.err)" "$(sort inside.err)"
both "ls -la /" bash -c 'ls -la / | tr -s " " | grep -Ev " (\.|\.\.|proc|sys|dev|tmp|run)( ->.*)?$" | grep -v ^total'
both "stat of known files" stat -c '%n %F %a %s %U %G %h %Y' /bin/sh /etc/passwd /usr /usr/bin/env
both "checksums" bash -c 'cd /usr/bin; sha256sum bash ls cat env sort; md5sum /usr/lib/x86_64-linux-gnu/libc.so.6'
both "du of a tree" du -sb /usr/share/perl5
both "wc of many files" bash -c 'cat /usr/include/*.h | wc; ls /usr/bin | wc -l'

same "cp -a keeps all" same "$($RUN bash -c 'cd "$(mktemp -d)"
	mkdir a; for i in {1..50}; do echo $i >a/f$i; chmod $((600 + i % 8)) a/f$i; done
	ln -s f1 a/link; ln a/f2 a/hard; mkfifo a/pipe; mkdir -p a/x/y; touch -d 2001-02-03 a/x/y a/f3
	cp -a a b
	(cd a; ls -lR --time-style=full-iso) >1; (cd b; ls -lR --time-style=full-iso) >2; cmp 1 2 && echo same')"
same "cp -a of a host tree" same "$($RUN bash -c 'cd "$(mktemp -d)"; cp -a /usr/share/perl5 c
	diff -r /usr/share/perl5 c && echo same')"
same "mv, rm, mkdir -p" "moved gone" "$($RUN bash -c 'cd "$(mktemp -d)"; mkdir -p a/b/c; echo moved >a/b/c/f
	mv a/b z; echo -n "$(cat z/c/f) "; rm -rf a z; ls | wc -l | sed s/0/gone/')"
same "install, ln, readlink" "755 f target" "$($RUN bash -c 'cd "$(mktemp -d)"; echo x >f; install -m 755 f g
	ln -s target l; echo $(stat -c %a g) $(ls f) $(readlink l)')"

same "sort of 200 MB" "$(seq 1 4000000 | md5sum)" "$($RUN bash -c 'cd "$(mktemp -d)"
	seq 4000000 -1 1 | awk "{ printf \"%50d\\n\", \$1 }" >in
	[ $(stat -c %s in) -ge 200000000 ] || echo short
	sort -n -S 64M -T . in | tr -d " " | md5sum; rm -f in')"
same "sort, uniq, join, comm" $'2 a\n1 b\na 1 2' "$($RUN bash -c 'cd "$(mktemp -d)"
	printf "b\na\na\n" | sort | uniq -c | sed "s/^ *//"; echo "a 1" >x; echo "a 2" >y; join x y')"

status "timeout ends a sleeper" 124 $RUN timeout 0.2 sleep 10
status "timeout -s KILL" 137 $RUN timeout -s KILL 0.2 sleep 10
status "timeout lets the quick pass" 3 $RUN timeout 5 bash -c 'exit 3'
status "timeout --foreground" 124 $RUN timeout --foreground 0.2 sleep 10
same "tail -f follows a growing file" $'1\n2\n3' "$($RUN bash -c 'cd "$(mktemp -d)"; echo 1 >f
	(for i in 2 3; do sleep 0.2; echo $i >>f; done) & timeout 20 tail -n +1 -s 0.05 -f --pid=$! f' 2>/dev/null)"
same "head and tail -c" "abc xyz" "$($RUN bash -c 'printf abcdefxyz | tee >(tail -c 3 >/dev/null) | (head -c 3; cat >/dev/null); echo " xyz"')"
same "dd" $'1048576\n10+0 records in' "$($RUN bash -c 'dd if=/dev/zero bs=1M count=1 2>/dev/null | wc -c; dd if=/dev/zero of=/dev/null bs=4k count=10 2>&1 | head -n 1')"
same "dd to /dev/full" 1 "$($RUN bash -c 'dd if=/dev/zero of=/dev/full bs=1 count=1 2>/dev/null; echo $?')"
same "truncate, split, cat" same "$($RUN bash -c 'cd "$(mktemp -d)"; seq 100000 >f; split -b 50k f p.; cat p.* | cmp - f && echo same')"
same "touch and date" "2020-02-02 02:02:02" "$($RUN bash -c 'cd "$(mktemp -d)"; touch -d "2020-02-02 02:02:02" f; date -r f "+%F %T"')"
same "chmod, mkdir -m, umask" "640 711 600" "$($RUN bash -c 'cd "$(mktemp -d)"; umask 077; >f; mkdir -m 711 d; >g; chmod 640 f; echo $(stat -c %a f d g)')"
same "env and printenv" "A=1" "$($RUN env -i A=1 /usr/bin/env)"
both "id, uname, nproc, whoami" bash -c 'id -u; id -g; uname -sm; nproc; whoami; hostname | wc -l'
both "realpath and readlink -f" bash -c 'realpath /bin/sh /usr/../etc/./passwd; readlink -f /bin/sh'
same "mktemp, test, expr" "yes 7" "$($RUN bash -c 'f=$(mktemp); [ -f $f -a -w $f ] && echo yes $(expr 3 + 4)')"
same "nice, nohup, stdbuf" "ok ok ok" "$($RUN bash -c 'cd "$(mktemp -d)"; echo $(nice echo ok) $(nohup echo ok 2>/dev/null) $(stdbuf -oL echo ok)')"
same "df and sync" 0 "$($RUN bash -c 'df . >/dev/null && sync . && echo $?' 2>&1)"
same "xargs -P" 100 "$($RUN bash -c 'seq 100 | xargs -P 4 -n 1 echo | wc -l')"
same "rm -rf of a deep tree" gone "$($RUN bash -c 'cd "$(mktemp -d)"; p=d; for i in {1..60}; do p=$p/sub; done; mkdir -p $p; rm -rf d; [ -e d ] || echo gone')"
finish
