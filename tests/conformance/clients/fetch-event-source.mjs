// SPDX-License-Identifier: MIT
// It is made for browsers; of those it wants no more than this.
globalThis.window = {setTimeout, clearTimeout, fetch};
globalThis.document = {hidden: false, addEventListener() {}, removeEventListener() {}};
const {fetchEventSource} = await import('@microsoft/fetch-event-source/lib/cjs/index.js');
const {print, stay} = await import('./print.mjs');
fetchEventSource(process.argv[2], {onmessage: ({event, data}) => print(event, data)}).catch(() => {});
stay();
