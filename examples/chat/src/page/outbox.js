// What was written and is not known to be logged. It outlives a reload of the page.
//
// One message is under way at a time: so they are logged in the order in which they were written, and a message that
// is sent again under its id is not logged again.

export class Outbox {
  #key;
  #entries;

  constructor(room, nick) {
    this.#key = `outbox ${room} ${nick.toLowerCase()}`;
    try {
      this.#entries = JSON.parse(sessionStorage.getItem(this.#key)) ?? [];
    } catch {
      this.#entries = [];
    }
  }

  get first() {
    return this.#entries[0];
  }

  get all() {
    return [...this.#entries];
  }

  add(text) {
    const entry = { id: name(), text };
    this.#entries.push(entry);
    this.#keep();
    return entry;
  }

  // Whether it was in there.
  remove(id) {
    const index = this.#entries.findIndex((entry) => entry.id === id);
    if (index < 0) return false;
    this.#entries.splice(index, 1);
    this.#keep();
    return true;
  }

  #keep() {
    try {
      if (this.#entries.length) sessionStorage.setItem(this.#key, JSON.stringify(this.#entries));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Storage may be full or forbidden: then a reload loses what waits, and nothing else does.
    }
  }
}

// A name that nobody else gives. `randomUUID` is for secure contexts only.
export function name() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
