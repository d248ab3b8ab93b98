#!/usr/bin/env bash
# Packages: @modelcontextprotocol/sdk 1.32.2 (npm; dist/esm/client/streamableHttp.js, _handleSseStream)
# and @modelcontextprotocol/client 2.4.0, seen with Node.js 20.20.2.
#
# The clients keep the event id of the newest connection alone. One that comes back with
# Last-Event-ID 5, and whose connection then brings no event before it ends (a comment, as a
# heartbeat is, or nothing at all), comes back the next time without an id, so the server cannot
# resume, and what was sent meanwhile is lost. In an EventSource the last event ID string stays
# (HTML, 9.2.6). A server helps itself by repeating the id, with empty data, at the beginning of each
# connection that is resumed.
#
# Output seen: the ids that five connections bring, the first of which gets event 5, the others
# nothing but a comment.
#   sdk, silent: none 5 none none none
#   sdk, repeated: none 5 5 5 5
#   client, silent: none 5 none none none
#   client, repeated: none 5 5 5 5
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . \
    @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0
cat >try.mjs <<'JS'
import http from 'node:http';
import * as two from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';

async function idsOf(Kind, Transport, repeats) {
  const ids = [];
  let enough;
  const five = new Promise(done => { enough = done; });
  const server = http.createServer((req, res) => {
    if (req.method === 'GET') {
      const id = req.headers['last-event-id'];
      ids.push(id ?? 'none');
      if (ids.length === 5) enough();
      res.writeHead(200, {'Content-Type': 'text/event-stream'});
      const message = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';
      if (ids.length === 1) res.write(`retry: 50\nid: 5\ndata: ${message}\n\n`);
      if (id !== undefined && repeats) res.write(`id: ${id}\ndata: \n\n`);
      return res.end(': nothing new\n\n');
    }
    let body = '';
    req.on('data', bytes => { body += bytes; }).on('end', () => {
      const {id} = JSON.parse(body);
      if (id === undefined) return res.writeHead(202).end();
      const result = {protocolVersion: '2025-11-25', capabilities: {},
        serverInfo: {name: 'x', version: '1'}};
      res.writeHead(200, {'Content-Type': 'application/json'});
      res.end(JSON.stringify({jsonrpc: '2.0', id, result}));
    });
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  const client = new Kind({name: 'x', version: '1'});
  await client.connect(new Transport(new URL(`http://127.0.0.1:${server.address().port}/`)));
  await five;
  await client.close();
  server.close();
  return ids.slice(0, 5).join(' ');
}
for (const [name, ...kind] of [['sdk', Client, StreamableHTTPClientTransport],
  ['client', two.Client, two.StreamableHTTPClientTransport]]) {
  console.log(`${name}, silent: ${await idsOf(...kind, false)}`);
  console.log(`${name}, repeated: ${await idsOf(...kind, true)}`);
}
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
sdk, silent: none 5 none none none
sdk, repeated: none 5 5 5 5
client, silent: none 5 none none none
client, repeated: none 5 5 5 5
SEEN
