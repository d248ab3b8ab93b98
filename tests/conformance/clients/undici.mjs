// SPDX-License-Identifier: MIT
import {EventSource} from 'undici';
import {printAll} from './print.mjs';
printAll(new EventSource(process.argv[2]));
