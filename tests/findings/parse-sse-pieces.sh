#!/usr/bin/env bash
# Package: parse-sse 0.1.0 (npm; index.js, ServerSentEventTransformStream), seen with Node.js 20.20.2.
#
# A CR at the end of a piece counts as a line end, and the LF at the beginning of the next as another: an
# event of two lines becomes two events where the network happens to cut it there. An event that has not
# come to its end when the stream does, as after a broken connection, is given out as if it were whole.
# One whose data is empty is not given out at all.
#
# Output seen:
#   in one piece: ["a\nb"]
#   cut between CR and LF: ["a","b"]
#   broken off: ["whole","{\"half\":"]
#   empty data: []
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . parse-sse@0.1.0
cat >try.mjs <<'JS'
import {ServerSentEventTransformStream} from 'parse-sse';
async function show(name, ...pieces) {
  const got = [];
  const stream = ReadableStream.from(pieces).pipeThrough(new ServerSentEventTransformStream());
  for await (const {data} of stream) got.push(data);
  console.log(`${name}: ${JSON.stringify(got)}`);
}
await show('in one piece', 'data: a\r\ndata: b\r\n\r\n');
await show('cut between CR and LF', 'data: a\r', '\ndata: b\r\n\r\n');
await show('broken off', 'data: whole\n\ndata: {"half":');
await show('empty data', 'data:\n\n');
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
in one piece: ["a\nb"]
cut between CR and LF: ["a","b"]
broken off: ["whole","{\"half\":"]
empty data: []
SEEN
