// SPDX-License-Identifier: MIT
// The EventSource that a runtime brings along: node --experimental-eventsource, or deno.
import process from 'node:process';
globalThis.process ??= process;
const {printAll} = await import('./print.mjs');
printAll(new EventSource(process.argv[2]));
