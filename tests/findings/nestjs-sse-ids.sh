#!/usr/bin/env bash
# Packages: @nestjs/core 12.5.1 (npm; router/sse-stream.js, writeMessage), @nestjs/common and
# platform-express 12.5.1; seen with Node.js 20.20.2.
#
# An event without an id is given one: a number that each connection counts from 1. The same event has
# different ids for different clients. A client that had two events, missed one and comes back with
# Last-Event-ID: 2 is given the next as number 1: the id that it sends means nothing to anybody, and it
# cannot see that something is missing.
#
# Output seen:
#   from the beginning: id 1 one, id 2 two
#   one event later: id 1 two, id 2 missed, id 3 four
#   back with Last-Event-ID 2: id 1 four
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @nestjs/core@12.5.1 @nestjs/common@12.5.1 \
    @nestjs/platform-express@12.5.1 reflect-metadata@0.2.2 rxjs@7.8.2
cat >try.mjs <<'JS'
import 'reflect-metadata';
import http from 'node:http';
import {NestFactory} from '@nestjs/core';
import {Controller, Module, Sse} from '@nestjs/common';
import {Subject} from 'rxjs';
const news = new Subject();
class Events { all() { return news; } }
Controller()(Events);
Sse('events')(Events.prototype, 'all', Object.getOwnPropertyDescriptor(Events.prototype, 'all'));
class App {}
Module({controllers: [Events]})(App);
const app = await NestFactory.create(App, {logger: false});
await app.listen(0);
const until = async condition => {
  while (!condition()) await new Promise(done => setTimeout(done, 10));
};
const open = async id => {
  const readers = news.observers.length;
  const client = {body: ''};
  const request = http.get({
    port: app.getHttpServer().address().port,
    path: '/events',
    headers: id ? {'Last-Event-ID': id} : {},
  }, res => res.on('error', () => {}).on('data', bytes => client.body += bytes));
  client.leave = async () => {
    const all = news.observers.length;
    request.destroy();
    await until(() => news.observers.length < all);
  };
  await until(() => news.observers.length > readers);
  return client;
};
const publish = async (data, ...clients) => {
  news.next({data});
  for (const client of clients) await until(() => client.body.includes(data));
};
const show = (name, {body}) => console.log(`${name}: ` +
  [...body.matchAll(/^id: (.*)\ndata: (.*)$/gm)].map(([, id, data]) => `id ${id} ${data}`).join(', '));
const first = await open();
await publish('one', first);
const second = await open();
await publish('two', first, second);
await first.leave();
await publish('missed', second);
const back = await open('2');
await publish('four', second, back);
show('from the beginning', first);
show('one event later', second);
show('back with Last-Event-ID 2', back);
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
from the beginning: id 1 one, id 2 two
one event later: id 1 two, id 2 missed, id 3 four
back with Last-Event-ID 2: id 1 four
SEEN
