#!/usr/bin/env bash
# Package: sse-pubsub 1.4.5 (npm; index.js, subscribe and publish), seen with Node.js 20.20.2.
#
# How much a client has missed is counted in all events, and then so many of those it listens to are sent
# again. So a client that listens to some types, has event 1, and misses two events of other types,
# is given event 1 a second time. Text loses its empty lines: they are what \n\n is split at.
#
# Output seen:
#   a client that has event 1 is sent: id: 1
#   "p\n\nq" arrives as "p\nq"
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . sse-pubsub@1.4.5
cat >try.js <<'JS'
const http = require('http');
const SSEChannel = require('sse-pubsub');
const channel = new SSEChannel({pingInterval: 0});
const server = http.createServer((req, res) => channel.subscribe(req, res, ['prices']));
channel.publish('p\n\nq', 'prices');
channel.publish('x', 'news');
channel.publish('y', 'news');
server.listen(0, () => {
  const headers = {'Last-Event-ID': '1'};
  http.get({port: server.address().port, headers}, res => {
    let body = '';
    res.setEncoding('utf8').on('data', text => {
      body += text;
      if (!body.includes('data: q\n\n')) return;
      const id = /^id: .*$/m.exec(body)[0];
      const data = [...body.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line).join('\n');
      console.log(`a client that has event 1 is sent: ${id}`);
      console.log(`${JSON.stringify('p\n\nq')} arrives as ${JSON.stringify(data)}`);
      process.exit();
    });
  });
});
JS
timeout 30 node try.js | tee seen
diff seen - <<'SEEN'
a client that has event 1 is sent: id: 1
"p\n\nq" arrives as "p\nq"
SEEN
