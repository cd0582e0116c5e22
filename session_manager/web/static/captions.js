// Captions: facts and views merged (pure), and a column that shows them.

import { clock, el, t } from "./dom.js";

const COLOURS = 8;
const KEPT_PARTIALS = 64;

/** Lines in the order they were said, corrected by revision; partials by utterance, newest revision. */
export class Captions {
  lines = new Map();
  partials = new Map();
  #revisions = new Map();

  /**
   * A committed line; empty text takes it back. Returns "new", "corrected", "retracted" or null when nothing changed.
   * Takes the partial of its track back, unless the line was heard again later.
   */
  commit(line) {
    const revision = this.#revisions.get(line.line_id);
    if (revision >= line.revision) return null;
    this.#revisions.set(line.line_id, line.revision);
    const before = this.lines.get(line.line_id);
    if (!line.text) return this.lines.delete(line.line_id) ? "retracted" : null;
    this.lines.set(line.line_id, line);
    if (!before && !line.repaired) this.partials.delete(line.track_id);
    return before ? "corrected" : "new";
  }

  /** A partial, one at a time per track. Returns false when it is older than what is known. */
  partial(view) {
    const before = this.partials.get(view.track_id);
    if (before && before.utterance === view.utterance && before.revision >= view.revision) return false;
    this.partials.delete(view.track_id);
    if (view.text && this.partials.size < KEPT_PARTIALS) this.partials.set(view.track_id, view);
    return true;
  }

  silence(trackId) {
    return this.partials.delete(trackId);
  }
}

/** One of eight colours for each site, in the order in which the sites are heard of; never the only sign. */
export class SiteColours {
  #order = new Map();

  of(siteId) {
    if (!this.#order.has(siteId)) this.#order.set(siteId, (this.#order.size % COLOURS) + 1);
    return `site-${this.#order.get(siteId)}`;
  }
}

/** The first character of a name, for a chip. */
export const initial = (name) => Array.from(new Intl.Segmenter().segment(name.trim()), ({ segment }) => segment)[0] ?? "・";

/** One line of the column. `turn`: the voice changed, so the name is said again. */
export function lineElement(line, colour, turn) {
  const who = el("div", { class: "who" });
  if (turn) {
    who.append(el("b", {}, line.site_name));
    if (line.speaker && line.speaker !== line.site_name) who.append(el("span", {}, line.speaker));
  }
  if (turn) who.append(el("time", { class: "when", datetime: new Date(line.started_at * 1000).toISOString() }, clock(line.started_at)));
  const said = el("p", { class: "text", lang: line.language || null }, line.text);
  const element = el("li", { class: `said ${colour}${turn ? " turn" : ""}`, "data-line": line.line_id }, turn ? who : null, said);
  if (line.revision > 1) {
    element.classList.add("corrected");
    said.dataset.corrected = t("captions.corrected");
  }
  return element;
}

export function partialElement(view, name, colour) {
  return el("li", { class: `said partial turn ${colour}` },
    el("div", { class: "who" }, el("b", {}, name)),
    el("p", { class: "text", lang: view.language || null }, view.text));
}

/** A pause longer than this begins a new turn even of the same voice. */
export const TURN_S = 60;

export const sameTurn = (before, line) =>
  Boolean(before) && before.site_id === line.site_id && (before.speaker ?? "") === (line.speaker ?? "") && line.started_at - before.ended_at < TURN_S;
