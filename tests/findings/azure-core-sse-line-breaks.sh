#!/usr/bin/env bash
# Package: @azure/core-sse 2.3.0 (npm; dist/esm/sse.js, toMessage), seen with Node.js 20.20.2.
#
# An empty first data line counts as no data yet, and is lost when the next one comes. A text that begins
# with line breaks, as a model's token often does, arrives without them, and one that is a single line
# break arrives empty. The type of a block without data, which the standard forgets, is given to the next
# event.
#
# Output seen:
#   "\n" arrives as ""
#   "\n\nb" arrives as "b"
#   "a\n\nb" arrives as "a\n\nb"
#   an event without a type, after a block of a type alone: "x"
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @azure/core-sse@2.3.0
cat >try.mjs <<'JS'
import {createSseStream} from '@azure/core-sse';
async function first(text) {
  const bytes = ReadableStream.from([new TextEncoder().encode(text)]);
  const events = [];
  for await (const event of createSseStream(bytes)) events.push(event);
  return events[0];
}
for (const text of ['\n', '\n\nb', 'a\n\nb']) {
  const lines = text.split('\n').map(line => `data: ${line}\n`).join('');
  const {data} = await first(`${lines}\n`);
  console.log(`${JSON.stringify(text)} arrives as ${JSON.stringify(data)}`);
}
const {event} = await first('event: x\n\ndata: y\n\n');
console.log(`an event without a type, after a block of a type alone: ${JSON.stringify(event)}`);
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
"\n" arrives as ""
"\n\nb" arrives as "b"
"a\n\nb" arrives as "a\n\nb"
an event without a type, after a block of a type alone: "x"
SEEN
