// SPDX-License-Identifier: MIT
import {EventSource} from 'launchdarkly-eventsource';
import {printAll} from './print.mjs';
printAll(new EventSource(process.argv[2]));
