// SPDX-License-Identifier: MIT
import {EventSource} from 'eventsource-4';
import {printAll} from './print.mjs';
printAll(new EventSource(process.argv[2]));
