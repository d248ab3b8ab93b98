#!/usr/bin/env bash
# Package: @google/genai 3.3.0 (npm; processStreamResponse in dist/node/index.mjs), seen with Node.js
# 20.20.2.
#
# A block of an event stream whose first line is not its data is dropped in silence: one with an id, a
# type or a comment before the data. The answer then has no chunks, and no error tells of it. Nor does
# it help to put the id last: that line is taken for JSON. To the standard (HTML, 9.2.6) the order of the
# lines means nothing.
#
# Output seen:
#   data: 1 chunk, then the end
#   data, id: 0 chunks, then SyntaxError
#   id, data: 0 chunks, then the end
#   event, data: 0 chunks, then the end
#   comment, data: 0 chunks, then the end
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . @google/genai@3.3.0
cat >try.mjs <<'JS'
import {GoogleGenAI} from '@google/genai';
import http from 'node:http';
const data = `data: ${JSON.stringify({candidates: [{content: {role: 'model', parts: [{text: 'x'}]}}]})}\n`;
const blocks = {
  'data': data,
  'data, id': data + 'id: 1\n',
  'id, data': 'id: 1\n' + data,
  'event, data': 'event: chunk\n' + data,
  'comment, data': ': hello\n' + data,
};
let block;
const server = http.createServer((req, res) => {
  req.resume();
  res.writeHead(200, {'Content-Type': 'text/event-stream'}).end(block + '\n');
});
server.listen(0, async () => {
  const baseUrl = `http://127.0.0.1:${server.address().port}`;
  const client = new GoogleGenAI({apiKey: 'none', httpOptions: {baseUrl}});
  for (const name of Object.keys(blocks)) {
    block = blocks[name];
    let chunks = 0;
    let end = 'the end';
    try {
      const stream = await client.models.generateContentStream({model: 'any', contents: 'any'});
      for await (const _ of stream) ++chunks;
    } catch (error) {
      end = error.name;
    }
    console.log(`${name}: ${chunks} chunk${chunks === 1 ? '' : 's'}, then ${end}`);
  }
  process.exit();
});
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
data: 1 chunk, then the end
data, id: 0 chunks, then SyntaxError
id, data: 0 chunks, then the end
event, data: 0 chunks, then the end
comment, data: 0 chunks, then the end
SEEN
