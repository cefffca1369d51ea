#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# util-linux, program by program: what an ordinary user runs, and how the rest start and refuse.
# Nothing here may change the machine when it runs natively as root.
. "$(dirname "$0")/programs"
. "$(dirname "$0")/covers"

prog addpart 'addpart; addpart /dev/null 1 1 1; addpart nosuch 1 0 1; addpart -V'
prog delpart 'delpart; delpart /dev/null 1; delpart nosuch 1; delpart -V'
prog resizepart 'resizepart; resizepart /dev/null 1 1; resizepart nosuch 1 1; resizepart -V'
prog partx 'partx -V; partx /dev/null; partx nosuch; truncate -s 1M i; partx -s i; partx -o x i'
prog agetty 'agetty -V; agetty; agetty --help | head -n 1; agetty -x'
prog getty 'getty -V; getty'
prog blkdiscard 'blkdiscard -V; blkdiscard /dev/null; blkdiscard nosuch; >f; blkdiscard f'
prog blkid 'blkid -V; blkid nosuch; echo $?; blkid /dev/null; echo $?; truncate -s 1M i; blkid i; echo $?; mkswap -q -U 11111111-1111-1111-1111-111111111111 -L lbl i 2>/dev/null; blkid i; blkid -p i; blkid -p -o export i; blkid -o value -s LABEL i; blkid -p -O 4096 i; blkid -k | sort | head -n 5'
prog blkzone 'blkzone -V; blkzone report /dev/null; blkzone report nosuch; blkzone x y'
prog blockdev 'blockdev -V; blockdev --getsize64 /dev/null; blockdev --getss nosuch; truncate -s 1M i; blockdev --getsize64 i; blockdev --report nosuch; blockdev; blockdev -h | head -n 3'
prog chcpu 'chcpu -V; chcpu; chcpu -e x; chcpu -h | head -n 3'
prog choom 'choom -n 500 -- cat /proc/self/oom_score_adj; choom -p $$ | normal "s/pid [0-9]+/pid/"; choom -n 100 -p $$ | normal "s/pid [0-9]+/pid/"; cat /proc/$$/oom_score_adj; choom -n 2000 true; choom -p 9999999; choom; choom -V'
prog chrt 'chrt -m; chrt -p $$ | normal "s/pid [0-9]+/pid/"; chrt -b 0 chrt -p 0 | normal "s/pid [0-9]+/pid/"; chrt -i 0 bash -c "chrt -p \$\$" | normal "s/pid [0-9]+/pid/"; chrt -o 0 echo ok; chrt -f 1000 echo x; chrt -f x echo x; chrt -o 5 echo x; chrt; chrt -V; chrt -b -p 0 $$; ps -o cls= -p $$; chrt -a -p $$ | wc -l; chrt -p 99999999'
prog ctrlaltdel 'ctrlaltdel -V; ctrlaltdel x'
prog dmesg 'dmesg -V; dmesg -x -d 2>&1 | head -n 0; dmesg -l nosuch; dmesg -f nosuch; dmesg -h | head -n 4; printf "<6>[    1.000000] hello\n<3>[    2.5] bad\n" >f; dmesg -F f; dmesg -F f -x; dmesg -F f -l err -t; dmesg -F f -J | head -n 3'
prog fallocate 'fallocate -l 1M f; stat -c %s f; [ $(stat -c %b f) -ge 2048 ]; echo $?; fallocate -p -o 4096 -l 8192 f; stat -c %s f; fallocate -n -l 2M f; stat -c %s f; fallocate -d f; echo $?; fallocate -l 0 f; fallocate -l x f; fallocate f; fallocate -l 1 .; fallocate -x -l 5000 g; stat -c %s g; fallocate -o 100 -l 10 h; stat -c %s h; fallocate -V; echo abc >i; fallocate -p -o 0 -l 2 i; od -c i'
prog fincore 'seq 20000 >f; fincore -n -o SIZE,FILE f; fincore -b -n -o SIZE f; fincore -J -o FILE f; fincore nosuch; fincore; fincore -V; >e; fincore -n -o PAGES,SIZE e'
prog findfs 'findfs; findfs LABEL=none; findfs UUID=none; findfs x=y; findfs -V'
prog findmnt 'findmnt -V; findmnt -r -n -o TARGET,FSTYPE -t proc | head -n 1; findmnt -n -o TARGET /; findmnt nowhere; echo $?; findmnt -T /proc/self -n -o TARGET,FSTYPE; findmnt --kernel -r -n -t sysfs -o TARGET,FSTYPE | head -n 1; findmnt -J -o TARGET -T /proc | head -n 4; findmnt -r -n -o TARGET,FSTYPE /proc; findmnt -P -n -o TARGET,FSTYPE /proc; findmnt -o nosuch; printf "/dev/sda1 / ext4 ro 0 1\nnone /x tmpfs size=1m 0 0\n" >fstab; findmnt -F fstab; findmnt -F fstab -n -o SOURCE /x; findmnt -F fstab -t ext4 -l; findmnt -p -w 100 -n >/dev/null; echo $?; findmnt -x -F fstab 2>&1 | tail -n 1 | wc -l; findmnt -n -o FSTYPE -T /dev/null; findmnt -m / -n | wc -l'
prog flock 'flock f echo got; (flock -n 9 || exit 1; flock -n f echo no || echo busy $?) 9>f; flock -s f flock -s f echo shared; exec 8>f; flock 8; flock -w 0.2 -E 7 f true; echo $?; flock -n -E 9 -s f true; echo $?; flock -u 8; flock -n f echo free; flock f -c "exit 3"; echo $?; (flock 9; >held; sleep 0.5; echo first) 9>f & until [ -e held ]; do sleep 0.02; done; flock --verbose f echo second | normal "s/[0-9.]+ seconds/T/"; wait; flock -o f bash -c "ls -l /proc/\$\$/fd 2>/dev/null | grep -c /f\$"; flock f bash -c "ls -l /proc/\$\$/fd 2>/dev/null | grep -c /f\$"; flock; flock x y z; flock -n 77; mkdir d; flock d echo dir; flock -V; seq 20 | xargs -P 5 -I{} flock f bash -c "n=\$(cat n 2>/dev/null || echo 0); echo \$((n + 1)) >n"; cat n'
prog fsck 'fsck -V; fsck -N nosuch 2>&1 | head -n 3; fsck -t nosuch nosuch; echo $?'
prog fsck.cramfs 'mkdir d; echo hello >d/f; ln -s f d/l; mkfs.cramfs -N little d i; fsck.cramfs i; echo $?; fsck.cramfs -v -x out i; cat out/f; fsck.cramfs /etc/passwd; fsck.cramfs nosuch; fsck.cramfs -V'
prog fsck.minix 'truncate -s 1M i; mkfs.minix i; fsck.minix -l i; fsck.minix -sv i; echo $?; fsck.minix /etc/passwd; fsck.minix nosuch; fsck.minix -V'
prog fsfreeze 'fsfreeze; fsfreeze -f nosuch; >f; fsfreeze -u f; fsfreeze -V'
prog fstrim 'fstrim -V; fstrim; fstrim nosuch; >f; fstrim f; fstrim -l x /'
prog getopt 'getopt -o ab:c -l long,arg: -n prog -- -a -b x --long file --arg=1 "a b" "it'\''s"; getopt -o a -- -z; echo $?; getopt --test; echo $?; getopt -q -o a -- -z; getopt -s csh -o a: -- -a "x y!"; getopt -u -o a:b -- -b c -a "d e" f; getopt -T; echo $?; getopt -a -o x -l foo -- -foo; getopt ab:c -a -b 1; getopt -o +a -- x -a; getopt -o -a -- x -a; getopt -l; getopt -o a -l opt:: -- --opt --opt=1 -aa; getopt -V; getopt'
prog hardlink 'echo a >a; cp -p a b; cp -p a c; echo b >d; hardlink -n -q .; stat -c %h a; hardlink -q .; stat -c "%n %h" a b c d; echo x >e; cp e f; touch -d 2001-01-01 f; hardlink -q -t .; stat -c %h e; hardlink nosuch | grep -v Duration; hardlink; hardlink -V;'
prog hwclock 'hwclock -V; hwclock -x; hwclock -h | head -n 3'
prog i386 'i386 uname -m; i386 bash -c "arch; cat /proc/self/personality"; i386 -V'
prog linux32 'linux32 uname -m; linux32 --uname-2.6 bash -c "uname -r | cut -c 1-4; uname -m"; linux32 linux64 uname -m; linux32 bash -c "uname -a | grep -c i686"; linux32 nosuch'
prog linux64 'linux64 uname -m; linux64 -R cat /proc/self/personality; linux64'
prog x86_64 'x86_64 uname -m; x86_64 -B -3 cat /proc/self/personality'
prog setarch 'setarch --list; setarch linux32 uname -m; setarch -R cat /proc/self/personality; setarch x86_64 -v -L -S -T -I -X -Z -F cat /proc/self/personality; setarch alpha true; setarch; setarch -V; setarch -R bash -c "a=\$(head -n 1 /proc/self/maps); b=\$(head -n 1 /proc/self/maps); [ \"\${a%% *}\" = \"\${b%% *}\" ]; echo \$?"; setarch --show'
prog ionice 'ionice; ionice -c 3 ionice; ionice -c 2 -n 7 ionice; ionice -c best-effort -n 3 ionice; ionice -p $$; ionice -c 2 -n 3 -p $$; ionice -p $$; ionice -c idle bash -c "ionice"; ionice -c 2 -n 9 true; ionice -c nosuch true; ionice -p 9999999; ionice -t -c 9 echo anyway; ionice -V; ionice -P 0 | wc -l; ionice -u $(id -u) | wc -l; nice -n 10 ionice'
left_out ipcmk ipcrm ipcs lsipc - System V IPC is a later piece of work
prog isosize 'isosize /etc/passwd; isosize nosuch; isosize; truncate -s 64K i; isosize i; isosize -V'
prog last 'last -f /dev/null | normal "s/begins .*/begins/"; last -f nosuch; last -n 0 -f /dev/null | wc -l; last -V; last -x'
prog lastb 'lastb -f /dev/null | normal "s/begins .*/begins/"; lastb -V; lastb -f nosuch'
prog utmpdump 'utmpdump /dev/null; printf x | utmpdump; echo $?; l="[7] [00123] [tty1] [root    ] [tty1        ] [host                ] [10.0.0.1       ] [2001-02-03T04:05:06,000000+00:00]"; echo "$l" | utmpdump -r >u; stat -c %s u; utmpdump u; TZ=UTC last -f u | head -n 1; utmpdump nosuch; utmpdump -o out u; cat out; utmpdump -V'
prog ldattach 'ldattach -V; ldattach; ldattach x /dev/null; ldattach -d tty nosuch; ldattach -h | head -n 3'
prog logger 'logger --no-act -s -t tag -p user.err hello 2>&1 | normal "s/[A-Z][a-z]{2} [ 0-9]+:[0-9:]+/T/"; logger --no-act -s --rfc5424=notime,nohost -t t -i x 2>&1 | normal "s/ [0-9]+ / P /g"; logger -p no.such x; logger -V; logger --no-act -s --id=5 -t a multi words 2>&1 | normal "s/[A-Z][a-z]{2} [ 0-9]+:[0-9:]+/T/"; printf "one\ntwo\n" | logger --no-act -s -t x --prio-prefix 2>&1 | normal "s/[A-Z][a-z]{2} [ 0-9]+:[0-9:]+/T/"; logger --no-act -e -f /dev/null; logger -f nosuch x; logger -S 3 --no-act -s -t y abcdef 2>&1 | normal "s/[A-Z][a-z]{2} [ 0-9]+:[0-9:]+/T/"; logger -u /nonexistent x'
prog losetup 'losetup -V; losetup nosuch; losetup /dev/null; losetup -j nosuch; losetup -d nosuch; losetup -h | head -n 3; losetup -n -O NAME -j /etc/passwd; losetup -x'
# The disks of the host are not there.
prog lsblk 'lsblk -V; lsblk -o nosuch; lsblk /dev/null; lsblk nosuch; lsblk -h | head -n 3; lsblk -n /etc/passwd'
# Caches and vulnerabilities: only what the host's /sys says more of.
prog lscpu 'lscpu | grep -E "^(Arch|CPU\(s\)|CPU op|Address|Byte|On-line|Vendor|Model|CPU fam|Thread|Core|Socket|Stepping|Hyper|Virtualization type|NUMA)" | normal "s/ +/ /g"; lscpu -e=cpu,core,socket,node,online; lscpu -p=cpu,core,socket,node; lscpu -J >out; python3 -m json.tool out >/dev/null; echo $?; lscpu -e=nosuch; lscpu -V; lscpu -b -p=cpu | tail -n 1; lscpu -a -e=cpu | wc -l'
prog lsfd 'exec 7<>f 8</dev/null; lsfd -p $$ -n -o ASSOC,MODE,TYPE | grep -E " *[78] "; lsfd -p $$ -n -o NAME -Q "(FD == 7)" | grep -c /f; lsfd -p $$ -n -o ASSOC,TYPE,NAME | grep -E "^ *(exe|rtd) "; lsfd -p $$ -n -o COMMAND | sort -u; lsfd -o nosuch; lsfd -V; lsfd -p $$ -J -o FD -Q "(FD == 8)"; lsfd -p $$ -n -o FD,POS,SIZE -Q "(FD == 7)" | normal "s/ +/ /g"; echo hi >&7; lsfd -p $$ -n -o POS,FLAGS -Q "(FD == 7)" | normal "s/ +/ /g; s/,large-file//"; lsfd -p 99999999 -n'
prog lsirq 'lsirq -V; lsirq -o nosuch; lsirq -h | head -n 3'
prog lslocks 'lslocks -V; touch f; exec 7<>f 8<>f; flock 7; lslocks -n -o COMMAND,TYPE,MODE,START,END,M -p $$ | normal "s/ +/ /g"; flock -u 7; flock -s 8; lslocks -n -o TYPE,MODE,BLOCKER -p $$ | normal "s/ +/ /g"; python3 -c "
import fcntl, os, subprocess
f = open(\"f\", \"r+\"); f.write(\"x\" * 100); f.flush()
fcntl.lockf(f, fcntl.LOCK_EX, 10, 20)
print(subprocess.run([\"lslocks\", \"-n\", \"-b\", \"-o\", \"TYPE,SIZE,MODE,START,END\", \"-p\", str(os.getpid())], capture_output=True, text=True).stdout.split())"; lslocks -o nosuch; lslocks -p 99999999; lslocks -J -o TYPE -p $$'
prog lslogins 'lslogins -o USER,UID,GID,HOMEDIR,SHELL; lslogins root | grep -v -E "Running|Last"; lslogins -u -o USER,UID; lslogins nosuchuser; lslogins -s -o USER | head -n 3; lslogins -g nogroup -o USER,GID; lslogins -e -o USER,UID | head -n 2; lslogins -l root,daemon -n -o USER,GECOS; lslogins -V; lslogins -o nosuch'
left_out lsmem chmem - the memory blocks in /sys of the host are not shown
prog lsns 'lsns -V; lsns -t nosuch; lsns -o nosuch; lsns -h | head -n 3'
# It reads all processes' and may stumble over those that end meanwhile: inside only.
[ "$RUN" ] && same "lsns: one namespace of each kind" "cgroup ipc mnt net pid time user uts 1" "$($RUN bash -c 'echo $(lsns -n -o TYPE -p $$ | sort)
	[ "$(lsns -n -o NS -t mnt -p $$ | tr -d " ")" = "$(readlink /proc/$$/ns/mnt | tr -dc 0-9)" ] && lsns -t uts -n -o TYPE -p $$ | wc -l' 2>&1 | tr '\n' ' ' | sed 's/ $//')"
prog mcookie 'mcookie | wc -c; mcookie | tr -d "0-9a-f\n" | wc -c; mcookie -f /etc/passwd -m 100 -v 2>&1 | tail -n 1 | wc -c; mcookie -f nosuch | wc -c; [ "$(mcookie)" = "$(mcookie)" ]; echo $?; mcookie -x; mcookie -V'
prog mesg 'mesg; mesg n; mesg x; mesg -V; mesg -v y'
prog mkfs 'mkfs -V; mkfs -t bfs nosuch; mkfs.nosuch; mkfs -t nosuch nosuch; truncate -s 1M i; mkfs -t minix i'
prog mkfs.bfs 'truncate -s 1M i; mkfs.bfs -v -N 50 -F fs i; od -An -tx1 -N 16 i; mkfs.bfs nosuch; mkfs.bfs -V; mkfs.bfs'
prog mkfs.cramfs 'mkdir -p d/e; seq 1000 >d/e/f; mkfifo d/p; mkfs.cramfs -v -n name d i 2>&1 | normal "s/[0-9]+(\.[0-9]+)?%?/N/g" | tail -n 3; file i 2>/dev/null | cut -d " " -f 2-7; mkfs.cramfs nosuch i; mkfs.cramfs; mkfs.cramfs -V'
prog mkfs.minix 'truncate -s 2M i; mkfs.minix -2 -n 30 -i 64 i; mkfs.minix -3 i; fsck.minix i; mkfs.minix nosuch; mkfs.minix -n 5 i; mkfs.minix -V; truncate -s 1K j; mkfs.minix j'
prog mkswap 'truncate -s 1M i; chmod 600 i; mkswap -q -U 11111111-1111-1111-1111-111111111111 -L name i 2>/dev/null; od -An -c -j 1052 -N 16 i; tail -c +4087 i | head -c 10; echo; mkswap nosuch; truncate -s 4K j; mkswap j; mkswap -V; mkswap -p 1 i'
prog more 'seq 5 >f; more f; seq 100 | more | tail -n 1; more f f; more nosuch; more -V; more /; more +3 f; more -2 f; more -s /etc/passwd >/dev/null; echo $?'
prog mount 'mount -V; mount | grep -c " on /proc type proc "; mount -t proc | head -n 1 | cut -d " " -f 2-5; mount nosuch; mount -T /dev/null nosuch; mount -h | head -n 3; mount -o; mount -f -t tmpfs none /tmp; mount -a -T /dev/null; echo $?'
prog mountpoint 'mountpoint /; mountpoint /usr/bin; mountpoint -d /proc | wc -l; mountpoint -q /nowhere; mountpoint -x /dev/null; echo $?; mountpoint /proc; mountpoint -q /proc; mountpoint --nofollow /proc; mountpoint; mountpoint -V; ln -s /proc l; mountpoint l; mountpoint --nofollow l; [ "$(mountpoint -d /proc)" = "$(awk "\$5 == \"/proc\" { print \$3; exit }" /proc/self/mountinfo)" ]; echo $?'
prog namei 'namei -l /usr/bin/sh | normal "s/ +/ /g"; namei -m /nowhere/x; namei -x /proc/self/cwd/. | head -n 3 | tail -n 2 | cut -c 1-6; namei -o /etc/passwd | cut -c 1; ln -s l l; namei l; ln -s /etc m; namei -v m/passwd; namei -n m/passwd; namei; namei -V; mkfifo p; namei -m p /dev/null'
prog nsenter 'nsenter -V; nsenter -t 99999999 -m true; nsenter -t x -u true; nsenter -u=nosuch true; nsenter --net=/etc/passwd true 2>&1 | cut -d : -f 1; nsenter -h | head -n 3; nsenter'
# There are namespaces of users, networks and time; what needs others is refused. Without any, it runs.
prog unshare 'unshare -V; unshare -h | head -n 3; unshare --propagation x true; unshare --setgroups x true'
[ "$RUN" ] && status "unshare of mounts is refused" 1 $RUN unshare -m true
[ "$RUN" ] && status "a user has a network of his own" 0 $RUN unshare -U -r -n true
prog pivot_root 'pivot_root -V; pivot_root'
prog prlimit 'prlimit --noheadings --nofile --core --cpu --stack --as -o RESOURCE,SOFT,HARD; prlimit --nofile=100 bash -c "ulimit -n"; prlimit --pid $$ --core=0:0; prlimit --core=5:1 true; prlimit --pid 99999999; prlimit -p $$ --nofile=64:64; ulimit -n -Hn; prlimit --nofile --raw -n; prlimit -o RESOURCE,UNITS,DESCRIPTION; prlimit --stack=1048576 bash -c "ulimit -s"; prlimit --fsize=10 bash -c "seq 100 >f; echo \$?; stat -c %s f" 2>&1 | normal "s/ +[0-9]+ File/ P File/"; prlimit --nofile=unlimited:5 true; prlimit -V; prlimit --nofile=x true; prlimit --nosuch'
prog readprofile 'readprofile -V; readprofile -p nosuch; readprofile -m nosuch'
prog rename.ul 'touch a1 a2 b1; rename.ul a z a*; ls; rename.ul -v z y z1; rename.ul -n -v b q b1; ls; rename.ul x y nosuch; echo $?; rename.ul -a y w yy y1; rename.ul; ln -s old l; rename.ul -s old new l; readlink l; touch 11; rename.ul -l 1 2 11; ls; rename.ul -o a2 z2 a2; rename.ul -V'
prog renice 'sleep 9 & a=$!; ids() { normal "s/\<$a\>/A/"; }; renice 5 -p $a | ids; ps -o ni= -p $a; renice -n 6 $a | ids; ps -o ni= -p $a; renice --relative 2 -p $a | ids; ps -o ni= -p $a; renice -n 3 -p 99999999; renice x $a; renice; renice -V; renice -n 19 -p $a | ids; renice -n 55 $a | ids; { kill $a; wait $a; } 2>/dev/null; set -m; sleep 9 & g=$!; renice -n 4 -g $g | normal "s/\<$g\>/G/"; ps -o ni= -p $g; kill $g; renice -n 1 -u nosuchuser'
prog rev 'printf "abc\ndef\n" | rev; printf "\303\244b\n" | LC_ALL=C.UTF-8 rev; printf nonl | rev | od -c; rev /etc/passwd | rev | cmp - /etc/passwd; rev nosuch; rev -0 </dev/null; rev -V'
prog rtcwake 'rtcwake -V; rtcwake -m nosuch -s 1; rtcwake --list-modes | head -n 0; rtcwake -h | head -n 3'
prog runuser 'runuser -V; runuser -u nosuchuser true; runuser -h | head -n 3; runuser -u nobody -x'
left_out script - there are no pseudo-terminals yet
prog scriptlive 'printf "Script started\necho hi\n" >i; printf "0.01 8\n" >t; scriptlive -V; scriptlive; scriptlive -t nosuch -I i; scriptlive -h | head -n 3'
prog scriptreplay 'printf "Script started\nhello\nthere\n" >o; printf "0.01 6\n0.02 6\n" >t; scriptreplay -t t o; scriptreplay -t t -O o -d 10; scriptreplay t o 5; printf "O 0.01 6\nO 0.01 6\nI 0.0 3\n" >t2; scriptreplay -T t2 -O o -m 0.001; scriptreplay -T t2 -O o --summary; scriptreplay nosuch o; scriptreplay; scriptreplay -V'
prog setpriv 'setpriv -d | grep -v -E "ounding|[Aa]ppArmor|SELinux|Parent death|Login" | normal "s/groups: .*/groups:/" | head -n 20; setpriv --list-caps | wc -l; setpriv --nnp grep NoNewPrivs /proc/self/status; setpriv --pdeathsig TERM bash -c "setpriv -d | grep -i death"; setpriv --reuid 99999999999 true; setpriv --groups 5,x true; setpriv --nosuch; setpriv -V; setpriv --inh-caps nosuch true; setpriv --securebits=x true; env -i A=1 setpriv --reset-env env | cut -d = -f 1 | sort; setpriv --rgid 1 --ruid 1 true 2>&1 | head -n 1'
[ "$(id -u)" = 0 ] && prog setpriv 'setpriv --reuid 65534 id -u; setpriv --clear-groups id -G; setpriv --init-groups --reuid nobody --regid nogroup id; setpriv --reuid 5 --regid 6 --groups 7,8 grep -E "^(Uid|Gid|Groups|CapEff)" /proc/self/status; setpriv --inh-caps=-all --bounding-set=-all grep -E "^Cap(Inh|Bnd|Amb|Prm)" /proc/self/status; setpriv --inh-caps=-all,+chown --ambient-caps +chown grep -E "^Cap(Inh|Amb)" /proc/self/status; setpriv --inh-caps +chown,+kill --ambient-caps -all,+kill --reuid 5 --clear-groups --regid 5 grep -E "^Cap(Inh|Prm|Eff|Amb)" /proc/self/status; setpriv --securebits=+noroot,+noroot_locked setpriv --dump | grep Secure; setpriv --ruid 5 --keep-groups id -u; setpriv --bounding-set -sys_admin bash -c "unshare -m true" 2>&1 | wc -l'
prog setsid 'setsid -w bash -c "ps -o pid=,sid=,pgid= -p \$\$ | awk \"{ print (\\\$1 == \\\$2), (\\\$1 == \\\$3) }\""; setsid -w bash -c "exit 5"; echo $?; setsid -f bash -c "echo x >f"; until [ -s f ]; do sleep 0.02; done; cat f; setsid -V; setsid; setsid nosuch-command; setsid bash -c "echo \$((PPID == $$))"; set -m; setsid -w true & wait $!; echo $?'
prog setterm 'setterm -V; setterm --term linux --reset | od -c; setterm --cursor off --term xterm | od -c; setterm --bold on --term linux | od -c; setterm --term vt100 --foreground red | od -c; setterm --nosuch; setterm --term nosuch --reset; setterm --term linux --blank 5 | od -c;'
prog su 'su -V; su nosuchuser; su -h | head -n 3; su -x'
[ "$(id -u)" = 0 ] && prog su 'su nobody -s /bin/sh -c "id; env | cut -d = -f 1 | sort | tr \"\\n\" \" \""; su -s /bin/bash nobody -c "exit 4"; echo $?; su - nobody -s /bin/sh -c "echo \$HOME" 2>&1 | tail -n 1; su -c true nosuchuser; su -g nogroup -s /bin/sh nobody -c "id -g"; su nobody -c true; su -P -c true nosuchuser; echo hi | su nobody -s /bin/cat'
[ "$(id -u)" = 0 ] && prog runuser 'runuser -u nobody id; runuser -u nobody -- bash -c "exit 4"; echo $?; runuser nobody -s /bin/sh -c "id -u"; runuser -g nogroup -u nobody id; runuser -u nosuchuser id; cd /; runuser -u nobody -- mktemp -p / 2>&1'
prog sulogin 'sulogin -V; sulogin -h | head -n 3; sulogin -x'
prog swaplabel 'truncate -s 1M i; mkswap -q -U 11111111-1111-1111-1111-111111111111 -L one i 2>/dev/null; swaplabel i; swaplabel -L two i; swaplabel -U 22222222-2222-2222-2222-222222222222 i; swaplabel i; swaplabel /etc/passwd; swaplabel nosuch; swaplabel -V'
prog swapon 'swapon -V; swapon nosuch; swapon -h | head -n 3; swapon --show=nosuch; swapon -L nosuch'
prog swapoff 'swapoff -V; swapoff; swapoff -h | head -n 3'
prog switch_root 'switch_root -V; switch_root; switch_root -h | head -n 3'
prog taskset 'taskset -c 0 nproc; taskset -c 0 grep Cpus_allowed_list /proc/self/status; taskset 1 taskset -p $$ | wc -l; taskset -p $$ | normal "s/pid [0-9]+/pid/"; taskset -c -p $$ | normal "s/pid [0-9]+/pid/"; taskset -p 1 $$ | normal "s/pid [0-9]+/pid/"; nproc; taskset -cp $$ | normal "s/pid [0-9]+/pid/"; taskset -c 1023 true 2>&1 | normal "s/pid [0-9]+/pid/"; taskset 0 true 2>&1 | normal "s/pid [0-9]+/pid/"; taskset x true; taskset -c 0-x true; taskset -p 99999999; taskset; taskset -a -p $$ | wc -l; taskset -V; taskset -c 0:1 true; taskset -c 0 bash -c "taskset -c -p \$\$" | normal "s/pid [0-9]+/pid/"'
prog uclampset 'uclampset -V; uclampset; uclampset -m x true; uclampset -h | head -n 3; uclampset -p 99999999'
prog umount 'umount -V; umount nosuch; umount; umount -h | head -n 3; umount /etc/passwd; echo $?'
prog wdctl 'wdctl -V; wdctl nosuch; wdctl -o nosuch; wdctl -h | head -n 3'
prog whereis 'whereis ls bash; whereis -b sh; whereis -l | head -n 3; whereis -u sleep; whereis -m nosuchthing; whereis -b -B /usr/bin -f env; whereis; whereis -g -b "ba?h" | sort; whereis -V'
prog wipefs 'truncate -s 1M i; mkswap -q -U 11111111-1111-1111-1111-111111111111 -L name i 2>/dev/null; wipefs i; wipefs -J i; wipefs -n -a i; wipefs -p i; wipefs -b -a i; wipefs i; od -An -c -j 4086 -N 10 i; wipefs nosuch; wipefs; wipefs /etc/passwd; wipefs -V; wipefs -t nosuch i'
prog zramctl 'zramctl -V; zramctl nosuch; zramctl -o nosuch; zramctl -h | head -n 3'

# bsdutils, bsdextrautils, uuid-runtime, cal
prog wall 'wall -V; wall -t 0 x; wall nosuch-file; echo hello | wall -n; echo $?; wall -g nosuchgroup x; wall -t 1 hello; echo $?' # nobody is logged in to hear it
prog write 'write -V; write nosuchuser; write; write nobody'
prog col 'printf "a\bb\n_\bx\n" | col -b; printf "a\tb\n" | col -x; printf "x\0337y\n" | col; printf "a\033\071b\n" | col -f; col -V; printf "l1\nl2\n" | col -l 10; seq 3 | col -p'
prog colcrt 'printf "a\b_b\n_\bx\n" | colcrt; printf "a\b_\n" | colcrt -; colcrt nosuch; colcrt -V'
prog colrm 'printf "abcdef\n" | colrm 2 3; printf "abcdef\n" | colrm 4; printf "a\tb\n" | colrm 1 2; colrm x; colrm -V'
prog column 'printf "a b c\nd e f\n" | column -t; printf "a:b\nc:d\n" | column -s: -t -N x,y -J; seq 30 | column -c 60; seq 30 | column -x -c 60; printf "a:bb\nccc:d\n" | column -s: -t -o " | " -R 1; printf "1 0 root\n2 1 child\n3 1 other\n" | column --tree 3 --tree-id 1 --tree-parent 2; column nosuch; column -V; printf "a\n\nb\n" | column -e -t -L'
prog hexdump 'hexdump -n 40 /bin/sh; hexdump -C -n 16 -s 2 /bin/sh; hexdump -e "4/1 \"%02x \" \"\n\"" -n 12 /bin/sh; seq 100 | hexdump -v -e "8/1 \"%_p\" \"\n\"" | head -n 3; hexdump -b -n 8 /bin/sh; hexdump -d -n 8 /bin/sh; hexdump -o -n 8 /bin/sh; hexdump -x -n 8 /bin/sh; head -c 100 /dev/zero | hexdump; hexdump nosuch; hexdump -V; hexdump -s 5 -n 3 -c /bin/sh'
prog hd 'hd -n 40 /bin/sh; head -c 64 /dev/zero | hd; hd -V'
prog look 'printf "apple\nbanana\nbandit\ncherry\n" >w; look ban w; look -d BAN w; look -f BAN w; look x w; echo $?; look -t n bann w; look ban nosuch; look; look -V'
prog ul 'printf "_\bx b\bb\n" | ul -t xterm; printf "_\bx\n" | ul -i -t vt100; printf "_\bx\n" | ul -t dumb; ul nosuch; ul -V'
prog uuidgen 'uuidgen | wc -c; uuidgen -t | cut -c 15; uuidgen -r | cut -c 15; uuidgen -s -n @dns -N www.example.com; uuidgen -m -n @url -N x; uuidgen -s -n nosuch -N x; [ "$(uuidgen)" = "$(uuidgen)" ]; echo $?; uuidgen -V'
prog uuidparse 'uuidgen -m -n @url -N x | uuidparse; uuidgen -r | uuidparse -n -o VARIANT,TYPE; echo nonsense | uuidparse; uuidparse -J 00000000-0000-0000-0000-000000000000; uuidparse -o nosuch; uuidgen -t | uuidparse -n -o TIME | cut -c 1-10 | grep -c "$(date +%Y-)"; uuidparse -V'
left_out uuidd - a daemon for the system, started by its manager
command -v cal >/dev/null && prog cal 'cal 1 2000; cal 9 1752; cal 2024; ncal 2 2024; cal -3 6 2001; cal -y 1999 | wc -l; cal 13 2000; cal x'

covers util-linux util-linux-extra bsdutils bsdextrautils mount uuid-runtime
finish_programs
