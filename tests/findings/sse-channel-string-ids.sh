#!/usr/bin/env bash
# Package: sse-channel 4.0.2 (npm; lib/sse-channel.js, sendEventsSinceId), seen with Node.js 20.20.2.
#
# Ids that are strings are compared as strings. A client that has event "9" and comes back with it
# misses "10" and "11" in silence, because "10" <= "9". The same history with numbers as ids replays.
#
# Output seen:
#   strings after 9: none
#   numbers after 9: 10 11
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . sse-channel@4.0.2
cat >try.js <<'JS'
const http = require('http');
const SseChannel = require('sse-channel');
const channels = {'/strings': new SseChannel(), '/numbers': new SseChannel()};
for (const id of [8, 9, 10, 11]) {
  channels['/strings'].send({id: String(id), data: 'x'});
  channels['/numbers'].send({id, data: 'x'});
}
const server = http.createServer((req, res) => channels[req.url].addClient(req, res));
const ids = path => new Promise(done => {
  let body = '';
  const headers = {'Last-Event-ID': '9'};
  const req = http.get({port: server.address().port, path, headers}, res => {
    res.on('data', bytes => { body += bytes; });
    res.on('error', () => {});
    setTimeout(() => {
      done([...body.matchAll(/^id: (.*)$/gm)].map(found => found[1]).join(' ') || 'none');
      req.destroy();
    }, 500);
  });
});
server.listen(0, async () => {
  console.log('strings after 9: ' + await ids('/strings'));
  console.log('numbers after 9: ' + await ids('/numbers'));
  process.exit();
});
JS
node try.js | tee seen
diff seen - <<'SEEN'
strings after 9: none
numbers after 9: 10 11
SEEN
