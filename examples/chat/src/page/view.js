// What the page shows. All that people wrote gets in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
// Messages of one person within this time stand together, in milliseconds.
const TOGETHER = 5 * 60_000;

// An element with attributes, and text or elements in it.
export function make(tag, attributes = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

export class View {
  #nick = "";
  #members = new Map();
  #typing = new Map();
  #pending = new Map();
  #unseen = 0;
  #list = $("messages");
  #scroll = $("scroll");

  constructor() {
    this.#scroll.addEventListener("scroll", () => this.#atEnd() && this.#seen());
    $("newest").addEventListener("click", () => {
      this.toEnd();
      $("text").focus();
    });
    // The keyboard of a phone, or a composer of more lines, takes room from the conversation.
    let atEnd = true;
    this.#scroll.addEventListener("scroll", () => (atEnd = this.#atEnd()));
    new ResizeObserver(() => atEnd && this.toEnd()).observe(this.#scroll);
  }

  enter({ nick, room, members }) {
    this.#nick = nick;
    $("door").hidden = true;
    $("hall").hidden = false;
    $("room-name").textContent = room;
    document.title = `#${room}`;
    this.#members = new Map(members.map((name) => [name.toLowerCase(), name]));
    this.#showMembers();
  }

  connection(state, text) {
    $("connection").dataset.state = state;
    $("connection-text").textContent = text;
    if (state !== "online") $("latency").textContent = "";
  }

  latency(milliseconds) {
    const shown = milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds);
    $("latency").textContent = `${shown} ms`;
    $("latency").title = "Time for a message to the server and back";
  }

  banner(text, level = "warn") {
    $("banner").hidden = !text;
    $("banner").dataset.level = level;
    $("banner").textContent = text ?? "";
  }

  // Messages that follow what is shown.
  append(messages, fromHistory) {
    const follow = this.#atEnd();
    // What was said long ago is not read aloud.
    this.#list.setAttribute("aria-busy", fromHistory);
    for (const said of messages) {
      if (said.nick === this.#nick) this.settle(said.id);
      this.#typing.get(said.nick)?.stop();
      const item = this.#item(said, this.#lastLogged());
      this.#list.insertBefore(item, this.#list.querySelector(":scope > .pending, :scope > .failed"));
      if (!fromHistory && said.nick !== this.#nick && !follow) this.#unseen += 1;
    }
    this.#list.setAttribute("aria-busy", "false");
    this.#emptiness();
    if (follow) this.toEnd();
    this.#seen(this.#unseen);
    if (document.hidden && !fromHistory) document.title = `(${Math.max(this.#unseen, 1)}) #${$("room-name").textContent}`;
  }

  // Messages from before what is shown.
  prepend(messages) {
    this.#list.setAttribute("aria-busy", "true");
    const height = this.#scroll.scrollHeight;
    const next = this.#list.firstElementChild;
    let before;
    for (const said of messages) {
      const item = this.#item(said, before);
      this.#list.insertBefore(item, next);
      before = item;
    }
    if (next?.dataset.at) this.#join(next, before);
    this.#scroll.scrollTop += this.#scroll.scrollHeight - height;
    this.#list.setAttribute("aria-busy", "false");
    this.#emptiness();
  }

  older(more) {
    $("older").hidden = !more;
  }

  firstShown() {
    return Number(this.#list.querySelector(".said[data-seq]")?.dataset.seq);
  }

  // Something that nobody said; those in a row share a line.
  note(text) {
    const follow = this.#atEnd();
    const place = this.#list.querySelector(":scope > .pending, :scope > .failed");
    const last = place ? place.previousElementSibling : this.#list.lastElementChild;
    if (last?.classList.contains("note") && last.textContent.length < 120) last.textContent += ` · ${text}`;
    else this.#list.insertBefore(make("li", { class: "note" }, text), place);
    if (follow) this.toEnd();
  }

  // A message that is not logged yet.
  pending({ id, text }, discard) {
    if (this.#pending.has(id)) return;
    const state = make("span", { class: "state" }, "sending…");
    const drop = make("button", { type: "button", class: "link", hidden: "" }, "Discard");
    drop.addEventListener("click", () => {
      discard(id);
      this.settle(id);
      $("text").focus();
    });
    const bubble = make("p", { class: "bubble", dir: "auto" }, text);
    const item = make("li", { class: "said own pending" }, bubble, make("p", { class: "fate" }, state, " ", drop));
    this.#list.append(item);
    this.#pending.set(id, { item, state, drop });
    this.#emptiness();
    this.toEnd();
  }

  // It waits for the log or for the connection.
  waiting(id, text) {
    const found = this.#pending.get(id);
    if (!found) return;
    found.state.textContent = text;
    found.drop.hidden = false;
  }

  // It will not be logged.
  failed(id, text, edit) {
    const found = this.#pending.get(id);
    if (!found) return;
    this.#pending.delete(id);
    found.item.classList.replace("pending", "failed");
    found.state.textContent = text;
    found.drop.replaceWith(this.#button("Edit", () => {
      edit();
      found.item.remove();
    }));
  }

  settle(id) {
    this.#pending.get(id)?.item.remove();
    this.#pending.delete(id);
  }

  presence(nick, here) {
    if (here) this.#members.set(nick.toLowerCase(), nick);
    else this.#members.delete(nick.toLowerCase());
    if (!here) this.#typing.get(nick)?.stop();
    this.#showMembers();
    this.note(here ? `${nick} came` : `${nick} left`);
  }

  typing(nick, on) {
    this.#typing.get(nick)?.stop();
    if (on) {
      const stop = () => {
        clearTimeout(timer);
        this.#typing.delete(nick);
        this.#showTyping();
      };
      // Who lost the connection does not say that they stopped.
      const timer = setTimeout(stop, 6000);
      this.#typing.set(nick, { stop });
    }
    this.#showTyping();
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#seen();
  }

  #item(said, before) {
    const at = new Date(said.at);
    const own = said.nick === this.#nick;
    const item = make("li", { class: own ? "said own" : "said", "data-seq": said.seq, "data-at": said.at, "data-nick": said.nick });
    const face = make("span", { class: "face", "aria-hidden": "true" }, [...said.nick][0].toUpperCase());
    face.style.setProperty("--hue", hue(said.nick));
    const name = make("span", { class: "name" }, own ? "You" : said.nick);
    const when = make("time", { datetime: at.toISOString(), title: at.toLocaleString() }, time.format(at));
    const head = make("p", { class: "head" }, name, " ", when);
    item.append(make("p", { class: "day" }, day.format(at)), face, head, make("p", { class: "bubble", dir: "auto" }, said.text));
    this.#join(item, before);
    return item;
  }

  // Shows the day and the sender only where they are not those of the message before.
  #join(item, before) {
    const at = Number(item.dataset.at);
    const sameDay = before && new Date(Number(before.dataset.at)).toDateString() === new Date(at).toDateString();
    const together = sameDay && before.dataset.nick === item.dataset.nick && at - Number(before.dataset.at) < TOGETHER
      && (!before.nextElementSibling || before.nextElementSibling === item || !before.nextElementSibling.matches(".note"));
    item.classList.toggle("new-day", !sameDay);
    item.classList.toggle("together", Boolean(together));
  }

  #lastLogged() {
    return [...this.#list.querySelectorAll(":scope > .said[data-seq]")].at(-1);
  }

  #button(text, act) {
    const button = make("button", { type: "button", class: "link" }, text);
    button.addEventListener("click", act);
    return button;
  }

  #showMembers() {
    const names = [...this.#members.values()].sort((a, b) => a.localeCompare(b));
    $("people-count").textContent = names.length;
    $("members").replaceChildren(...names.map((nick) => {
      const face = make("span", { class: "face", "aria-hidden": "true" }, [...nick][0].toUpperCase());
      face.style.setProperty("--hue", hue(nick));
      return make("li", {}, face, make("span", { class: "who" }, nick), ...(nick === this.#nick ? [make("span", { class: "you" }, "you")] : []));
    }));
  }

  #showTyping() {
    const names = [...this.#typing.keys()];
    const who = names.length > 2 ? "Several people are" : names.length === 2 ? `${names[0]} and ${names[1]} are` : `${names[0]} is`;
    $("typing").textContent = names.length ? `${who} typing…` : "";
  }

  #emptiness() {
    $("empty").hidden = this.#list.childElementCount > 0;
  }

  #atEnd() {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < 60;
  }

  #seen(left = 0) {
    this.#unseen = left;
    $("newest").hidden = left === 0;
    $("newest").textContent = left === 1 ? "1 new message ↓" : `${left} new messages ↓`;
  }
}

function hue(nick) {
  let sum = 0;
  for (const character of nick) sum = (sum * 31 + character.codePointAt(0)) % 65_521;
  // By the golden angle, so that names that differ little get colours that differ much.
  return Math.round((sum * 137.508) % 360);
}
