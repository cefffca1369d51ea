#!/bin/bash
# SPDX-License-Identifier: MIT
# perl: text, files, processes, signals, sockets between processes.
. "$(dirname "$0")/common"
need perl

both "text" perl -e 'my %h; $h{lc $_}++ for qw(a B b c A a); print map { "$_$h{$_}\n" } sort keys %h; printf "%.6f\n", atan2(1,1)*4'
both "host files" perl -ne '$n++ if /^[a-z]/; END { print "$n\n" }' /etc/passwd
same "fork and wait" "10 45" "$($RUN perl -e 'my $s=0; my $n=0; for my $i (0..9) { my $p=fork; exit $i unless $p; }
	while ((my $p=wait) > 0) { $s += $?>>8; $n++ } print "$n $s"')"
same "pipes and system" $'A B\n3' "$($RUN perl -e 'open my $p, "-|", "echo a b" or die; print uc <$p>; print system("sh","-c","exit 3")>>8, "\n"')"
same "signals and alarm" "alarm usr1" "$($RUN perl -e '$SIG{ALRM}=sub{print "alarm "; die}; $SIG{USR1}=sub{print "usr1"};
	eval { alarm 1; sleep 10 }; kill USR1=>$$')"
same "sorting and files" 100000 "$($RUN perl -e 'use File::Temp "tempfile"; my ($f,$n)=tempfile(UNLINK=>1);
	print $f "$_\n" for reverse 1..100000; close $f; open $f,"<",$n; my @l=sort { $a<=>$b } <$f>; print $l[-1]')"
same "directories" "a b c" "$($RUN perl -e 'use File::Temp "tempdir"; my $d=tempdir(CLEANUP=>1); for (qw(c a b)) { open my $f,">","$d/$_" }
	opendir my $h,$d; print join " ", sort grep !/^\./, readdir $h')"
same "flock between processes" "200" "$($RUN perl -e 'use Fcntl ":flock"; use File::Temp "tempfile"; my ($f,$n)=tempfile(UNLINK=>0); print $f 0; close $f;
	for (1..4) { next if fork; for (1..50) { open my $h,"+<",$n; flock $h,LOCK_EX; my $v=<$h>; seek $h,0,0; print $h $v+1; close $h } exit }
	1 while wait>0; open $f,"<",$n; print <$f>; unlink $n')"
same "select with a time limit" "0" "$($RUN perl -e 'pipe my $r, my $w; my $v=""; vec($v,fileno $r,1)=1; print select($v,undef,undef,0.1)+0')"
both "modules" perl -MPOSIX -MData::Dumper -MTime::HiRes=time -e 'print POSIX::floor(3.7), (POSIX::uname())[0], time > 1e9 ? "ok" : "no", "\n"'
status "die" 255 $RUN perl -e 'die'
finish
