#!/usr/bin/env bash
# Package: extended-eventsource 2.1.0 (npm; dist/index.esm.js, getMessages), seen with Node.js 20.20.2.
#
# Every empty line dispatches an event, whether there was data or not. So a heartbeat, a comment with an
# empty line after it, reaches `onmessage` as an event with empty data, and so does a block of nothing but
# `retry` or `id`. JSON.parse in the handler throws at the first of them. By the standard, as in every
# browser, none of them is an event.
#
# Output seen:
#   ["","one","","","two"]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . extended-eventsource@2.1.0
cat >try.cjs <<'JS'
const http = require('http');
const {EventSource} = require('extended-eventsource');
const server = http.createServer((req, res) => {
  res.writeHead(200, {'Content-Type': 'text/event-stream'});
  res.write('retry: 60000\n\ndata: one\n\n: heartbeat\n\n: heartbeat\n\ndata: two\n\n');
});
server.listen(0, () => {
  const stream = new EventSource(`http://127.0.0.1:${server.address().port}/`, {disableLogger: true});
  const got = [];
  stream.onmessage = ({data}) => {
    got.push(data);
    if (data !== 'two') return;
    console.log(JSON.stringify(got));
    process.exit();
  };
});
JS
node try.cjs | tee seen
diff seen - <<'SEEN'
["","one","","","two"]
SEEN
