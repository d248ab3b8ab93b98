// SPDX-License-Identifier: MIT
// What run.py reads: an event as a line of JSON.
export function print(type, data, lastEventId) {
    console.log(JSON.stringify({type: type || 'message', data, lastEventId}));
}

// A client of the EventSource kind has to be told each type that it should give out.
export function printAll(source) {
    for (const type of JSON.parse(process.env.SSE_EVENT_TYPES)) {
        source.addEventListener(type, (event) => {
            // Its own events about the connection have no data.
            if (typeof event.data === 'string') print(event.type, event.data, event.lastEventId);
        });
    }
    source.addEventListener('error', () => {}); // where nobody listens some throw
    stay();
}

// The timer of a client that waits need not keep its process.
export function stay() {
    setInterval(() => {}, 1e6);
}

// Standard input as a response, for readers of those.
export async function input() {
    const {Readable} = await import('node:stream');
    return new Response(Readable.toWeb(process.stdin), {headers: {'Content-Type': 'text/event-stream'}});
}
