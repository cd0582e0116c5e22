// Who speaks now, from sound levels: calm, so a mark stays a moment after the last loud word. Pure.

const LOUD_DBOV = 45;
const HOLD_MS = 900;

export class Voices {
  #last = new Map();

  /** `levels`: track id -> -dBov (0 loudest, 127 silence). */
  hear(levels, now) {
    for (const [trackId, level] of Object.entries(levels)) if (level < LOUD_DBOV) this.#last.set(trackId, now);
  }

  /** Track ids that are speaking, the latest voice first. */
  speaking(now) {
    return this.recent().filter((trackId) => now - this.#last.get(trackId) < HOLD_MS);
  }

  /** Every track that ever spoke, the latest voice first. */
  recent() {
    return [...this.#last.keys()].sort((a, b) => this.#last.get(b) - this.#last.get(a));
  }
}
