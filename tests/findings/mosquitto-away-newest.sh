#!/usr/bin/env bash
# Package: mosquitto 2.0.11-1.2+deb12u2 with mosquitto-clients (Debian 12), and the libraries that they need,
# unpacked into a folder.
#
# For a client with a session that is away, the broker keeps messages of QoS 1, by default 1,000 of them. The
# 1,001st and all after it are dropped, not the oldest, and the publisher gets its PUBACK for each. A client
# that comes back reads the oldest 1,000, then goes on with what is published from then on: what is missing
# lies between, unseen, and is what it would have wanted most, had the messages been states.
#
# Output seen:
#   published and acknowledged while the reader was away: 1500
#   received when it is back: 1000, from 1 to 1000
#   and the next one published: 1501
set -euo pipefail
dir=$(mktemp -d)
broker=''
trap 'kill $broker 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq mosquitto=2.0.11-1.2+deb12u2 mosquitto-clients=2.0.11-1.2+deb12u2 \
    libmosquitto1=2.0.11-1.2+deb12u2 libcjson1 libwebsockets17 libdlt2 libev4 libwrap0
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo usr/lib/*-linux-*)
export LD_LIBRARY_PATH
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
  console.log(s.address().port); s.close(); });')
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >broker.conf
usr/sbin/mosquitto -c broker.conf >log 2>&1 &
broker=$!
read_as_session() { usr/bin/mosquitto_sub -p "$port" -i reader -c -q 1 -t news "$@"; }
until usr/bin/mosquitto_pub -p "$port" -t nothing -m x 2>/dev/null; do sleep 0.05; done
read_as_session -E # subscribes, and goes away
seq 1 1500 | usr/bin/mosquitto_pub -p "$port" -q 1 -t news -l
{
    echo "published and acknowledged while the reader was away: 1500"
    read_as_session -W 3 >first || true
    echo "received when it is back: $(wc -l <first), from $(head -1 first) to $(tail -1 first)"
    usr/bin/mosquitto_pub -p "$port" -q 1 -t news -m 1501
    echo "and the next one published: $(read_as_session -C 1)"
} | tee seen
diff seen - <<'SEEN'
published and acknowledged while the reader was away: 1500
received when it is back: 1000, from 1 to 1000
and the next one published: 1501
SEEN
