// SPDX-License-Identifier: MIT
import {createSseStream} from '@azure/core-sse';
import {input, print} from './print.mjs';
for await (const {event, data} of createSseStream((await input()).body)) print(event, data);
