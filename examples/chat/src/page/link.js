// The connection to a room: made again when it is lost, without a gap and with nothing twice.
//
// Events: "state" {state, detail}, "welcome" {nick, room, members, log, text_length}, "messages" {messages, older},
// "earlier" {messages, more}, "logged" {id}, "refused" {id, text, again}, "presence" {nick, here},
// "typing" {nick, on}, "log" {state}, "latency" {milliseconds}, "ended" {text, code}.

import { name } from "/outbox.js";

const PROTOCOL = "chat.v1";
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8000;
const FIRST_PING = 500;
const PING_EVERY = 10_000;
const PONG_WITHIN = 8_000;
// Close codes after which there is no point in connecting again.
const FINAL = { 4000: "This page is of another version than the server. Load it again.",
  4001: "You are in this room in another tab or window. Load this page again to be here instead.", 4002: "The server waited too long for you to join." };

export class Link extends EventTarget {
  #room;
  #nick;
  #outbox;
  #token;
  #socket;
  #joined = false;
  #pause = FIRST_PAUSE;
  #timers = {};
  #pingSent = 0;
  #pings = 0;
  // Of the room: the last message shown, those that came before the ones in between, whether a page was asked for.
  #last = null;
  #early = new Map();
  #asked = false;

  constructor(room, nick, outbox) {
    super();
    this.#room = room;
    this.#nick = nick;
    this.#outbox = outbox;
    this.#token = token();
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    this.#connect();
  }

  say(text) {
    const entry = this.#outbox.add(text);
    if (this.#joined && this.#outbox.first.id === entry.id) this.#sendFirst();
    return entry;
  }

  // Takes a message back that is not logged yet.
  discard(id) {
    const wasFirst = this.#outbox.first?.id === id;
    this.#outbox.remove(id);
    if (wasFirst && this.#joined) this.#sendFirst();
  }

  typing(on) {
    if (this.#joined) this.#send({ kind: "typing", on });
  }

  earlier(before) {
    this.#send({ kind: "history", before });
  }

  leave() {
    this.#end("left", 1000);
    this.#socket?.close(1000, "left");
  }

  #connect() {
    this.#tell("state", { state: "connecting" });
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/chat`, PROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.#send({ kind: "join", room: this.#room, nick: this.#nick, token: this.#token,
      ...(this.#last === null ? {} : { after: this.#last }) });
    socket.onmessage = ({ data }) => this.#heed(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#lost(code, reason);
  }

  #lost(code, reason) {
    this.#socket = null;
    this.#joined = false;
    this.#clear();
    if (FINAL[code]) return this.#end(FINAL[code], code);
    // Those who lost the server at the same moment do not come back at the same moment.
    const wait = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    const detail = code === 1001 ? "the server is going away" : reason;
    this.#tell("state", { state: "offline", wait, detail });
    this.#timers.connect = setTimeout(() => this.#connect(), wait);
  }

  #end(text, code) {
    this.#clear();
    this.#joined = false;
    if (this.#socket) this.#socket.onclose = null;
    this.#tell("ended", { text, code });
  }

  #clear() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
  }

  // The network is back, or somebody looks: no more waiting.
  #hurry() {
    if (!this.#timers.connect) return;
    this.#clear();
    this.#pause = FIRST_PAUSE;
    this.#connect();
  }

  #heed(event) {
    switch (event.kind) {
      case "welcome":
        this.#joined = true;
        this.#pause = FIRST_PAUSE;
        // A page of history follows by itself.
        this.#asked = true;
        this.#early.clear();
        this.#tell("state", { state: "online" });
        this.#tell("welcome", event);
        this.#sendFirst();
        // Not while the page is busy with showing what came.
        this.#timers.ping = setTimeout(() => this.#ping(), FIRST_PING);
        break;
      case "history":
        if (event.before !== undefined) this.#tell("earlier", event);
        else this.#page(event);
        break;
      case "message":
        if (this.#last !== null && event.seq <= this.#last) break;
        this.#early.set(event.seq, event);
        this.#goOn([]);
        break;
      case "ack":
        if (!this.#outbox.remove(event.id)) break;
        this.#tell("logged", event);
        this.#sendFirst();
        break;
      case "refused":
        this.#refused(event);
        break;
      case "joined":
      case "left":
        this.#tell("presence", { nick: event.nick, here: event.kind === "joined" });
        break;
      case "typing":
        this.#tell("typing", event);
        break;
      case "log":
        this.#tell("log", event);
        // What waits need not wait any longer.
        if (event.state === "ok" && this.#timers.send) this.#sendFirst();
        if (event.state === "ok" && this.#timers.ask) this.#ask();
        break;
      case "pong":
        if (event.n !== this.#pings) break;
        clearTimeout(this.#timers.pong);
        this.#tell("latency", { milliseconds: performance.now() - this.#pingSent });
        this.#timers.ping = setTimeout(() => this.#ping(), PING_EVERY);
        break;
      // Of a newer server: passed over.
    }
  }

  #refused({ id, code, text, retry }) {
    if (!this.#joined) {
      this.#socket.onclose = null;
      this.#socket.close(1000, "refused");
      return this.#end(text, code);
    }
    if (id === undefined) {
      if (retry !== undefined) this.#timers.ask = setTimeout(() => this.#ask(), retry);
      return;
    }
    if (retry !== undefined) {
      clearTimeout(this.#timers.send);
      this.#timers.send = setTimeout(() => this.#sendFirst(), retry);
      this.#tell("refused", { id, text, again: true });
    } else if (this.#outbox.remove(id)) {
      this.#tell("refused", { id, text, again: false });
      this.#sendFirst();
    }
  }

  // The latest page, or the one after what is shown.
  #page({ after, messages, more }) {
    this.#asked = false;
    const fresh = messages.filter(({ seq }) => this.#last === null || seq > this.#last);
    const first = this.#last === null;
    this.#last = fresh.at(-1)?.seq ?? this.#last ?? 0;
    this.#goOn(fresh, first ? more : undefined);
    if (more && after !== undefined && !this.#asked) this.#ask();
  }

  #goOn(messages, older) {
    if (this.#last === null) return;
    for (let next; (next = this.#early.get(this.#last + 1)); this.#last += 1) {
      messages.push(next);
      this.#early.delete(next.seq);
    }
    for (const seq of this.#early.keys()) if (seq <= this.#last) this.#early.delete(seq);
    if (messages.length || older !== undefined) this.#tell("messages", { messages, older });
    if (this.#early.size && !this.#asked) this.#ask();
  }

  #ask() {
    clearTimeout(this.#timers.ask);
    delete this.#timers.ask;
    this.#asked = true;
    this.#send({ kind: "history", ...(this.#last === null ? {} : { after: this.#last }) });
  }

  #sendFirst() {
    clearTimeout(this.#timers.send);
    delete this.#timers.send;
    const first = this.#outbox.first;
    if (first) this.#send({ kind: "say", id: first.id, text: first.text });
  }

  // Browsers answer pings of the server by themselves, but give a page none of its own.
  #ping() {
    this.#pings += 1;
    this.#pingSent = performance.now();
    this.#send({ kind: "ping", n: this.#pings });
    clearTimeout(this.#timers.ping);
    clearTimeout(this.#timers.pong);
    this.#timers.pong = setTimeout(() => {
      // A close would wait for a server that does not answer.
      const socket = this.#socket;
      this.#lost(1006, "the server does not answer");
      socket?.close();
    }, PONG_WITHIN);
  }

  #send(request) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// The secret of this tab, with which it takes its place over from a connection that the server does not yet know to be
// lost; after a reload, too.
function token() {
  try {
    const token = sessionStorage.getItem("token") ?? name();
    sessionStorage.setItem("token", token);
    return token;
  } catch {
    return name();
  }
}
