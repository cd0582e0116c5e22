// The rules in words: how far ahead, how long, who pays, when somebody has to have come. And guest passes.

import { el, notice, t } from "./dom.js";

const number = (id, value, min, max) => el("input", { id, type: "number", value: value ?? "", min, max, inputmode: "numeric" });
const labelled = (text, input) => el("div", {}, el("label", { for: input.id }, text), input);
const DAY_S = 86400;
const HOUR_S = 3600;

export async function drawRules(tools) {
  const { api, here, may } = tools;
  const rules = await api("GET", `${here}/rules`);
  const limits = rules.limits[""] ?? {};
  const partner = rules.prices.find((one) => one.user_class === "partner" && !one.place_kind && !one.booking_kind);
  const others = rules.prices.find((one) => !one.user_class && !one.place_kind && !one.booking_kind && !one.min_level);
  const said = [
    t("setup.rule_ahead", { n: limits.ahead_s ? limits.ahead_s / DAY_S : t("setup.no_limit") }),
    t("setup.rule_longest", { n: limits.longest_s ? limits.longest_s / HOUR_S : t("setup.no_limit") }),
    t("setup.rule_come", { early: rules.attendance.early_s / 60, late: rules.attendance.late_s === null ? t("setup.no_limit") : rules.attendance.late_s / 60 }),
    t("setup.rule_request", { n: rules.request_hold_s / DAY_S }),
    others ? t("setup.rule_fee", { n: others.yen_per_hour }) : t("setup.rule_no_fee"),
    partner && !partner.yen_per_hour ? (partner.free_hours_per_month ? t("setup.rule_partner_n", { n: partner.free_hours_per_month }) : t("setup.rule_partner")) : null,
  ].filter(Boolean);
  return [el("ul", { class: "stack lead", id: "rules-said" }, ...said.map((text) => el("li", {}, text))), ...(may ? [change(tools, rules, limits, partner, others), guestPass(tools)] : [])];
}

function change(tools, rules, limits, partner, others) {
  const ahead = number("rule-ahead", limits.ahead_s ? limits.ahead_s / DAY_S : null, 1, 400);
  const longest = number("rule-longest", limits.longest_s ? limits.longest_s / HOUR_S : null, 1, 768);
  const late = number("rule-late", rules.attendance.late_s === null ? null : rules.attendance.late_s / 60, 1, 240);
  const hold = number("rule-hold", rules.request_hold_s / DAY_S, 1, 90);
  const fee = number("rule-fee", others?.yen_per_hour ?? 0, 0, 100000);
  const free = number("rule-free", partner?.free_hours_per_month, 1, 744);
  const save = (event) => {
    event.preventDefault();
    const seconds = (input, unit) => (input.value === "" ? null : Number(input.value) * unit);
    const kept = rules.prices.filter((one) => one !== partner && one !== others);
    const prices = [...kept, { ...(partner ?? {}), user_class: "partner", yen_per_hour: 0, free_hours_per_month: seconds(free, 1) }, ...(Number(fee.value) ? [{ ...(others ?? {}), yen_per_hour: Number(fee.value) }] : [])];
    const body = { ...rules, prices, limits: { ...rules.limits, "": { ...limits, ahead_s: seconds(ahead, DAY_S), longest_s: seconds(longest, HOUR_S) } }, attendance: { ...rules.attendance, late_s: seconds(late, 60) }, request_hold_s: seconds(hold, DAY_S) ?? rules.request_hold_s };
    tools.doing(() => tools.api("PUT", `${tools.here}/rules`, body), t("setup.saved"));
  };
  return el("details", { class: "block" }, el("summary", { class: "button" }, t("setup.change_rules")),
    el("form", { class: "form-grid", onsubmit: save },
      labelled(t("setup.ahead"), ahead), labelled(t("setup.longest"), longest), labelled(t("setup.late"), late), labelled(t("setup.hold"), hold), labelled(t("setup.fee"), fee), labelled(t("setup.free"), free),
      el("div", { class: "wide" }, el("button", { class: "primary" }, t("setup.save")))));
}

function guestPass(tools) {
  const uses = number("pass-uses", 1, 1, 1000);
  const days = number("pass-days", 30, 1, 366);
  const shown = el("div", { class: "stack wide", role: "status" });
  const make = (event) => {
    event.preventDefault();
    tools.doing(async () => {
      const { code } = await tools.api("POST", `${tools.here}/guest-passes`, { uses: Number(uses.value), days: Number(days.value) });
      shown.replaceChildren(notice("plain", t("setup.pass_once")), el("p", { class: "secret" }, code));
      return false;
    });
  };
  return el("details", { class: "lead" }, el("summary", { class: "button" }, t("setup.pass")),
    el("form", { class: "form-grid", onsubmit: make }, labelled(t("setup.pass_uses"), uses), labelled(t("setup.pass_days"), days), el("div", { class: "wide" }, el("button", {}, t("setup.pass_make"))), shown));
}
