#!/usr/bin/env bash
# Package: sse-channel 4.0.2 (npm; lib/sse-channel.js, addClient), seen with Node.js 20.20.2.
#
# A client counts as gone when the request emits "end" or "close". Since Node.js 16 both come as soon
# as the request has been read, not when the connection closes. So a client whose request something
# has read (a logger, a body parser, resume()) is taken out of the channel at once: its connection
# stays open, and no event ever comes on it.
#
# Output seen:
#   request left unread: 1 client, got the event
#   request read: 0 clients, got nothing
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . sse-channel@4.0.2
cat >try.js <<'JS'
const http = require('http');
const SseChannel = require('sse-channel');
const channel = new SseChannel();
const server = http.createServer((req, res) => {
  if (req.url === '/read') req.resume();
  channel.addClient(req, res);
});
const visit = path => new Promise(done => {
  let body = '';
  const req = http.get({port: server.address().port, path}, res => {
    res.on('data', bytes => { body += bytes; });
    res.on('error', () => {});
    setTimeout(() => {
      const clients = channel.getConnectionCount();
      channel.send({id: 1, data: 'hello'});
      setTimeout(() => {
        const got = body.includes('hello') ? 'the event' : 'nothing';
        done(`${clients} client${clients === 1 ? '' : 's'}, got ${got}`);
        req.destroy();
      }, 300);
    }, 300);
  });
});
server.listen(0, async () => {
  console.log('request left unread: ' + await visit('/unread'));
  console.log('request read: ' + await visit('/read'));
  process.exit();
});
JS
node try.js | tee seen
diff seen - <<'SEEN'
request left unread: 1 client, got the event
request read: 0 clients, got nothing
SEEN
