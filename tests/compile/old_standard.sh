#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: old_standard.sh INCLUDE_DIR COMPILER [FLAG...]
# Passes if each header of the toolkit that needs no other library says in one line what is wrong
# when it is compiled as C++17, and the compiler stops there.
set -eu
include=$1
shift

for header in $(cd "$include" && find ssekit -name '*.hpp' -not -path '*/adapters/*' | sort); do
    if output=$(printf '#include <%s>\n' "$header" |
        LC_ALL=C "$@" -std=c++17 "-I$include" -fsyntax-only -x c++ - 2>&1); then
        echo "$header compiles as C++17"
        exit 1
    fi
    if ! printf '%s\n' "$output" | grep -q 'error: .*ssekit needs C++20: compile with'; then
        printf '%s\n' "$output" | head -20
        echo "$header does not say what it needs"
        exit 1
    fi
    # The message, and that the file is not there which makes the compiler stop.
    if [ "$(printf '%s\n' "$output" | grep -c 'error:')" -gt 2 ]; then
        printf '%s\n' "$output" | head -20
        echo "$header says more than that it needs C++20"
        exit 1
    fi
done
