// The page: what the link tells is shown, what is done goes to the link.

import { Link } from "/link.js";
import { Outbox } from "/outbox.js";
import { View } from "/view.js";

const $ = (id) => document.getElementById(id);
const view = new View();
let link;
let textLength = 2000;
let log = "ok";

const LOG = {
  slow: "Saving messages takes long at the moment. Yours may be shown with a delay.",
  down: "Messages cannot be saved at the moment. What you write waits here and is sent as soon as they can be.",
};

function join(nick, room) {
  const outbox = new Outbox(room, nick);
  link = new Link(room, nick, outbox);
  const on = (type, heed) => link.addEventListener(type, ({ detail }) => heed(detail));
  let entered = false;
  let countdown;

  on("state", ({ state, wait, detail }) => {
    clearInterval(countdown);
    if (state === "online") return view.connection("online", "connected");
    if (state === "connecting") return view.connection("connecting", "connecting…");
    for (const { id } of outbox.all) view.waiting(id, "waiting for the connection");
    const until = performance.now() + wait;
    const show = () => {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      view.connection("offline", left > 1 ? `offline, trying again in ${left} s` : "offline, trying again");
    };
    show();
    countdown = setInterval(show, 1000);
    if (entered) view.banner(`No connection${detail ? ` (${detail})` : ""}. What you write is sent when it is back.`);
    else $("problem").textContent = "The server cannot be reached; trying again.";
  });
  on("welcome", (welcome) => {
    textLength = welcome.text_length;
    view.enter(welcome);
    if (!entered) for (const entry of outbox.all) view.pending(entry, (id) => link.discard(id));
    if (!entered) $("text").focus();
    entered = true;
    remember(welcome.nick, welcome.room);
    showLog(welcome.log);
  });
  on("messages", ({ messages, older }) => {
    view.append(messages, older !== undefined);
    if (older !== undefined) view.older(older);
  });
  on("earlier", ({ messages, more }) => {
    view.prepend(messages);
    view.older(more);
    $("older").disabled = false;
  });
  on("logged", ({ id }) => view.settle(id));
  on("refused", ({ id, text, again }) => {
    if (again) return view.waiting(id, log === "ok" ? `${text}` : "not saved yet, will be sent again");
    const refused = outbox.all.find((entry) => entry.id === id) ?? texts.get(id);
    view.failed(id, text, () => {
      $("text").value = refused?.text ?? "";
      fit();
      $("text").focus();
    });
  });
  on("presence", ({ nick: who, here }) => view.presence(who, here));
  on("typing", ({ nick: who, on: types }) => view.typing(who, types));
  on("log", ({ state }) => showLog(state));
  on("latency", ({ milliseconds }) => view.latency(milliseconds));
  on("ended", ({ text, code }) => {
    clearInterval(countdown);
    if (code === 1000) return;
    view.connection("ended", "disconnected");
    if (entered) return view.banner(`${text} `, "error");
    $("problem").textContent = text;
    $("enter").querySelector("button").disabled = false;
    (code === "bad_room" ? $("room") : $("nick")).focus();
  });
}

// What was said and not logged yet, for who wants to change it.
const texts = new Map();

function showLog(state) {
  log = state;
  view.banner(LOG[state]);
}

// In the address, so that it can be shared; the name only for this tab.
function remember(nick, room) {
  history.replaceState(null, "", `#${encodeURIComponent(room)}`);
  sessionStorage.setItem("nick", nick);
  sessionStorage.setItem("room", room);
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  $("problem").textContent = "";
  $("enter").querySelector("button").disabled = true;
  join($("nick").value.trim(), $("room").value.trim());
});

$("leave").addEventListener("click", () => {
  link.leave();
  sessionStorage.removeItem("nick");
  location.reload();
});

$("older").addEventListener("click", () => {
  $("older").disabled = true;
  link.earlier(view.firstShown());
});

const people = (shown) => {
  $("people").classList.toggle("shown", shown);
  $("people-button").setAttribute("aria-expanded", shown);
};
$("people-button").addEventListener("click", () => people(!$("people").classList.contains("shown")));

// The composer.
let typedAt = 0;
function stopTyping() {
  if (typedAt) link.typing(false);
  typedAt = 0;
}
function fit() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 160)}px`;
  const left = textLength - [...text.value].length;
  $("counter").textContent = left < 200 ? `${left} characters left` : "";
  $("counter").classList.toggle("over", left < 0);
  $("send").disabled = left < 0;
}
$("text").addEventListener("input", () => {
  fit();
  if (!$("text").value.trim()) return stopTyping();
  if (!typedAt || performance.now() - typedAt > 3000) {
    typedAt = performance.now();
    link.typing(true);
  }
});
$("text").addEventListener("blur", stopTyping);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("say").requestSubmit();
  } else if (event.key === "PageUp" || event.key === "PageDown") {
    event.preventDefault();
    $("scroll").scrollBy({ top: (event.key === "PageUp" ? -0.9 : 0.9) * $("scroll").clientHeight });
  }
});
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trimEnd();
  if (!text.trim() || $("send").disabled) return;
  stopTyping();
  const entry = link.say(text);
  texts.set(entry.id, entry);
  view.pending(entry, (id) => link.discard(id));
  if ($("connection").dataset.state !== "online") view.waiting(entry.id, "waiting for the connection");
  $("text").value = "";
  fit();
});

document.addEventListener("keydown", (event) => {
  if ($("hall").hidden) return;
  if (event.key === "Escape") {
    people(false);
    $("text").focus();
  } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " "
    && !event.target.matches("input, textarea, button")) {
    // Whoever types wants to write.
    $("text").focus();
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !$("hall").hidden) document.title = `#${$("room-name").textContent}`;
});

// After a reload one is in the room again; else the room may be in the address.
const room = decodeURIComponent(location.hash.slice(1)) || sessionStorage.getItem("room") || "lobby";
const nick = sessionStorage.getItem("nick");
$("room").value = room;
if (nick) {
  $("nick").value = nick;
  $("enter").requestSubmit();
} else {
  $("nick").focus();
}
