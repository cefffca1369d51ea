#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# less on a terminal: it reads its keys from the terminal while its text comes from a file or a
# pipe, draws the same screens as natively, and leaves the terminal as it was.
. "$(dirname "$0")/common"
need less script

# page KEYS COMMAND: what the terminal shows. A key follows when less waits for one.
page() {
	TERM=xterm SHELL=/bin/bash VISUAL=true timeout 20 script -qec "trap : INT; stty rows 10 cols 40 -echo; $2; stty -a | md5sum" \
		/dev/null < <(sleep 0.5; for key in $1; do printf "$key"; sleep 0.1; done; sleep 0.5)
	echo "status $?"
}

# screens NAME KEYS SCRIPT: keys are words, \s is a space
screens() {
	local want got keys=${2//\\s/\\040}
	want=$(page "$keys" "sh -c '$3'" | tr -d '\0')
	got=$(page "$keys" "$RUN sh -c '$3'" | tr -d '\0')
	same "less on a terminal: $1" "$want" "$got"
}

both "less without a terminal" sh -c 'seq 100 | less'
screens "quits" q 'less /etc/passwd'
screens "pages through a pipe" '\s \s b q' 'seq 1000 | less'
screens "goes to the end and back" 'G g q' 'seq 1000 | less'
screens "searches" '/ 7 7 \n n q' 'seq 1000 | less'
screens "starts a command" '! echo\n q q' 'seq 100 | less'
screens "two files" ': n : p q' 'less /etc/passwd /etc/group'
screens "follows, until interrupted" 'F \003 q' 'less /etc/passwd'
screens "more" '\s q' 'seq 100 | more'
finish
