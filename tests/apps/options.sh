#!/bin/bash
# SPDX-License-Identifier: MIT
# native: skip
# timeout: 120
# The options of `carbyne run`, its exit statuses, and what it leaves of the host: everything.
# Should the wall between sandbox and host fail, this script must do no harm: it removes and
# changes only what it made itself, under names of its own.
. "$(dirname "$0")/common"
run() { "$CARBYNE" run "$@"; }

# refuses NAME STATUS ARGUMENTS...: ends with this status and one sentence on standard error
refuses() {
	local name=$1 want=$2 got=0
	shift 2
	"$CARBYNE" "$@" >out 2>err </dev/null || got=$?
	same "$name: status" "$want" "$got"
	same "$name: one sentence" "1 0" "$(wc -l <err) $(wc -c <out)"
}

# --- exit statuses
status "the program's own status" 7 run -- sh -c 'exit 7'
status "status 0" 0 run -- true
status "a program's 125 passes" 125 run -- sh -c 'exit 125'
for s in HUP:129 INT:130 ABRT:134 KILL:137 SEGV:139 TERM:143; do
	status "death by SIG${s%:*}" "${s#*:}" run -- sh -c "kill -${s%:*} \$\$"
done
refuses "an unknown long option" 125 run --no-such-option -- true
refuses "an unknown short option" 125 run -Z -- true
refuses "an option without its value" 125 run --rootfs
refuses "no program" 125 run
refuses "no program after --" 125 run --
refuses "an unknown command" 125 nonsense
refuses "no command" 125
refuses "a missing program" 127 run -- no-such-program
refuses "a missing program by path" 127 run -- ./no/such/program
echo data >plain
printf '\177ELF broken' >broken
chmod 755 broken
refuses "a file that may not be run" 126 run -- ./plain
refuses "a broken program" 126 run -- ./broken
refuses "a directory as a program" 126 run -- /usr
refuses "a missing root" 125 run --rootfs ./no-such-directory -- true
refuses "a root that is a file" 125 run --rootfs ./plain -- true
refuses "a missing volume" 125 run -v ./no-such-directory:/x -- true
refuses "a volume without a place" 125 run -v "$PWD" -- true
refuses "a volume at a relative place" 125 run -v "$PWD:x" -- true
refuses "a volume with a strange mode" 125 run -v "$PWD:/x:wild" -- true
refuses "a relative tmpfs" 125 run --tmpfs x -- true
refuses "a missing working directory" 125 run -w /no/such/directory -- true
refuses "an unknown user" 125 run -u no-such-user -- true
refuses "a variable without a name" 125 run -e =x -- true

# --- arguments and standard streams
same "arguments arrive as they are" $'<a b>\n<>\n<*>\n<-v>' "$(run -- printf '<%s>\n' 'a b' '' '*' -v)"
same "options end at the program" "-e x" "$(run printf '%s ' -e x | sed 's/ $//')"
same "standard input" "4" "$(printf abcd | run -- wc -c)"
same "standard error apart" "out" "$(run -- sh -c 'echo out; echo err >&2' 2>/dev/null)"
same "a closed standard input" "done" "$(run -- sh -c 'echo done' <&-)"
same "output to a file" "in file" "$(run -- echo in file >file; cat file)"
same "a pipeline around it" 3 "$(seq 3 | run -- cat | run -- wc -l)"

# --- environment
same "the environment is the caller's" "v w" "$(A=v B="w" run -- sh -c 'echo $A $B')"
same "-e sets" "1 two words" "$(run -e A=1 -e 'B=two words' -- sh -c 'echo $A $B')"
same "-e overrides" "new" "$(A=old run -e A=new -- sh -c 'echo $A')"
same "-e NAME passes on" "old" "$(A=old run -e A -- sh -c 'echo $A')"
same "-e with an empty value" "set:" "$(run -e A= -- sh -c 'echo ${A+set}:$A')"

# --- working directory
same "the working directory is the caller's" "$PWD" "$(run -- pwd)"
same "its files are visible, in /tmp too" "data" "$(run -- cat plain)"
mkdir -p sub/deep
same "a deeper one" "$PWD/sub/deep" "$(cd sub/deep && run -- pwd)"
same "-w" "/usr/bin" "$(run -w /usr/bin -- pwd)"

# --- the host stays as it was
before=$(find . -printf '%p %s %m %T@\n' | grep -Ev '^\./(out|err|file|before) ' | sort)
run -- sh -c 'echo changed >plain; echo new >new; rm broken; mkdir dir; mv sub moved; chmod 600 plain; ln -s x l
	touch -d 2001-01-01 plain; [ "$(cat plain)" = changed ] && [ -d moved/deep ] && [ ! -e broken ]' ||
	fail "changes are seen inside"
after=$(find . -printf '%p %s %m %T@\n' | grep -Ev '^\./(out|err|file|before) ' | sort)
same "writes do not reach the working directory" "$before" "$after"
same "the next run starts afresh" "data" "$(run -- cat plain)"
export mark=carbyne-test-$$
run -- sh -c "echo x >/tmp/$mark; echo x >/dev/shm/$mark; ls /tmp/$mark /dev/shm/$mark" >/dev/null ||
	fail "/tmp and /dev/shm can be written"
same "/tmp and /dev/shm are the sandbox's own" "" "$(ls /tmp/$mark /dev/shm/$mark 2>/dev/null)"
if [ "$(id -u)" = 0 ]; then
	echo host >"/var/tmp/$mark"
	trap 'rm -f "/etc/$mark" "/var/tmp/$mark" "/tmp/$mark" "/dev/shm/$mark"' EXIT
	same "root may write anywhere inside" "x gone" "$(run -- sh -c "echo x >/etc/$mark; rm /var/tmp/$mark
		echo \$(cat /etc/$mark) \$([ -e /var/tmp/$mark ] || echo gone)")"
	same "and changes nothing" "host" "$(cat "/etc/$mark" "/var/tmp/$mark" 2>/dev/null)"
fi

# --- volumes
mkdir real
echo host >real/f
same "-v shows a directory" host "$(run -v "$PWD/real:/mnt/$mark" -- cat /mnt/$mark/f)"
run -v "$PWD/real:/mnt/$mark" -- sh -c 'echo inside >/mnt/$mark/g; mkdir /mnt/$mark/d; mv /mnt/$mark/f /mnt/$mark/d/f; ln -s g /mnt/$mark/l'
same "-v lets writes through" "inside host g" "$(cat real/g) $(cat real/d/f) $(readlink real/l)"
same "-v makes the place" ok "$(run -v "$PWD/real:/made/for/this" -- sh -c '[ -f /made/for/this/g ] && echo ok')"
same "-v :ro refuses writes" "inside 30" "$(run -v "$PWD/real:/mnt/$mark:ro" -- /usr/bin/python3 -c '
import os
print(open("/mnt/" + os.environ["mark"] + "/g").read().strip(), end=" ")
try: open("/mnt/" + os.environ["mark"] + "/new", "w")
except OSError as e: print(e.errno)')"
same "-v of one file" inside "$(run -v "$PWD/real/g:/mnt-file" -- cat /mnt-file)"
same "-v twice" "inside host" "$(run -v "$PWD/real:/mnt/a" -v "$PWD/real/d:/mnt/b" -- sh -c 'echo $(cat /mnt/a/g /mnt/b/f)')"
same "-v cannot be left upwards" "" "$(run -v "$PWD/real:/mnt/$mark" -- sh -c 'ls /mnt/$mark/../real 2>/dev/null')"
echo secret >secret
ln -s "$PWD/secret" real/absolute
ln -s ../secret real/relative
same "links in a volume do not lead out" "" "$(run --tmpfs "$PWD" -v "$PWD/real:/mnt/$mark" -w / -- \
	sh -c 'cat /mnt/$mark/absolute /mnt/$mark/relative' 2>/dev/null)"
same "--volume is the long name" inside "$(run --volume "$PWD/real:/mnt/$mark" -- cat /mnt/$mark/g)"

# --- tmpfs
same "--tmpfs is empty" 0 "$(run --tmpfs /usr/share -- sh -c 'ls -A /usr/share | wc -l')"
same "--tmpfs can be written" x "$(run --tmpfs /fresh -- sh -c 'echo x >/fresh/f; cat /fresh/f')"
same "--tmpfs is a tmpfs" tmpfs "$(run --tmpfs /fresh -- stat -f -c %T /fresh)"

# --- another root
if command -v busybox >/dev/null; then
	mkdir -p root/bin root/etc root/proc root/dev root/tmp
	cp "$(command -v busybox)" root/bin/busybox
	ln -s busybox root/bin/sh
	echo "user:x:1234:1234::/:/bin/sh" >root/etc/passwd
	echo x >"root/$mark"
	same "--rootfs is the root" "bin etc" "$(run --rootfs "$PWD/root" -- /bin/busybox sh -c 'cd /; echo [be]*')"
	same "--rootfs starts in /" "/" "$(run --rootfs "$PWD/root" -- /bin/sh -c pwd)"
	same "--rootfs is not written" gone "$(run --rootfs "$PWD/root" -- /bin/sh -c "echo y >/$mark.new; /bin/busybox rm /$mark; [ -e /$mark ] || echo gone"
		[ ! -e "root/$mark.new" ] && [ -e "root/$mark" ] || echo written)"
	same "--rootfs hides the host" no "$(run --rootfs "$PWD/root" -- /bin/sh -c '[ -e /usr/bin ] || echo no')"
	refuses "--rootfs without the program" 127 run --rootfs "$PWD/root" -- /usr/bin/python3
	same "-v into a --rootfs" inside "$(run --rootfs "$PWD/root" -v "$PWD/real:/v" -- /bin/busybox cat /v/g)"
fi

# --- users
same "the caller's identity" "$(id -u) $(id -g)" "$(run -- sh -c 'echo $(id -u) $(id -g)')"
if [ "$(id -u)" = 0 ]; then
	same "-u by number" "1234 5678" "$(run -u 1234:5678 -w / -- sh -c 'echo $(id -u) $(id -g)')"
	same "-u by name" "$(id -u nobody)" "$(run -u nobody -w / -- id -u)"
	same "-u takes rights away" no "$(run -u 1234 -w / -- sh -c 'mkdir "/usr/$mark" 2>/dev/null || echo no')"
fi

# --- reports, signals, what is left
run --stats -- true 2>err >out || fail "--stats: status"
[ -s err ] && [ ! -s out ] || fail "--stats prints on standard error alone"
same "--report keeps the program's output" hi "$(run --report -- echo hi 2>/dev/null)"
same "signals are passed on" "got 3" "$(
	"$CARBYNE" run -- bash -c 'trap "echo -n got; exit 3" TERM; echo ready >&2; while :; do sleep 0.05; done' 2>ready &
	for i in $(seq 400); do [ -s ready ] && break; sleep 0.05; done
	kill -TERM $!; wait $!; echo " $?")"
same "nothing is left behind" "" "$(run -- sh -c 'sleep 77.7125 & sleep 77.7125 & exit 0' >/dev/null 2>&1
	for i in $(seq 100); do ps -eo args | grep -q '^sleep 77.712[5]' || break; sleep 0.1; done
	ps -eo args | grep '^sleep 77.712[5]')"
same "two sandboxes at once" $'1\n2' "$( (run -- sh -c 'sleep 0.3; echo 1' & run -- sh -c 'sleep 0.3; echo 2'; wait) | sort)"
same "a sandbox in a background job" 5 "$(run -- sh -c 'exit 5' & wait $!; echo $?)"
finish
