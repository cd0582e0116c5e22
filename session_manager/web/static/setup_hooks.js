// Other programs that are told what happens (webhooks): where to, about what, how it went; the key is shown once.

import { ask, clock, el, notice, t } from "./dom.js";
import { shownOnce } from "./secret.js";

const SHOWN = 10;
const moment = (seconds) => clock(seconds, { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit" });
const ABOUT = [["booking.*", () => t("setup.hook_bookings")], ["session.*", () => t("setup.hook_sessions")]];
const FAMILIES = { booking: () => t("setup.hook_bookings"), session: () => t("setup.hook_sessions"), webhook: () => t("setup.hook_tries") };
const STATES = { sent: () => t("setup.hook_sent"), waiting: () => t("setup.hook_waiting"), claimed: () => t("setup.hook_waiting"), dead: () => t("setup.hook_dead") };
const about = (events) => (events.includes("*") ? t("setup.hook_all") : [...new Set(events.map((one) => FAMILIES[one.split(".")[0]]?.() ?? one))].join(t("setup.dot")));

function standing(hook) {
  if (hook.disabled_at) return el("p", { class: "small" }, el("span", { class: "dot fault", "aria-hidden": "true" }), t("setup.hook_off", { at: moment(hook.disabled_at) }));
  if (hook.failing_since) return el("p", { class: "small" }, el("span", { class: "dot attention", "aria-hidden": "true" }), t("setup.hook_failing", { at: moment(hook.failing_since) }));
  return null;
}

function deliveries({ api, here }, hook) {
  const rows = el("ul", { class: "list" });
  const open = async ({ currentTarget }) => {
    if (!currentTarget.open) return;
    const found = await api("GET", `${here}/webhooks/${hook.webhook_id}/deliveries`);
    rows.replaceChildren(...(found.length ? found.slice(0, SHOWN).map((one) => el("li", {}, el("div", {},
      el("p", {}, `${moment(one.created_at)}　${FAMILIES[one.event.split(".")[0]]?.() ?? one.event}`),
      el("p", { class: "quiet small" }, STATES[one.state]?.() ?? "", one.failure ? el("small", { lang: "en" }, ` ${one.failure}`) : null)))) : [el("li", { class: "quiet" }, t("setup.hook_none"))]));
  };
  return el("details", { ontoggle: open }, el("summary", { class: "button plain" }, t("setup.hook_last")), rows);
}

export async function drawHooks(tools) {
  const { api, here, doing } = tools;
  const hooks = await api("GET", `${here}/webhooks`);
  const shown = el("div", { class: "stack lead", role: "status" });
  const url = el("input", { id: "hook-url", type: "url", required: true, maxlength: 2000, placeholder: "https://", autocomplete: "off" });
  const wanted = ABOUT.map(([value, text]) => [el("input", { type: "checkbox", value, checked: true }), text]);
  const add = async () => {
    const events = wanted.filter(([box]) => box.checked).map(([box]) => box.value);
    const made = await api("POST", `${here}/webhooks`, { url: url.value.trim(), events: events.length ? events : ["*"] });
    const drawn = await drawHooks(tools);
    shown.parentElement.replaceChildren(...drawn);
    drawn.find((one) => one.getAttribute("role") === "status").replaceChildren(...shownOnce(t("setup.hook_once"), made.secret));
    return false;
  };
  const end = async (hook) => await ask(t("setup.hook_ask"), t("setup.keep"), t("setup.hook_end")) && api("DELETE", `${here}/webhooks/${hook.webhook_id}`);
  return [
    el("p", { class: "lead" }, t("setup.hooks_said")),
    el("form", { id: "hook-form", class: "form-grid", onsubmit: (event) => { event.preventDefault(); doing(add); } },
      el("div", { class: "wide" }, el("label", { for: "hook-url" }, t("setup.hook_url")), url),
      el("fieldset", { class: "wide" }, el("legend", { class: "label" }, t("setup.hook_about")), el("div", { class: "choices" }, ...wanted.map(([box, text]) => el("label", {}, box, text())))),
      el("div", { class: "wide" }, el("button", { class: "primary" }, t("setup.hook_add")))),
    shown,
    hooks.length ? el("ul", { class: "list", id: "hooks" }, ...hooks.map((hook) => el("li", {},
      el("div", {}, el("h3", { class: "address" }, hook.url), el("p", { class: "quiet small" }, about(hook.events)), standing(hook), deliveries(tools, hook)),
      el("div", { class: "pair" },
        hook.disabled_at ? el("button", { type: "button", onclick: () => doing(() => api("POST", `${here}/webhooks/${hook.webhook_id}/enable`)) }, t("setup.hook_on")) : el("button", { type: "button", onclick: () => doing(() => api("POST", `${here}/webhooks/${hook.webhook_id}/test`), t("setup.hook_tried")) }, t("setup.hook_test")),
        el("button", { type: "button", class: "plain", onclick: () => doing(() => end(hook)) }, t("setup.hook_end")))))) : notice("plain", t("setup.no_hooks")),
  ];
}
