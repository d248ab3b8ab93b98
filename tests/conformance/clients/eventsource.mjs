// SPDX-License-Identifier: MIT
import {EventSource} from 'eventsource';
import {printAll} from './print.mjs';
printAll(new EventSource(process.argv[2]));
