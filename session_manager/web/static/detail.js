// One booking: what it is, what can be done with it now, who else asks for the same, what happened to it.

import { change, kindName, modeName } from "./booking.js";
import { api, clock, el, icon, notice, t } from "./dom.js";
import { said } from "./sentences.js";
import { dayName, home, office, outcome, span } from "./wall.js";

const STATES = { wanted: () => t("detail.wanted"), requested: () => t("detail.requested"), waiting: () => t("detail.waiting"), offered: () => t("detail.offered"), confirmed: () => t("detail.confirmed"), in_use: () => t("detail.in_use"), done: () => t("detail.done"), declined: () => t("detail.declined"), expired: () => t("detail.expired"), cancelled: () => t("detail.cancelled"), released: () => t("detail.released") };
export const stateName = (state) => STATES[state]?.() ?? state;

const HAPPENED = { made: () => t("detail.was_made"), changed: () => t("detail.was_changed"), change_requested: () => t("detail.was_change_requested"), change_declined: () => t("detail.was_change_declined"), approve: () => t("detail.was_approved"), decline: () => t("detail.was_declined"), queue: () => t("detail.was_queued"), offer: () => t("detail.was_offered"), accept: () => t("detail.was_accepted"), take: () => t("detail.was_taken"), ask: () => t("detail.was_asked"), expire: () => t("detail.was_expired"), cancel: () => t("detail.was_cancelled"), check_in: () => t("detail.was_checked_in"), end: () => t("detail.was_ended"), release: () => t("detail.was_released"), extended: () => t("detail.was_extended") };
const LEAD_S = 900;
const MORE_MINUTES = 30;

/** Why something ends: three common reasons, each one tap, or one's own words. Resolves with the reason, or null. */
export function reason(question, rows, confirm) {
  return new Promise((resolve) => {
    let given = null;
    const close = (text) => { given = text; dialog.close(); };
    const own = el("input", { type: "text", id: "own-reason", maxlength: 500 });
    const dialog = el("dialog", { "aria-labelledby": "reason-heading" },
      el("h2", { id: "reason-heading" }, question),
      el("div", { class: "answers" },
        el("button", { type: "button", class: "primary", autofocus: true, onclick: () => dialog.close() }, t("detail.keep")),
        ...rows.map((text) => el("button", { type: "button", class: "ends", onclick: () => close(text) }, text))),
      el("form", { class: "stack own-reason", onsubmit: (event) => { event.preventDefault(); close(own.value.trim()); } },
        el("div", {}, el("label", { for: "own-reason" }, t("detail.own_reason")), own), el("button", { class: "ends" }, confirm)));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(given); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Opens the booking; `names`: a Map from place to name. Resolves true when something was changed. */
export async function show(booking_id, names = new Map()) {
  const view = new Detail(booking_id, names);
  return view.open();
}

class Detail {
  constructor(booking_id, names) {
    Object.assign(this, { booking_id, names, touched: false });
    this.body = el("div", { class: "stack" });
    this.said = el("div", { "aria-live": "polite" });
    this.dialog = el("dialog", { class: "detail", "aria-labelledby": "detail-heading" }, this.body, this.said, el("div", { class: "answers" }, el("button", { type: "button", autofocus: true, onclick: () => this.dialog.close() }, t("detail.close"))));
  }

  async open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
    await this.load();
    return new Promise((resolve) => {
      const end = () => { this.dialog.remove(); resolve(this.touched); };
      if (this.dialog.open) this.dialog.addEventListener("close", end);
      else end();
    });
  }

  get address() {
    return `${home()}/${this.booking_id}`;
  }

  async load() {
    try {
      const answer = await api("GET", this.address);
      this.booking = answer.booking ?? answer;
      for (const place of answer.places ?? []) if (place.name) this.names.set(place.place_id, place.name);
      this.story = office() ? await api("GET", `${this.address}/story`) : { events: [], names: {} };
      const asks = office() && (this.booking.state === "requested" || this.booking.proposal);
      this.rivals = asks ? await api("GET", `${this.address}/rivals`) : [];
      this.draw();
    } catch (error) {
      this.body.replaceChildren(el("h2", { id: "detail-heading" }, t("detail.gone")), notice("attention", error.message));
    }
  }

  draw() {
    const { booking, story } = this;
    const row = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : []);
    const times = (one) => t("booking.when", { day: dayName(one.starts), span: span(one.starts, one.ends) });
    const holder = booking.holder === "office" ? t("detail.office") : story.names[booking.holder] ?? "";
    this.body.replaceChildren(
      el("h2", { id: "detail-heading" }, booking.title),
      el("p", { class: `state s-${booking.state}` }, stateName(booking.state), booking.reason ? el("span", { class: "quiet" }, " ", said(booking.reason)) : null),
      el("dl", {},
        ...row(t("detail.when"), el("span", { class: "figures" }, times(booking))),
        ...row(t("detail.where"), booking.places.map(({ place_id, amount }) => (this.names.get(place_id) ?? t("booking.another_room")) + (amount > 1 ? ` ×${amount}` : "")).join(t("booking.and")) || t("booking.online")),
        ...row(t("detail.holder"), holder),
        ...row(t("detail.kind"), t("detail.kind_mode", { kind: kindName(booking.kind), mode: modeName(booking.mode) })),
        ...row(t("booking.people"), String(booking.people)),
        ...row(t("detail.price"), booking.yen ? t("booking.yen", { n: booking.yen.toLocaleString() }) : ""),
        ...row(t("detail.asked_change"), booking.proposal ? times(booking.proposal.time) : ""),
        ...row(t("detail.until"), booking.expires_at && booking.state !== "expired" ? clock(booking.expires_at, { month: "long", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" }) : "")),
      ...this.rivalRows(), this.actions(), this.links(), this.history());
  }

  rivalRows() {
    if (!this.rivals.length) return [];
    return [el("h3", {}, t("detail.rivals")), el("ul", { class: "plain-list" }, ...this.rivals.map((one) => el("li", {}, `${span(one.starts, one.ends)} ${one.title}`)))];
  }

  /** Only what the state allows now; the hub judges again. */
  actions() {
    const { state, starts_at, ends_at, proposal } = this.booking;
    const now = Date.now() / 1000;
    const open = state === "confirmed" || state === "in_use";
    const rows = [
      [office() && (state === "requested" || proposal), t("detail.approve"), () => this.post("approve"), "primary"],
      [office() && (state === "requested" || proposal), t("detail.decline"), () => this.decline(), ""],
      [state === "offered", t("detail.accept"), () => this.post("accept"), "primary"],
      [state === "confirmed" && now >= starts_at - LEAD_S && now < ends_at, t("detail.check_in"), () => this.post("check-in"), "primary"],
      [state === "in_use", t("detail.extend", { n: MORE_MINUTES }), () => this.post("extend", { minutes: MORE_MINUTES }), ""],
      [state === "in_use", t("detail.end"), () => this.post("end"), ""],
      [["requested", "waiting", "confirmed"].includes(state), t("detail.change"), () => this.change(), ""],
      [["requested", "waiting", "offered", "confirmed"].includes(state) || (open && state === "in_use" && now < ends_at), t("detail.cancel"), () => this.cancel(), "ends"],
    ];
    const buttons = rows.filter(([when]) => when).map(([, text, work, weight]) => el("button", { type: "button", class: weight, onclick: (event) => this.act(event.currentTarget, work) }, text));
    return el("div", { class: "actions", hidden: !buttons.length }, ...buttons);
  }

  links() {
    const { session_id, link, kind, state } = this.booking;
    const parts = [];
    if (session_id && office()) {
      if (kind === "dialogue") parts.push(el("a", { class: "button plain", href: `/evening/${this.booking_id}` }, icon("people"), t("detail.evening")));
      else if (state === "done") parts.push(el("a", { class: "button plain", href: `/sessions/${session_id}/transcript` }, icon("captions"), t("detail.transcript")));
      else parts.push(el("a", { class: "button plain", href: `/sessions#${session_id}` }, icon("people"), t("detail.session")));
    }
    if (link) parts.push(el("a", { class: "button plain", href: link, rel: "noreferrer noopener", target: "_blank" }, icon("link"), t("detail.link")));
    return parts.length ? el("div", { class: "links" }, ...parts) : "";
  }

  history() {
    const { events, names } = this.story;
    if (!events.length) return "";
    const who = (by) => (by === "clock" ? t("detail.by_clock") : names[by] ?? (by === "office" ? t("detail.office") : ""));
    return el("details", {}, el("summary", {}, t("detail.history")), el("ol", { class: "plain-list small" }, ...events.map((one) => el("li", {},
      el("time", { class: "quiet" }, clock(one.happened_at, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })), " ", HAPPENED[one.what]?.() ?? one.what, who(one.by) ? el("span", { class: "quiet" }, ` ${who(one.by)}`) : null))));
  }

  async act(button, work) {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      if (error.status === 401) location.assign("/login");
      const problems = error.answer?.quote?.problems;
      this.said.replaceChildren(notice("attention", problems?.length ? problems.map(said).join(" ") : error.message));
    } finally {
      button.disabled = false;
    }
  }

  async post(what, body) {
    await api("POST", `${this.address}/${what}`, body);
    this.touched = true;
    this.said.replaceChildren();
    await this.load();
  }

  async decline() {
    const given = await reason(t("detail.decline_ask", { title: this.booking.title }), declineReasons(), t("detail.decline"));
    if (given !== null) await this.post("decline", { reason: given });
  }

  async cancel() {
    const given = await reason(t("detail.cancel_ask", { title: this.booking.title }), [t("detail.cancel_plans"), t("detail.cancel_boat"), t("detail.cancel_ill")], t("detail.cancel"));
    if (given !== null) await this.post("cancel", { reason: given });
  }

  async change() {
    const made = await change(this.booking, this.names);
    if (!made) return;
    this.touched = true;
    await this.load();
    if (made.proposal) this.said.replaceChildren(outcome(made));
  }
}

export const declineReasons = () => [t("detail.no_room"), t("detail.no_purpose"), t("detail.no_contact")];
