// SPDX-License-Identifier: MIT
import {createEventSource} from 'eventsource-client';
import {print, stay} from './print.mjs';
createEventSource({url: process.argv[2], onMessage: ({event, data, id}) => print(event, data)});
stay();
