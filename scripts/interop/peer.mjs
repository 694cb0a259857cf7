// The checks of an independent peer, with Node's `ws`; peer.py tells what they are.
//
//     node peer.mjs serve          a server on a free port of 127.0.0.1, printed as "listening on URL"
//     node peer.mjs connect URL    a client

import { once } from 'node:events';

import { WebSocket, WebSocketServer } from 'ws';

const MEBIBYTE = 1 << 20;
const OPTIONS = { maxPayload: 16 * MEBIBYTE, handshakeTimeout: 20_000 };

function check(name, actual, expected) {
  const [left, right] = [actual, expected].map((value) =>
    Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)));
  const same = Buffer.isBuffer(actual) === Buffer.isBuffer(expected) && left.equals(right);
  if (same) console.log(`ok ${name}`);
  else console.log(`not ok ${name}: got ${left.subarray(0, 200)}, expected ${right.subarray(0, 200)}`);
}

/** Sends one message in the given parts, and checks its echo: a string for text, a Buffer for binary. */
async function echo(socket, name, ...parts) {
  const binary = Buffer.isBuffer(parts[0]);
  const answer = once(socket, 'message');
  parts.forEach((part, i) => socket.send(part, { binary, fin: i === parts.length - 1 }));
  const [data, isBinary] = await answer;
  check(name, isBinary ? data : data.toString(), binary ? Buffer.concat(parts) : parts.join(''));
}

async function ping(socket, name, payload) {
  const answer = once(socket, 'pong');
  socket.ping(payload);
  check(name, (await answer)[0], Buffer.from(payload));
}

/** Messages of all kinds, then a close that this end begins. */
async function converse(socket) {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await echo(socket, 'text', 'grüße 🎈');
  await echo(socket, 'binary', bytes);
  await echo(socket, 'empty text', '');
  await echo(socket, 'empty binary', Buffer.alloc(0));
  await echo(socket, '10 MiB binary', Buffer.alloc(10 * MEBIBYTE, bytes));
  await echo(socket, '10 MiB text', 'äöüß€🎈 '.repeat((10 * MEBIBYTE) / 16));
  await echo(socket, 'fragmented text', 'in ', '', 'three ', 'parts');
  await echo(socket, 'fragmented binary', Buffer.from([0]), Buffer.alloc(70_000, 0xff));

  await ping(socket, 'ping', Buffer.from('ping \x00\xff payload', 'latin1'));
  await ping(socket, 'empty ping', Buffer.alloc(0));

  const answer = once(socket, 'message');
  socket.send('before ', { fin: false });
  await ping(socket, 'ping between fragments', 'between fragments');
  socket.send('after', { fin: true });
  check('message around a ping', (await answer)[0].toString(), 'before after');

  check('no subprotocol', socket.protocol, '');
  const closed = once(socket, 'close');
  socket.close(4001, "the peer's reason ✓");
  const [code, reason] = await closed;
  check("answer to the peer's close", [code, reason.toString()], [4001, "the peer's reason ✓"]);
}

/** A subprotocol, then a close that the other end begins. */
async function beClosed(socket) {
  check('subprotocol', socket.protocol, 'superchat');
  const closed = once(socket, 'close');
  socket.send('close 4002 our reason ✓');
  const [code, reason] = await closed;
  check('close from the crate', [code, reason.toString()], [4002, 'our reason ✓']);
}

async function serve() {
  // This server's favourite is the client's second.
  const handleProtocols = (offers) => ['superchat', 'chat'].find((favourite) => offers.has(favourite)) ?? false;
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols, ...OPTIONS });
  server.on('connection', (socket, request) => (request.url === '/converse' ? converse : beClosed)(socket));
  await once(server, 'listening');
  console.log(`listening on ws://127.0.0.1:${server.address().port}`);
}

async function connect(url) {
  let socket = new WebSocket(url, OPTIONS);
  await once(socket, 'open');
  await converse(socket);
  socket = new WebSocket(url, ['unknown', 'superchat', 'chat'], OPTIONS);
  await once(socket, 'open');
  await beClosed(socket);
}

const [mode, url] = process.argv.slice(2);
await (mode === 'serve' ? serve() : connect(url));
