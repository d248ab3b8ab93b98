// SPDX-License-Identifier: MIT
import {EventSource} from 'extended-eventsource';
import {printAll} from './print.mjs';
printAll(new EventSource(process.argv[2]));
