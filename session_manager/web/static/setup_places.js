// Houses with their rooms, seats, areas and equipment, on which shore they stand, and what every guest is told.

import { el, t } from "./dom.js";

const KINDS = {
  room: () => t("setup.kind_room"),
  seat: () => t("setup.kind_seat"),
  area: () => t("setup.kind_area"),
  free_use: () => t("setup.kind_free_use"),
  equipment: () => t("setup.kind_equipment"),
};
const NOTES = { boats: () => t("setup.note_boats"), door: () => t("setup.note_door"), network: () => t("setup.note_network") };
const labelled = (text, input) => el("div", {}, el("label", { for: input.id }, text), input);
const number = (id, value, min, max) => el("input", { id, type: "number", value, min, max, inputmode: "numeric", required: true });

export async function drawPlaces(tools) {
  const { api, here } = tools;
  const [houses, places] = await Promise.all([api("GET", `${here}/facilities`), api("GET", `${here}/places`)]);
  const drawn = await Promise.all(houses.map((house) => drawHouse(tools, house, places.filter(({ facility_id: at }) => at === house.facility_id))));
  const name = el("input", { id: "house-name", type: "text", maxlength: 80, required: true });
  const add = el("form", { class: "form-grid", onsubmit: (event) => {
    event.preventDefault();
    tools.doing(() => api("POST", `${here}/facilities`, { name: name.value.trim() }));
  } }, labelled(t("setup.house_name"), name), el("div", { class: "wide" }, el("button", { class: houses.length ? "" : "primary" }, t("setup.add_house"))));
  return [...drawn, ...(houses.length ? [] : [el("p", { class: "lead" }, t("setup.no_houses"))]), ...(tools.may ? [el("details", { class: "block", open: !houses.length }, el("summary", { class: "button" }, t("setup.new_house")), add)] : [])];
}

async function drawHouse(tools, house, places) {
  const { api, here, doing, may } = tools;
  const notes = await api("GET", `${here}/facilities/${house.facility_id}/notes`);
  const island = el("input", { type: "checkbox", checked: house.on_island, disabled: !may, onchange: (event) => doing(() => api("PUT", `${here}/facilities/${house.facility_id}/island`, { on_island: event.target.checked })) });
  return el("section", { class: "block" },
    el("h2", {}, house.name),
    el("div", { class: "choices lead" }, el("label", {}, island, t("setup.on_island"))),
    el("ul", { class: "list" }, ...places.map((place) => drawPlace(tools, place))),
    may ? addPlace(tools, house) : "",
    may ? drawNotes(tools, house, notes) : "");
}

function said(place) {
  const parts = [KINDS[place.kind]()];
  if (place.kind !== "equipment") parts.push(t("setup.for_people", { n: place.capacity }));
  if (place.quantity > 1) parts.push(t("setup.so_many", { n: place.quantity }));
  if (place.buffer_after_s) parts.push(t("setup.buffer_n", { n: place.buffer_after_s / 60 }));
  if (place.needs_approval) parts.push(t("setup.needs_approval"));
  return parts.join(t("setup.dot"));
}

function drawPlace(tools, place) {
  const id = place.place_id;
  const inputs = {
    capacity: number(`capacity-${id}`, place.capacity, 1, 100000),
    quantity: number(`quantity-${id}`, place.quantity, 1, 1000),
    buffer: number(`buffer-${id}`, place.buffer_after_s / 60, 0, 1440),
    approval: el("input", { id: `approval-${id}`, type: "checkbox", checked: place.needs_approval }),
  };
  const save = (event) => {
    event.preventDefault();
    const { place_id: _, ...rest } = place;
    const body = { ...rest, capacity: Number(inputs.capacity.value), quantity: Number(inputs.quantity.value), buffer_after_s: Number(inputs.buffer.value) * 60, needs_approval: inputs.approval.checked };
    tools.doing(() => tools.api("PUT", `${tools.here}/places/${id}`, body), t("setup.saved"));
  };
  return el("li", {},
    el("div", {}, el("h3", {}, place.name), el("p", { class: "quiet small" }, said(place))),
    tools.may ? el("details", {}, el("summary", { class: "button" }, t("setup.change")),
      el("form", { class: "form-grid", onsubmit: save },
        labelled(t("setup.capacity"), inputs.capacity), labelled(t("setup.quantity"), inputs.quantity), labelled(t("setup.buffer"), inputs.buffer),
        el("div", { class: "choices" }, el("label", { for: inputs.approval.id }, inputs.approval, t("setup.needs_approval"))),
        el("div", { class: "wide" }, el("button", { class: "primary" }, t("setup.save"))))) : "");
}

function addPlace(tools, house) {
  const id = house.facility_id;
  const name = el("input", { id: `name-${id}`, type: "text", maxlength: 80, required: true });
  const kind = el("select", { id: `kind-${id}` }, ...Object.entries(KINDS).map(([value, text]) => el("option", { value }, text())));
  const capacity = number(`new-capacity-${id}`, 1, 1, 100000);
  const quantity = number(`new-quantity-${id}`, 1, 1, 1000);
  const add = (event) => {
    event.preventDefault();
    tools.doing(() => tools.api("POST", `${tools.here}/places`, { facility_id: id, kind: kind.value, name: name.value.trim(), capacity: Number(capacity.value), quantity: Number(quantity.value) }));
  };
  return el("details", { class: "lead" }, el("summary", { class: "button" }, t("setup.new_place")),
    el("form", { class: "form-grid", onsubmit: add }, labelled(t("setup.place_name"), name), labelled(t("setup.kind"), kind), labelled(t("setup.capacity"), capacity), labelled(t("setup.quantity"), quantity), el("div", { class: "wide" }, el("button", {}, t("setup.add_place")))));
}

function drawNotes(tools, house, notes) {
  const inputs = ["ja", "en"].map((language) => [language, Object.entries(NOTES).map(([key, text]) => [key, text, el("input", { id: `${key}-${language}-${house.facility_id}`, type: "text", maxlength: 300, value: notes[language][key] })])]);
  const save = (event) => {
    event.preventDefault();
    const body = Object.fromEntries(inputs.map(([language, rows]) => [language, Object.fromEntries(rows.map(([key, , input]) => [key, input.value.trim()]))]));
    tools.doing(() => tools.api("PUT", `${tools.here}/facilities/${house.facility_id}/notes`, body), t("setup.saved"));
  };
  return el("details", { class: "lead" }, el("summary", { class: "button" }, t("setup.notes")),
    el("form", { class: "form-grid", onsubmit: save }, ...inputs.flatMap(([language, rows]) => rows.map(([, text, input]) => labelled(t("setup.in_language", { text: text(), language: language === "ja" ? "日本語" : "English" }), input))), el("div", { class: "wide" }, el("button", { class: "primary" }, t("setup.save")))));
}
