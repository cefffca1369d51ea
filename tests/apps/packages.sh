#!/bin/bash
# SPDX-License-Identifier: MIT
# root: skip
# user: skip
# No program of these packages is without a case: a line "prog NAME …" in a script here.
. "$(dirname "$0")/common"
need dpkg-query

for package in coreutils findutils diffutils sed grep gawk tar gzip bzip2 xz-utils zstd file less bc; do
	programs=$(dpkg-query -L "$package" 2>/dev/null | sed -n 's,.*/s\?bin/\([^/]*\)$,\1,p' | sort -u)
	[ "$programs" ] || { fail "$package is not installed"; continue; }
	missing=
	for program in $programs; do
		grep -qE "^(PLACES=[^ ]+ )?prog '?${program/#[/\\[}'? " "$(dirname "$0")"/*.sh || missing+=" $program"
	done
	same "$package: no program without a case" "" "$missing"
done
finish
