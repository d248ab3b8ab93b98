#!/usr/bin/env bash
# Package: event-source-plus 0.1.15 (npm; dist/index.mjs, messageListFromString, _handleRetry), seen with
# Node.js 20.20.2.
#
# Of an event's data lines the last is left, the others are lost, and each loses the spaces at both
# ends. What a server says with `retry` is read, given to the program and not heeded: 2 ms after a stream
# has ended the next request is there, and so on for as long as requests succeed.
#
# Output seen:
#   ["second line","indented"]
#   more than 20 requests in a second, asked to wait a minute
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . event-source-plus@0.1.15
cat >try.mjs <<'JS'
import {once} from 'node:events';
import http from 'node:http';
import {EventSourcePlus} from 'event-source-plus';
let requests = 0;
const server = http.createServer((req, res) => {
  ++requests;
  res.writeHead(200, {'Content-Type': 'text/event-stream'});
  res.end('retry: 60000\n\ndata: first line\ndata: second line\n\ndata:   indented  \n\n');
});
await once(server.listen(0), 'listening');
const got = [];
const stream = new EventSourcePlus(`http://127.0.0.1:${server.address().port}/`);
stream.listen({onMessage: ({data}) => got.push(data)});
while (got.length < 2) await new Promise(done => setTimeout(done, 10));
console.log(JSON.stringify(got.slice(0, 2)));
await new Promise(done => setTimeout(done, 1000));
console.log(`${requests > 20 ? 'more than 20' : requests} requests in a second, asked to wait a minute`);
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
["second line","indented"]
more than 20 requests in a second, asked to wait a minute
SEEN
