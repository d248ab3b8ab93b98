#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: no_shared_names.sh NM FAST.o PLAIN.o
# Passes if no function or object of the toolkit has one name in two objects of different kinds.
set -eu
names() { "$1" "$2" | sed -n 's/^[0-9a-f]* *[VWu] \(.*ssekit.*\)$/\1/p' | sort -u; }
fast=$(mktemp) plain=$(mktemp)
trap 'rm -f "$fast" "$plain"' EXIT
names "$1" "$2" >"$fast"
names "$1" "$3" >"$plain"
if ! [ -s "$fast" ] || ! [ -s "$plain" ]; then
    echo "an object has no inline functions of the toolkit: nothing was compared"
    exit 1
fi
shared=$(comm -12 "$fast" "$plain")
if [ -n "$shared" ]; then
    echo "in both objects: $shared"
    exit 1
fi
