// SPDX-License-Identifier: MIT
// The reader of events beneath the SDK's streams.
import {_iterSSEMessages} from 'openai/core/streaming';
import {input, print} from './print.mjs';
for await (const {event, data} of _iterSSEMessages(await input(), new AbortController())) print(event, data);
