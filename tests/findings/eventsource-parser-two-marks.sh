#!/usr/bin/env bash
# Packages: eventsource-parser 4.1.3, its stream, after a TextDecoderStream as its documentation has it;
# eventsource 5.1.5, which is made so; undici 7.16.0 (npm); seen with Node.js 20.20.2.
#
# One byte order mark at the beginning of a stream is dropped, and only one (HTML, 9.2.5: "stream = [ bom ]
# *event"). A second one is part of the first line's name, so that line is none of the known fields. The
# parser drops a mark by itself, for readers whose bytes come undecoded; the decoder before it has dropped
# one already. So both marks of such a stream go, and its first field, which the standard ignores, is read.
#
# Output seen, for two marks, "data: a", "data: b":
#   decoder and eventsource-parser 4.1.3: "a\nb"
#   eventsource 5.1.5: "a\nb"
#   undici 7.16.0: "b"
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . eventsource-parser@4.1.3 eventsource@5.1.5 \
    undici@7.16.0
cat >try.mjs <<'JS'
import {once} from 'node:events';
import http from 'node:http';
import {EventSource} from 'eventsource';
import {EventSourceParserStream} from 'eventsource-parser/stream';
import {EventSource as Undici} from 'undici';
const server = http.createServer((req, res) => {
  res.writeHead(200, {'Content-Type': 'text/event-stream'});
  res.write('\uFEFF\uFEFFdata: a\ndata: b\n\n');
});
await once(server.listen(0), 'listening');
const url = `http://127.0.0.1:${server.address().port}/`;
const answer = await fetch(url);
const events = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
const {value} = await events.getReader().read();
console.log(`decoder and eventsource-parser 4.1.3: ${JSON.stringify(value.data)}`);
for (const [name, Source] of [['eventsource 5.1.5', EventSource], ['undici 7.16.0', Undici]]) {
  const source = new Source(url);
  const data = await new Promise(got => { source.onmessage = event => got(event.data); });
  console.log(`${name}: ${JSON.stringify(data)}`);
  source.close();
}
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
decoder and eventsource-parser 4.1.3: "a\nb"
eventsource 5.1.5: "a\nb"
undici 7.16.0: "b"
SEEN
