// The booking dialog, for every page that books:
//
//   const made = await book({ places: [{ place_id, name }], starts: "2026-06-01T10:00", ends: "2026-06-01T11:00" });
//   const changed = await change(booking, names);
//
// A wish may also bring title, kind, people, mode, zone, names (a Map from place to name, for what is offered instead)
// and until (where a free stretch ends, to choose the start in it). Both resolve with the booking as the hub has it now (look at
// `state`: confirmed, requested, waiting; `proposal`: a change that waits), or with null when nothing was done.
// The page links booking.css and has the facts of `facts_for`.

import { api, el, icon, notice, page, t } from "./dom.js";
import { said } from "./sentences.js";
import { dayName, home, later, minutesBetween, office, span, wallOf } from "./wall.js";

const SETTLE_MS = 200;
const LENGTHS = [30, 60, 90, 120, 180];
const OFFERED = 3;

const KINDS = { plain: () => t("booking.plain"), telework: () => t("booking.telework"), remote_class: () => t("booking.remote_class"), dialogue: () => t("booking.dialogue"), seminar: () => t("booking.seminar"), ceremony: () => t("booking.ceremony"), external: () => t("booking.external") };
const OPEN_TO = {
  facilitator: ["plain", "telework", "remote_class", "dialogue", "seminar", "external"],
  teacher: ["plain", "telework", "remote_class", "external"],
};
const kinds = () => (office() ? Object.keys(KINDS) : OPEN_TO[page.kind] ?? ["plain", "telework"]);
export const kindName = (kind) => KINDS[kind]?.() ?? kind;

const MODES = { in_person: () => t("booking.in_person"), hybrid: () => t("booking.hybrid"), online: () => t("booking.online") };
export const modeName = (mode) => MODES[mode]?.() ?? mode;

const lengthName = (minutes) => (minutes < 60 ? t("booking.minutes", { n: minutes }) : t("booking.hours", { n: minutes / 60 }));

// ---- small parts -----------------------------------------------------------------------------------------------------

let number = 0;

function field(label, input, more = "") {
  input.id ||= `field-${++number}`;
  return el("div", { class: `field ${more}` }, el("label", { for: input.id }, label), input);
}

const input = (type, value, more = {}) => Object.assign(el("input", { type, ...more }), { value });

function choices(legend, name, rows, chosen) {
  return el("fieldset", { class: "field" }, el("legend", { class: "label" }, legend),
    el("div", { class: "choices" }, ...rows.map(([value, text]) => el("label", {}, el("input", { type: "radio", name, value, checked: String(value) === String(chosen) }), text))));
}

const picked = (form, name) => form.querySelector(`[name=${name}]:checked`)?.value;

// ---- the dialog -------------------------------------------------------------------------------------------------------

/** One dialog's state. `before`: the booking that is changed; else a new one is made. */
class Sheet {
  constructor(wish, before) {
    this.wish = { mode: "in_person", kind: "plain", people: 1, ...wish };
    this.places = [...this.wish.places];
    this.before = before;
    this.quote = null;
    this.asked = 0;
  }

  open() {
    this.form = el("form", { class: "booking-form" });
    this.dialog = el("dialog", { class: "booking", "aria-labelledby": "booking-heading" }, this.form);
    this.fill();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.look(0);
    return new Promise((resolve) => {
      this.dialog.addEventListener("close", () => {
        this.dialog.remove();
        resolve(this.made ?? null);
      });
    });
  }

  fill() {
    const { wish, form } = this;
    const minutes = minutesBetween(wish.starts, wish.ends);
    const lengths = [...new Set([...LENGTHS, minutes])].sort((a, b) => a - b);
    this.title = input("text", wish.title ?? t("booking.default_title"), { maxlength: 80, required: true, autocomplete: "off" });
    this.date = input("date", wish.starts.slice(0, 10), { required: true });
    this.time = input("time", wish.starts.slice(11, 16), { required: true, step: 900 });
    this.people = input("number", wish.people, { min: 1, max: 10000, required: true, inputmode: "numeric" });
    this.heading = el("h2", { id: "booking-heading", tabindex: "-1", autofocus: true });
    this.when = el("p", { class: "when figures" });
    this.verdict = el("div", { class: "verdict stack", "aria-live": "polite" });
    this.go = el("button", { class: "primary" }, this.before ? t("booking.save") : t("booking.book"));
    const stop = el("button", { type: "button", onclick: () => this.dialog.close() }, t("booking.stop"));
    form.append(this.heading, this.when,
      ...this.starts(),
      field(t("booking.title"), this.title),
      choices(t("booking.length"), "length", lengths.map((one) => [one, lengthName(one)]), minutes),
      this.more(), ...(this.before ? [el("div", { class: "answers" }, this.verdict, this.go, stop)] : [this.verdict, el("div", { class: "answers" }, this.go, stop)]));
    form.addEventListener("change", () => { this.say(); this.look(SETTLE_MS); });
    form.addEventListener("submit", (event) => { event.preventDefault(); this.save(false); });
    this.say();
  }

  /** A free stretch that was touched as a whole: where in it to begin. */
  starts() {
    const { starts, until } = this.wish;
    if (!until || minutesBetween(starts, until) <= 60) return [];
    const select = el("select", { onchange: () => { this.time.value = select.value.slice(11); } });
    for (let at = starts; at < until; at = later(at, 30)) select.append(el("option", { value: at }, at.slice(11)));
    return [field(t("booking.start"), select)];
  }

  more() {
    const { wish } = this;
    this.others = el("div", { class: "others" });
    const start = el("div", { class: "pair" }, field(t("booking.day"), this.date), field(t("booking.start"), this.time));
    const parts = [start, field(t("booking.people"), this.people, "short"), choices(t("booking.mode"), "mode", Object.entries(MODES).map(([mode, name]) => [mode, name()]), wish.mode), this.others];
    if (!this.before) parts.push(...this.onlyNew());
    const details = el("details", { class: "more", open: Boolean(this.before) }, el("summary", {}, icon("plus"), t("booking.more")), ...parts);
    details.addEventListener("toggle", () => { if (details.open) this.offerPlaces(); });
    return details;
  }

  onlyNew() {
    this.kind = el("select", {}, ...kinds().map((kind) => el("option", { value: kind, selected: kind === this.wish.kind }, kindName(kind))));
    this.link = input("url", this.wish.link ?? "", { maxlength: 500, placeholder: "https://" });
    this.pass = input("text", "", { maxlength: 256, autocomplete: "off" });
    this.secret = el("input", { type: "checkbox" });
    const tongues = Object.entries({ ja: t("booking.ja"), en: t("booking.en") });
    this.link_field = field(t("booking.link"), this.link);
    return [
      field(t("booking.kind"), this.kind),
      this.link_field,
      el("fieldset", { class: "field" }, el("legend", { class: "label" }, t("booking.languages")), el("div", { class: "choices" },
        ...tongues.map(([code, name]) => el("label", {}, el("input", { type: "checkbox", name: "language", value: code, checked: code === "ja" }), name)))),
      page.kind === "administrator" ? el("label", { class: "check" }, this.secret, t("booking.confidential")) : null,
      office() ? null : field(t("booking.pass"), this.pass),
    ].filter(Boolean);
  }

  /** Other rooms, seats and equipment of the municipality, to be taken together. */
  async offerPlaces() {
    if (this.others.children.length) return;
    const [places, houses] = await Promise.all([api("GET", `/api/municipalities/${page.municipality_id}/places`), api("GET", "/api/facilities")]).catch(() => [[], []]);
    const names = new Map(houses.map((one) => [one.facility_id, one.name]));
    const mine = new Map(this.places.map((one) => [one.place_id, one]));
    const label = (place) => (names.size > 1 ? t("booking.place_at", { place: place.name, facility: names.get(place.facility_id) ?? "" }) : place.name);
    this.others.replaceChildren(el("fieldset", { class: "field" }, el("legend", { class: "label" }, t("booking.places")), el("div", { class: "places" },
      ...places.filter(({ kind }) => kind !== "free_use").map((place) => {
        const box = el("input", { type: "checkbox", checked: mine.has(place.place_id), onchange: () => this.toggle(place, box.checked) });
        return el("label", { class: "check" }, box, label(place));
      }))));
  }

  toggle({ place_id, name }, on) {
    this.places = this.places.filter((one) => one.place_id !== place_id);
    if (on) this.places.push({ place_id, name });
  }

  /** What is written in the fields, as the hub wants it; null while a field is wrong. */
  wanted() {
    if (!this.date.value || !this.time.value) return null;
    const starts = `${this.date.value}T${this.time.value}`;
    const mode = picked(this.form, "mode");
    const form = {
      title: this.title.value.trim() || t("booking.default_title"),
      starts,
      ends: later(starts, Number(picked(this.form, "length"))),
      people: Number(this.people.value) || 1,
      mode,
      places: mode === "online" ? [] : this.places.map(({ place_id, amount = 1 }) => ({ place_id, amount })),
    };
    if (this.before) return form;
    if (this.wish.zone) form.zone = this.wish.zone;
    form.kind = this.kind.value;
    form.languages = [...this.form.querySelectorAll("[name=language]:checked")].map(({ value }) => value);
    if (!form.languages.length) form.languages = ["ja"];
    if (form.kind === "external") form.link = this.link.value.trim();
    if (this.secret.checked) form.confidential = true;
    if (this.pass.value.trim()) form.pass_code = this.pass.value.trim();
    return form;
  }

  say() {
    const form = this.wanted();
    if (!form) return;
    const names = form.mode === "online" ? [t("booking.online")] : this.places.map(({ name }) => name);
    this.heading.replaceChildren(names.join(t("booking.and")) || t("booking.no_place"));
    this.when.replaceChildren(t("booking.when", { day: dayName(form.starts), span: span(form.starts, form.ends) }));
    if (this.link_field) this.link_field.hidden = form.kind !== "external";
  }

  look(wait_ms) {
    const mine = ++this.asked;
    setTimeout(async () => {
      const form = this.wanted();
      if (mine !== this.asked || !form) return;
      try {
        const quote = await api("POST", `${home()}/quote`, this.before ? { ...form, but: this.before.booking_id } : form);
        if (mine === this.asked) this.judge(quote);
      } catch (error) {
        if (mine === this.asked) this.refuse(error);
      }
    }, wait_ms);
  }

  refuse(error) {
    if (error.status === 401) location.assign("/login");
    this.quote = null;
    this.verdict.replaceChildren(notice("attention", error.message));
  }

  /** The price and what else is to be known before the button; of a clash, what would do instead. */
  judge(quote) {
    this.quote = quote;
    const parts = quote.problems.map((problem) => notice("attention", said(problem)));
    if (quote.problems.length) parts.push(this.instead(quote));
    else {
      if (quote.needs_approval) parts.push(notice("plain", t("booking.needs_approval")));
      if (quote.yen) parts.push(el("p", { class: "price figures" }, el("strong", {}, t("booking.yen", { n: quote.yen.toLocaleString() })), " ", el("span", { class: "quiet small" }, said(quote.price_reason))));
      else if (!office()) parts.push(el("p", { class: "price" }, el("strong", {}, t("booking.free")), " ", el("span", { class: "quiet small" }, said(quote.price_reason))));
    }
    this.verdict.replaceChildren(...parts.filter(Boolean));
    if (quote.problems.length && !this.form.querySelector("details[open]")) this.verdict.scrollIntoView({ block: "nearest" });
    if (quote.problems.length && this.before) this.form.querySelector(".field:focus-within")?.scrollIntoView({ block: "center" });
    this.go.disabled = quote.problems.length > 0 && this.before?.state !== "waiting"; // who waits can wait for what is taken
    this.go.replaceChildren(this.before ? (quote.yen > this.before.yen ? t("booking.save_paid", { n: quote.yen.toLocaleString() }) : t("booking.save")) : quote.needs_approval ? t("booking.ask") : quote.yen ? t("booking.pay", { n: quote.yen.toLocaleString() }) : t("booking.book"));
  }

  instead(quote) {
    const buttons = best(quote.suggestions).map((one) => el("button", { type: "button", "data-offer": one.kind, onclick: () => this.take(one, quote.time.zone) }, this.offerName(one, quote.time.zone)));
    const waits = quote.taken.length > 0 && quote.problems.length === 1 && !this.before;
    if (waits) buttons.push(el("button", { type: "button", class: "plain", "data-offer": "wait", onclick: () => this.save(true) }, t("booking.wait")));
    return buttons.length ? el("div", { class: "offers", role: "group", "aria-label": t("booking.instead") }, ...buttons) : null;
  }

  offerName({ kind, time, place_id }, zone) {
    if (kind === "other_place") return t("booking.other_place", { name: this.nameOf(place_id) });
    const at = span(wallOf(time.starts_at, zone), wallOf(time.ends_at, zone));
    return kind === "shorten" ? t("booking.shorten", { span: at }) : t("booking.shift", { span: at });
  }

  nameOf(place_id) {
    return this.wish.names?.get(place_id) ?? this.places.find((one) => one.place_id === place_id)?.name ?? t("booking.another_room");
  }

  take({ kind, time, for_place_id, place_id }, zone) {
    if (kind === "other_place") {
      this.places = this.places.map((one) => (one.place_id === for_place_id ? { ...one, place_id, name: this.nameOf(place_id) } : one));
    } else {
      const [starts, ends] = [wallOf(time.starts_at, zone), wallOf(time.ends_at, zone)];
      [this.date.value, this.time.value] = starts.split("T");
      this.setLength(minutesBetween(starts, ends));
    }
    this.say();
    this.verdict.replaceChildren();
    this.go.disabled = false;
    this.go.focus();
    this.look(0);
  }

  setLength(minutes) {
    const known = this.form.querySelector(`[name=length][value="${minutes}"]`);
    if (known) known.checked = true;
    else this.form.querySelector("[name=length]").closest(".choices").append(el("label", {}, el("input", { type: "radio", name: "length", value: minutes, checked: true }), lengthName(minutes)));
  }

  async save(wait) {
    const form = this.wanted();
    if (!form || this.busy) return;
    this.busy = true;
    this.go.disabled = true;
    try {
      if (this.before) this.made = await api("PATCH", `${home()}/${this.before.booking_id}`, this.paid(form));
      else this.made = await api("POST", home(), { ...this.paid(form), ...(wait ? { wait } : {}) });
      this.dialog.close();
    } catch (error) {
      const quote = error.answer?.quote;
      if (quote) this.judge(quote);
      else this.refuse(error);
      this.go.disabled = false;
      if (quote?.problems.length) this.go.disabled = !/^The fee is/.test(quote.problems[0]);
      (this.verdict.querySelector("button") ?? this.go).focus();
    } finally {
      this.busy = false;
    }
  }

  /** A fee is agreed to by pressing a button that names it. */
  paid(form) {
    return this.quote && (this.before || this.quote.yen) ? { ...form, accepted_yen: this.quote.yen } : form;
  }
}

/** Three of different kinds: what changes least first. */
function best(suggestions) {
  const rows = suggestions.filter(({ kind }) => kind !== "skip");
  const first = ["shift", "shorten", "other_place"].map((kind) => rows.find((one) => one.kind === kind)).filter(Boolean);
  return [...first, ...rows.filter((one) => !first.includes(one))].slice(0, OFFERED);
}

/** Opens the dialog for a wish. */
export function book(wish) {
  return new Sheet(wish).open();
}

/** Another time, place, mode or title for a booking. `names`: a Map from place to name. */
export function change(booking, names = new Map()) {
  const places = booking.places.map(({ place_id, amount }) => ({ place_id, amount, name: names.get(place_id) ?? t("booking.another_room") }));
  return new Sheet({ ...booking, starts: booking.starts.slice(0, 16), ends: booking.ends.slice(0, 16), places, names }, booking).open();
}
