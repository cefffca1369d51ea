#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# GNU coreutils, the programs that ask the system or start others: each prints and returns as
# natively. A sandbox has a host name and users who are logged in of its own (none), and its
# process ids; dates are those of the host.
. "$(dirname "$0")/programs"

prog arch 'arch; arch x'
prog uname 'uname -s; uname -m; uname -o; uname -p; uname -i; uname -r | tr 0-9 n | cut -c 1-2; uname -v | wc -l; uname -a | wc -l; uname -n | wc -w; uname x; uname -sm'
prog nproc 'nproc; nproc --all; nproc --ignore=1; OMP_NUM_THREADS=1 nproc; taskset -c 0 nproc; nproc x; OMP_THREAD_LIMIT=1 nproc'
prog hostid 'hostid | wc -c; hostid x'
prog date 'date -u -d @0; date -d "2001-02-03 04:05:06" +%s; date -u -d "1 day ago 2001-01-01" +%F; date -Iseconds -u -d @1; date -R -u -d @1; TZ=America/New_York date -d @1000000000; TZ=Asia/Kolkata date -d @1000000000 +%c%Z; touch -d @77 f; date -r f +%s; date -d nonsense; printf "@1\n@2\n" | date -u -f - +%s; date --debug -u -d @0 2>/dev/null; a=$(date +%s); b=$(awk "BEGIN{srand();print srand()}"); echo $((b - a <= 1)); date +%N | wc -c; date +%A%B%j -u -d @5; date --resolution; [ $(id -u) = 0 ] || date -s @0 2>&1'
prog id '[ $(id -u) != 0 ] || set -- -a; id; id -u; id -g; id -G; id -un; id -gn; id -Gn; id -r -u; id root; id nobody; id -Gn daemon; id nosuchuser; id -z -G | od -c; id -p; id -u root nobody; id -Z; echo $?'
prog groups 'groups; groups root nobody; groups nosuchuser'
prog whoami 'whoami; whoami x; id -u'
prog logname 'logname >l 2>&1; r=$?; [ $r = 0 ] || cat l; logname x'
# Who is logged in, on the host: not the sandbox's business; the host's utmp is the same file.
prog users 'users nosuchfile; echo $?; users /dev/null; users x y'
prog who 'who nosuchfile; who /dev/null; who -m </dev/null; who -H /dev/null; who -b /dev/null; who a b c; who -q /dev/null'
prog pinky 'pinky -l root; pinky -l nosuchuser; pinky -f -s nosuchuser; pinky -b -l root; pinky -l'
prog printenv 'A=1 B=2 printenv A B; printenv NOPE; echo $?; env -i X=y /usr/bin/printenv; printenv -0 HOME | wc -l'
prog env 'env -i A=1 B=2 env; env -u HOME printenv HOME; echo $?; env -C / pwd -P; env -i; env -S "echo a b"; env -v echo x; env nosuchcommand; echo $?; env /; echo $?; env --ignore-signal=PIPE bash -c "trap"; env --block-signal=USR1 bash -c "kill -USR1 \$\$; echo alive"; env --default-signal=INT --list-signal-handling true; env -0 -i A=1 | od -c; env - env | wc -l; printf "#!/usr/bin/env -S awk -f\nBEGIN{print \"awk script\"}\n" >s; chmod +x s; ./s; env --ignore-signal=INT,TERM --list-signal-handling true'
prog nice 'nice; nice -n 5 nice; nice nice nice; nice -n 19 nice -n 19 nice; nice -n -5 nice 2>&1; echo $?; nice nosuch; echo $?; nice -n x true; nice -n 3 bash -c "exit 7"; echo $?'
prog nohup 'nohup echo x; ls; cat nohup.out; nohup echo y >o; cat o; nohup; echo $?; nohup nosuch; echo $?; (nohup bash -c "kill -HUP \$\$; echo survived" >s); cat s; nohup sh -c "echo err >&2" 2>&1 | cat; chmod 0 .; HOME=$PWD nohup true >/dev/null; echo $?; nohup bash -c "exit 5" >/dev/null 2>&1; echo $?'
prog stdbuf 'stdbuf -oL echo x; (echo a; sleep 0.1; echo b) | stdbuf -oL cut -c1; stdbuf -o0 -e0 -i0 cat /etc/debian_version; stdbuf -oL; stdbuf -oX true; stdbuf -o 1M tr a b <<<banana; stdbuf -oL nosuch; echo $?; stdbuf -oL env | grep -c STDBUF'
# SIGALRM is the end of the time: it comes when the program is ready for it.
prog timeout '{ over() { until [ -e ready ]; do sleep 0.02; done; rm ready; kill -ALRM $1; wait $1; echo $?; }
	timeout 0.1 sleep 5; echo $?; timeout 5 true; echo $?; timeout 5 bash -c "exit 3"; echo $?; timeout -s KILL 0.1 sleep 5; echo $?; timeout -s INT 60 bash -c "trap \"echo int; exit 9\" INT; >ready; while :; do sleep 0.05; done" & over $!; timeout -k 0.1 60 bash -c "trap \"\" TERM; >ready; sleep 60; sleep 60" & over $!; timeout --preserve-status 0.1 sleep 5; echo $?; timeout --foreground 0.1 sleep 5; echo $?; timeout -v 0.1 sleep 5; echo $?; timeout nosuch x; timeout 5 nosuch; echo $?; timeout 5 /; echo $?; timeout 0 echo forever; timeout 0.1 bash -c "sleep 5 & wait"; echo $?; timeout -s NOPE 1 true; echo $?; timeout -s 0 1 true; timeout 0.2 bash -c "sleep 9 | sleep 9"; echo $?; timeout 1 timeout 0.1 sleep 5; echo $?; } 2>&1 | normal "s/ +[0-9]+ Killed/ Killed/"'
prog sleep 'a=$(date +%s%N); sleep 0.1 0.1; b=$(date +%s%N); echo $((b - a >= 200000000)); sleep; sleep x; sleep 0; sleep 0.001s; sleep -1; (sleep 5 & p=$!; kill $p; wait $p; echo $?); { sleep infinity & kill -9 $!; wait $!; } 2>/dev/null; echo $?'
prog stty 'stty; echo $?; stty -a </dev/null; stty -F /dev/null; stty -F nosuch; stty size; stty --help | head -n 1'
prog tty 'tty; echo $?; tty -s; echo $?; tty x; tty </etc/passwd'
prog chroot 'chroot --help | head -n 1; chroot; echo $?; chroot nosuch true; echo $?; [ $(id -u) != 0 ] || { mkdir -p r/bin r/etc; cp /bin/busybox r/bin; chroot r /bin/busybox ls -a /; chroot r /bin/busybox pwd; chroot r /bin/nosuch; echo $?; chroot --userspec=33:34 --groups=5,6 r /bin/busybox sh -c "echo \$(busybox id -u)"; chroot --userspec=33:34 --groups=5,6 / id -G; chroot r /bin/busybox cat /etc/passwd; chroot r /bin/busybox ls /.. ; chroot --skip-chdir / sh -c "pwd -P" | wc -l; chroot --skip-chdir r /bin/busybox true; }; chroot / true; echo $?'
# Why there is no context is the host's matter: which security modules its kernel has.
prog runcon 'runcon 2>/dev/null; echo $?; runcon x:y:z:s0 true; echo $?'
prog dircolors 'dircolors -b | md5sum; dircolors -c | md5sum; dircolors -p | md5sum; TERM=dumb dircolors; echo x | dircolors -; dircolors nosuch; TERM=xterm dircolors --print-ls-colors | wc'
prog true 'env true; echo $?; env true x; env true --version | head -n 1; env true --help >/dev/full; echo $?'
prog false 'env false; echo $?; env false x; echo $?; env false --help | wc -l'

# On a terminal: the one of the caller is the sandbox's console.
if command -v script >/dev/null; then
	terminal() {
		local name=$1 script=$2 want got
		want=$(SHELL=/bin/bash script -qec "bash -c '$script'" /dev/null </dev/null; echo "status $?")
		got=$(SHELL=/bin/bash script -qec "$RUN bash -c '$script'" /dev/null </dev/null; echo "status $?")
		same "$name on a terminal" "$want" "$got"
	}
	terminal stty 'stty -a; stty raw -echo; stty; stty sane; stty rows 33 cols 99; stty size; stty -g; stty intr ^A; stty -a | head -n 2; stty speed; stty bogus; stty -F /dev/tty size'
	terminal tty 'tty -s; echo $?; tty | wc -l; test -t 0; echo $?; test -t 1; echo $?; tty </dev/null'
	terminal nohup 'cd $(mktemp -d); nohup echo x; ls; cat nohup.out'
	terminal 'ls' 'cd /usr/share/perl5; ls; ls --color=auto -F | head -n 3; stty cols 40; ls'
	terminal 'timeout and bash' 'timeout 20 bash -c "echo in; exit 4"; echo $?; timeout --foreground 0.1 sleep 60; echo $?'
fi
finish_programs
