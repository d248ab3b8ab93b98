#!/usr/bin/env bash
# Package: reconnecting-eventsource 1.6.5 (npm; build/esm/reconnecting-eventsource.js, _start), around
# eventsource 3.0.7; seen with Node.js 20.20.2.
#
# When an EventSource has given up, after a 503 for instance, this wrapper makes a new one and passes the
# last event ID on in the query. It learns that ID only from listeners. A program that sets `onmessage`
# comes back without one, and misses what was sent meanwhile. With a listener the ID in the query stays
# as it was, whatever comes after: at the next break the server is told 7 in the query and 8 in the header.
#
# Output seen:
#   onmessage: /events, /events (Last-Event-ID: 7), /events, /events (Last-Event-ID: 8)
#   addEventListener: /events, /events (Last-Event-ID: 7), /events?lastEventId=7, /events?lastEventId=7 (Last-Event-ID: 8)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . reconnecting-eventsource@1.6.5 eventsource@3.0.7
cat >try.mjs <<'JS'
import {once} from 'node:events';
import http from 'node:http';
import {EventSource} from 'eventsource';
import wrapper from 'reconnecting-eventsource';
const Reconnecting = wrapper.default ?? wrapper;
async function run(name, listen) {
  const asked = [];
  const fourth = new Promise(done => {
    const server = http.createServer((req, res) => {
      const id = req.headers['last-event-id'];
      asked.push(req.url + (id ? ` (Last-Event-ID: ${id})` : ''));
      if (asked.length === 2) return res.writeHead(503).end();
      res.writeHead(200, {'Content-Type': 'text/event-stream'});
      if (asked.length === 1) res.end('retry: 10\nid: 7\ndata: x\n\n');
      if (asked.length === 3) res.end('retry: 10\nid: 8\ndata: y\n\n');
      if (asked.length === 4) done();
    });
    once(server.listen(0), 'listening').then(() => {
      const url = `http://127.0.0.1:${server.address().port}/events`;
      listen(new Reconnecting(url, {max_retry_time: 100, eventSourceClass: EventSource}));
    });
  });
  await fourth;
  console.log(`${name}: ${asked.join(', ')}`);
}
await run('onmessage', stream => { stream.onmessage = () => {}; });
await run('addEventListener', stream => stream.addEventListener('message', () => {}));
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
onmessage: /events, /events (Last-Event-ID: 7), /events, /events (Last-Event-ID: 8)
addEventListener: /events, /events (Last-Event-ID: 7), /events?lastEventId=7, /events?lastEventId=7 (Last-Event-ID: 8)
SEEN
