// The peer's part of deflate.py, with Node's `ws`; deflate_peer.py tells what it is.
//
//     node deflate_peer.mjs serve [--forget]
//     node deflate_peer.mjs connect URL [--forget]

import { once } from 'node:events';

import { WebSocket, WebSocketServer } from 'ws';

const forget = process.argv.includes('--forget');
const perMessageDeflate = {
  threshold: 0,
  ...(forget ? { serverNoContextTakeover: true, clientNoContextTakeover: true } : {}),
};
const OPTIONS = { maxPayload: 4 << 20, handshakeTimeout: 20_000, perMessageDeflate };

/** Sends one message in the given parts, and checks its echo: a string for text, a Buffer for binary. */
async function echo(socket, name, ...parts) {
  const binary = Buffer.isBuffer(parts[0]);
  const answer = once(socket, 'message');
  parts.forEach((part, i) => socket.send(part, { binary, fin: i === parts.length - 1 }));
  const [data, isBinary] = await answer;
  const expected = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const same = isBinary === binary && data.equals(expected);
  console.log(same ? `ok ${name}` : `not ok ${name}: got ${data.subarray(0, 200)}`);
}

/** What deflate.py lists as MESSAGES, in its order. */
async function converse(socket) {
  const entries = Array.from({ length: 60 }, (_, i) => `{"id": ${(i * 7919) % 1009}, "name": "grüße ${(i * i) % 97}"}`);
  const story = entries.join(' ');
  await echo(socket, 'story', story);
  await echo(socket, 'story again', story);
  await echo(socket, 'fragments', story.slice(0, 100), '', story.slice(100, 1000), story.slice(1000));
  await echo(socket, 'empty', '');
  await echo(socket, '1 MiB pattern', Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 256 }, (_, i) => i))));
  let seed = 1;
  const noise = Buffer.from(Array.from({ length: 1 << 20 }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed >>> 24;
  }));
  await echo(socket, '1 MiB noise', noise);
  const pong = once(socket, 'pong');
  socket.ping('ping');
  console.log(`${(await pong)[0]}` === 'ping' ? 'ok ping' : 'not ok ping');
  const closed = once(socket, 'close');
  socket.close(4001, 'done');
  const [code] = await closed;
  console.log(code === 4001 ? 'ok close' : `not ok close: ${code}`);
}

async function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...OPTIONS });
  server.on('connection', converse);
  await once(server, 'listening');
  console.log(`listening on ws://127.0.0.1:${server.address().port}`);
}

async function connect(url) {
  const socket = new WebSocket(url, OPTIONS);
  await once(socket, 'open');
  await converse(socket);
}

const [mode, url] = process.argv.slice(2);
await (mode === 'serve' ? serve() : connect(url));
