#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# less on a terminal: it reads its keys from the terminal while its text comes from a file or a
# pipe, draws the same screens as natively, and leaves the terminal as it was.
. "$(dirname "$0")/common"
need less script

size_of_shown() { tr -d '\0' <shown | wc -c; }

# settle: waits until something is shown and nothing more comes, and keeps how much that is.
settle() {
	local size=0 last=0
	until [ "$size" != 0 ] && [ "$size" = "$last" ] || [ -e over ]; do
		last=$size
		sleep 0.4
		size=$(size_of_shown)
	done
	echo "$size" >>sizes
}

# feed KEYS [SIZES]: types the keys, each when less waits for one: when as much is shown as it was then.
feed() {
	local key sizes=(${2-}) i=0
	for key in $1; do
		if [ -z "${2-}" ]; then
			settle
		else
			until [ "$(size_of_shown)" -ge "${sizes[i]}" ] || [ -e over ]; do sleep 0.02; done
		fi
		printf "$key"
		i=$((i + 1))
	done
	until [ -e over ]; do sleep 0.02; done
}

# page KEYS COMMAND [SIZES]: what the terminal shows.
page() {
	rm -f over
	: >shown
	TERM=xterm SHELL=/bin/bash VISUAL=true timeout 30 script -qec "trap : INT; stty rows 10 cols 40 -echo; $2; stty -a | md5sum" \
		/dev/null < <(feed "$1" "${3-}") >shown
	echo "status $?" >>shown
	: >over
	tr -d '\0' <shown
}

# screens NAME KEYS SCRIPT: keys are words, \s is a space
screens() {
	local want got keys=${2//\\s/\\040}
	rm -f sizes
	want=$(page "$keys" "sh -c '$3'")
	got=$(page "$keys" "$RUN sh -c '$3'" "$(cat sizes)")
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
