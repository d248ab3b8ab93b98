// SPDX-License-Identifier: MIT
import polyfill from 'event-source-polyfill';
import {printAll} from './print.mjs';
printAll(new polyfill.EventSourcePolyfill(process.argv[2]));
