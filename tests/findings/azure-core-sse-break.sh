#!/usr/bin/env bash
# Package: @azure/core-sse 2.3.0 (npm; dist/esm/utils.js, ensureAsyncIterable), seen with Node.js 20.20.2.
#
# A loop over the events that is left early, by `break` at the end marker of a completion for instance,
# throws if the stream is the body of a fetch: the library cancels a stream of which it still holds the
# reader. The same loop over a response of node:http ends in order.
#
# Output seen:
#   fetch: ERR_INVALID_STATE after 2 events
#   node:http: left after 2 events
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @azure/core-sse@2.3.0
cat >try.mjs <<'JS'
import {once} from 'node:events';
import http from 'node:http';
import {createSseStream} from '@azure/core-sse';
const server = http.createServer((req, res) => {
  res.writeHead(200, {'Content-Type': 'text/event-stream'});
  res.write('data: {"text":"hello"}\n\ndata: [DONE]\n\n');
});
await once(server.listen(0), 'listening');
const url = `http://127.0.0.1:${server.address().port}/`;
async function read(name, body) {
  let count = 0;
  let how = 'left';
  try {
    for await (const {data} of createSseStream(body)) {
      ++count;
      if (data === '[DONE]') break;
    }
  } catch (error) {
    how = error.code;
  }
  console.log(`${name}: ${how} after ${count} events`);
}
await read('fetch', (await fetch(url)).body);
const [response] = await once(http.get(url), 'response');
await read('node:http', response);
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
fetch: ERR_INVALID_STATE after 2 events
node:http: left after 2 events
SEEN
