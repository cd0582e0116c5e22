// The six levels of what is kept, in words. Never a number, never a person's.

import { t } from "./dom.js";

const TEXTS = [() => t("level.nothing"), () => t("level.presence"), () => t("level.turns"), () => t("level.captions"), () => t("level.transcript"), () => t("level.recording")];

export const levelText = (level) => TEXTS[level]?.() ?? "";
