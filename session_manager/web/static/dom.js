// What every page shares: its texts, elements without markup strings, requests to the hub, the clock.

const data = JSON.parse(document.getElementById("page-data")?.textContent || "{}");

/** Facts the server put into the page. */
export const page = data.page ?? {};

/** A text of the catalogue with its {places} filled. */
export function t(key, values = {}) {
  return (data.texts?.[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const byId = (id) => document.getElementById(id);

/** An element. Strings among the children become text, so nothing a person typed can become markup. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `/static/icons.svg#${name}` }));
}

const NOTICE_ICONS = { attention: "alert", fault: "alert", well: "check", plain: "info" };

/** A sentence with its weight: plain, well, attention, fault. */
export function notice(weight, text, ...more) {
  return el("p", { class: `notice ${weight}` }, icon(NOTICE_ICONS[weight]), el("span", {}, text, ...more));
}

export class ApiError extends Error {
  constructor(status, code, message, retryAfter, answer) {
    super(message);
    Object.assign(this, { status, code, retryAfter, answer });
  }
}

const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

/** The hub says it in the page's language (`said`); `words`: better ones for this request. */
function sentenceFor(code, said, status, words) {
  return words[code] ?? said ?? t("common.failed", { code: status });
}

let waiting = 0;
const begun = () => waiting === 0 && byId("moment")?.remove();
setTimeout(begun); // a page that asks for nothing waits for nothing

/** What the page needs from the hub: until the first of it has come, it says that it waits (`#moment` in base.html). */
export async function awaited(answer) {
  waiting += 1;
  try {
    return await answer;
  } finally {
    waiting -= 1;
    begun();
  }
}

/** JSON in, JSON out. A refusal throws an ApiError with a sentence for the person, and the hub's `answer` as it came. */
export function api(method, path, body, words = {}) {
  return awaited(asked(method, path, body, words));
}

async function asked(method, path, body, words) {
  const headers = { Accept: "application/json", "Accept-Language": page.language ?? "ja", "X-CSRF-Token": decodeURIComponent(cookie(page.csrf_cookie ?? "csrf")) };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, credentials: "same-origin", cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError(0, "offline", t("common.offline"));
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const { code = "", said } = answer ?? {};
  throw new ApiError(response.status, code, sentenceFor(code, said, response.status, words), Number(response.headers.get("Retry-After")) || null, answer);
}

const clockFormats = new Map();

/** Local wall time of a POSIX instant, in the facility's zone when the page knows it. */
export function clock(seconds, options = { hour: "2-digit", minute: "2-digit" }) {
  const key = JSON.stringify(options);
  if (!clockFormats.has(key)) {
    clockFormats.set(key, new Intl.DateTimeFormat(page.language ?? "ja", { ...options, hourCycle: "h23", timeZone: page.timezone || undefined }));
  }
  return clockFormats.get(key).format(new Date(seconds * 1000));
}

/** Ask once; the safe answer is first and has the focus. Resolves true only for the other one. */
export function ask(question, safe, other) {
  return new Promise((resolve) => {
    const dialog = el("dialog", { "aria-labelledby": "question" },
      el("p", { id: "question" }, question),
      el("div", { class: "answers" },
        el("button", { type: "button", class: "primary", autofocus: true, onclick: () => dialog.close("no") }, safe),
        el("button", { type: "button", class: "ends", onclick: () => dialog.close("yes") }, other)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
