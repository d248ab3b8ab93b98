#!/usr/bin/env bash
# Package: redis-tools 5:7.0.15-1~deb12u10 (Debian 12), which holds the server as well, with the libraries that
# it needs, unpacked into a folder.
#
# XINFO STREAM has a field max-deleted-entry-id, from which a consumer that resumes could tell whether entries
# after its last one are gone. XDEL moves it, XTRIM and XADD with MAXLEN do not, whatever they take away:
# XREAD from an id whose successors were trimmed answers with the oldest that is left, and nothing in the
# answer or in that field says that some are missing. What tells is entries-added against length, or ids of
# one's own without holes.
#
# Output seen:
#   after XDEL: max-deleted-entry-id 1-2
#   after XTRIM of 1-1 to 1-5 of 6: max-deleted-entry-id 0-0
#   XREAD from 1-2 then begins with 1-6
set -euo pipefail
dir=$(mktemp -d)
server=''
trap 'kill $server 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'redis-tools=5:7.0.15-1~deb12u10' libatomic1 libjemalloc2 liblzf1
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo usr/lib/*-linux-*)
export LD_LIBRARY_PATH
ln -s usr/bin/redis-check-rdb redis-server # one program, which looks at its name
./redis-server --port 0 --unixsocket "$dir/socket" --save '' >log &
server=$!
cli() { usr/bin/redis-cli -s "$dir/socket" "$@"; }
until cli ping >/dev/null 2>&1; do sleep 0.05; done
fill() { for i in 1 2 3 4 5 6; do cli xadd "$1" "1-$i" n "$i" >/dev/null; done; }
deleted() { cli xinfo stream "$1" | grep -A1 '^max-deleted-entry-id' | tail -1; }
fill a
cli xdel a 1-2 >/dev/null
fill b
cli xtrim b maxlen 1 >/dev/null
{
    echo "after XDEL: max-deleted-entry-id $(deleted a)"
    echo "after XTRIM of 1-1 to 1-5 of 6: max-deleted-entry-id $(deleted b)"
    echo "XREAD from 1-2 then begins with $(cli xread streams b 1-2 | grep -m1 '^1-')"
} | tee seen
diff seen - <<'SEEN'
after XDEL: max-deleted-entry-id 1-2
after XTRIM of 1-1 to 1-5 of 6: max-deleted-entry-id 0-0
XREAD from 1-2 then begins with 1-6
SEEN
