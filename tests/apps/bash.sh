#!/bin/bash
# SPDX-License-Identifier: MIT
# bash: pipelines, subshells, here-documents, traps, jobs.
. "$(dirname "$0")/common"

same "a pipeline" 2500 "$($RUN bash -c 'seq 1 10000 | grep 7$ | tail -n +1 | head -n 2500 | wc -l |
	while read n; do echo $((n * 5 / 2)); done')"
same "exit statuses of a pipeline" "0 1 3" "$($RUN bash -c 'true | false | (exit 3)
	echo ${PIPESTATUS[@]}')"
same "SIGPIPE ends the writer" "y 141 0" "$($RUN bash -c 'yes | head -n 1 | tr "\n" " "; echo ${PIPESTATUS[@]:0:2} |
	cut -d" " -f1,2' | tr -d '\n')"
same "subshells and command substitution" "1 2 deep outer" "$($RUN bash -c 'x=outer
	(x=inner; echo $( (echo 1; echo 2; (echo deep)) ) | tr "\n" " "); echo $x')"
same "here-documents and here-strings" $'a 3 b\n$x\nword' "$($RUN bash -c 'x=1
cat <<END
a $((x + 2)) b
END
cat <<"END"
$x
END
cat <<<word')"
same "a large here-document" 200001 "$($RUN bash -c 'big=$(printf "%0200000d" 0); cat <<<$big | wc -c')"
same "process substitution" $'1\n2' "$($RUN bash -c 'cat <(echo 1) <(echo 2)')"
same "background jobs and wait" $'waited 0\njob 7\nall' "$($RUN bash -c 'sleep 0.1 & wait $!; echo waited $?
	(sleep 0.05; exit 7) & wait $!; echo job $?
	for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i) & done; wait; echo all')"
same "wait -n takes the first" 4 "$($RUN bash -c '(exec sleep 50) & a=$!; (exit 4) & wait -n; echo $?; kill $a')"
same "a trap on a signal" $'got\nback' "$($RUN bash -c 'trap "echo got" USR1; kill -USR1 $$; echo back')"
same "a trap interrupts wait" $'trap\nstatus 138' "$($RUN bash -c 'trap "echo trap" USR1
	(sleep 1; kill -USR1 $$; sleep 2) & wait $!; echo status $?')"
same "a trap on exit" $'body\nbye' "$($RUN bash -c 'trap "echo bye" EXIT; echo body; exit 5')"
status "the exit status" 5 $RUN bash -c 'exit 5'
status "death by a signal" 143 $RUN bash -c 'kill -TERM $$'
same "signal deaths of children" "137 143 134" "$($RUN bash -c '
	bash -c "kill -9 \$\$"; a=$?; bash -c "kill \$\$"; b=$?; bash -c "kill -ABRT \$\$"; echo $a $b $?' 2>/dev/null)"
same "ignored signals are inherited" survived "$($RUN bash -c 'trap "" TERM; bash -c "kill -TERM \$\$; echo survived"')"
same "redirections" $'err\nout\n2' "$($RUN bash -c 'cd "$(mktemp -d)"; { echo out; echo err >&2; } >o 2>e
	cat e o; cat o e | wc -l; exec 5>&1; ls /nonexistent-file 5>&- >/dev/null 2>&1')"
same "descriptors kept open" $'two\none' "$($RUN bash -c 'cd "$(mktemp -d)"; exec 3>f; echo one >&3; echo two; exec 3<f; read -u 3 l; echo $l')"
same "globs and loops" "f1 f10 f2 f3 f4 f5 f6 f7 f8 f9" "$($RUN bash -c 'cd "$(mktemp -d)"; for i in {1..10}; do : >f$i; done; echo *')"
same "a FIFO between two jobs" hello "$($RUN bash -c 'cd "$(mktemp -d)"; mkfifo p; (echo hello >p) & cat p; wait')"
same "a coprocess" "got 42" "$($RUN bash -c 'coproc { read x; echo got $x; }; echo 42 >&${COPROC[1]}; read y <&${COPROC[0]}; echo $y')"
same "a script by its first line" $'1:a b\n2:c' "$($RUN bash -c 'cd "$(mktemp -d)"
	printf "#!/bin/bash\ni=0; for a; do echo \$((++i)):\$a; done\n" >s; chmod +x s; ./s "a b" c')"
same "a thousand forks" 1000 "$($RUN bash -c 'n=0; for i in {1..1000}; do (exit 0) && n=$((n + 1)); done; echo $n')"
same "deep recursion" 500 "$($RUN bash -c 'f() { [ $1 = 500 ] && echo $1 || f $(($1 + 1)); }; f 0')"
same "read with a time limit" 142 "$($RUN bash -c 'sleep 1 | { read -t 0.1 x; echo $?; }' | head -n 1)"
both "builtins" bash -c 'pwd; cd /; pwd; cd ..; pwd; type -t cd; ulimit -n; umask; echo $PPID >/dev/null; printf "%q\n" "a b"'
finish
