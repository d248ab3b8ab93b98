// SPDX-License-Identifier: MIT
import {events} from 'fetch-event-stream';
import {input, print} from './print.mjs';
for await (const {event, data} of events(await input())) print(event, data ?? '');
