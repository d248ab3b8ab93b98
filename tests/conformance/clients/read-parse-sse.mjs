// SPDX-License-Identifier: MIT
import {parseServerSentEvents} from 'parse-sse';
import {input, print} from './print.mjs';
for await (const {type, data, lastEventId} of parseServerSentEvents(await input())) {
    print(type, data, lastEventId);
}
