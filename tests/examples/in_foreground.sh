#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: in_foreground.sh PROGRAM
# Ctrl-C interrupts everything in the terminal's foreground group. A build tool dies of it at once,
# the prompt returns, and what PROGRAM still has to say comes late. So PROGRAM gets the foreground to
# itself: it ends in its own time, then the build tool ends as if nothing had happened.

# Only where this group has the foreground: in the background, asking for it would stop us.
if [ -r /proc/self/stat ]; then
    read -r _ _ _ _ group _ _ foreground _ </proc/self/stat
    if [ "$group" = "$foreground" ]; then
        set -m # job control: each command is a group of its own
    fi
fi
"$1"
exit $? # keeps the shell from replacing itself with PROGRAM
