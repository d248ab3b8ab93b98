// SPDX-License-Identifier: MIT
import EventSourceStream from '@server-sent-stream/web';
import {input, print} from './print.mjs';
const events = (await input()).body.pipeThrough(new EventSourceStream());
for await (const {type, data, lastEventId} of events) print(type, data, lastEventId);
