#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: must_fail.sh SOURCE COMPILER [FLAG...]
# Passes if SOURCE does not compile, the compiler says what the source's line `// expect: REGEX`
# (extended, as grep -E reads it) announces, and SOURCE compiles with CORRECTED defined
# (which is not looked at where SSEKIT_CORRECTED is 0).
set -eu
source=$1
shift

expected=$(sed -n '1s|^// expect: ||p' "$source")
if [ -z "$expected" ]; then
    echo "$source: the first line has to be: // expect: REGEX"
    exit 1
fi
if output=$(LC_ALL=C "$@" -fsyntax-only "$source" 2>&1); then
    echo "$source compiles, but must not"
    exit 1
fi
if ! printf '%s\n' "$output" | grep -qE -e "$expected"; then
    printf '%s\n' "$output"
    echo "$source does not compile, but not because of: $expected"
    exit 1
fi
[ "${SSEKIT_CORRECTED:-1}" = 1 ] || exit 0
if ! "$@" -fsyntax-only -DCORRECTED "$source"; then
    echo "$source does not compile when it is corrected, so it fails for another reason as well"
    exit 1
fi
