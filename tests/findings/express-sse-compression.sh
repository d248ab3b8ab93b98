#!/usr/bin/env bash
# Packages: express-sse 1.0.0 (npm; index.js, init), express 5.1.0, compression 1.8.1; seen with Node.js
# 20.20.2.
#
# After each event express-sse calls flushHeaders() if the response has it, and flush() only if not. A
# response of Node.js always has flushHeaders(), so the flush() of the compression middleware is never
# called: a client that accepts gzip gets the ten bytes of a gzip head, and none of its events.
#
# Output seen:
#   identity: 10 events after 10 were sent
#   gzip: 0 events after 10 were sent, 10 bytes have come
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . express-sse@1.0.0 express@5.1.0 compression@1.8.1
cat >try.js <<'JS'
const http = require('http');
const zlib = require('zlib');
const express = require('express');
const SSE = require('express-sse');
const sse = new SSE();
const app = express();
app.use(require('compression')());
app.get('/events', sse.init);
const read = (port, encoding) => new Promise(done => {
  const parts = [];
  const headers = {'Accept-Encoding': encoding};
  const req = http.get({port, path: '/events', headers}, res => {
    res.on('data', bytes => parts.push(bytes));
    res.on('error', () => {});
    for (let i = 0; i < 10; ++i) sse.send({number: i});
    setTimeout(() => {
      const bytes = Buffer.concat(parts);
      const options = {finishFlush: zlib.constants.Z_SYNC_FLUSH};
      const text = encoding === 'gzip' ? zlib.gunzipSync(bytes, options) : bytes;
      const events = text.toString().split('\n\n').length - 1;
      const size = encoding === 'gzip' ? `, ${bytes.length} bytes have come` : '';
      done(`${encoding}: ${events} events after 10 were sent${size}`);
      req.destroy();
    }, 1000);
  });
});
const server = app.listen(0, async () => {
  console.log(await read(server.address().port, 'identity'));
  console.log(await read(server.address().port, 'gzip'));
  process.exit();
});
JS
node try.js | tee seen
diff seen - <<'SEEN'
identity: 10 events after 10 were sent
gzip: 0 events after 10 were sent, 10 bytes have come
SEEN
