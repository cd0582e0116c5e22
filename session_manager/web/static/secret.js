// Something that is shown once: it stands to be read, and one tap takes it along.

import { el, notice, t } from "./dom.js";

export function shownOnce(sentence, secret) {
  const said = el("span", { role: "status", class: "quiet" });
  const take = async () => {
    const done = await navigator.clipboard?.writeText(secret).then(() => true, () => false);
    said.textContent = done ? t("own.copied") : t("own.not_copied");
  };
  return [notice("plain", sentence), el("p", { class: "secret" }, secret), el("p", { class: "pair" }, el("button", { type: "button", onclick: take }, t("own.copy")), said)];
}
