// What somebody asks of a page by a button: it rests until the hub has answered; what went wrong is said in #sentences.

import { byId, el, notice } from "./dom.js";

export function say(weight, text) {
  byId("sentences").replaceChildren(notice(weight, text));
  byId("sentences").scrollIntoView({ block: "nearest" });
}

export async function act(control, work) {
  control.disabled = true;
  try {
    await work();
  } catch (error) {
    say("fault", error.message);
  } finally {
    control.disabled = false;
  }
}

export const button = (text, work, more = {}) => el("button", { type: "button", ...more, onclick: ({ currentTarget }) => act(currentTarget, work) }, text);
