// SPDX-License-Identifier: MIT
import {EventSourceParserStream} from 'eventsource-parser/stream';
import {input, print} from './print.mjs';
const text = (await input()).body.pipeThrough(new TextDecoderStream());
for await (const {event, data} of text.pipeThrough(new EventSourceParserStream())) print(event, data);
