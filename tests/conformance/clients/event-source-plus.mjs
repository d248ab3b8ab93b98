// SPDX-License-Identifier: MIT
import {EventSourcePlus} from 'event-source-plus';
import {print, stay} from './print.mjs';
new EventSourcePlus(process.argv[2]).listen({onMessage: ({event, data}) => print(event, data)});
stay();
