// What stands in the way of a booking, English and exact from the hub, in the page's language: rows of pattern and text.

import { page, t } from "./dom.js";

const long = (number, unit) => (unit === "days" ? t("said.days", { n: number }) : t("said.hours", { n: number }));

const ROWS = [
  [/^Somebody else has it then\.$/, () => t("said.taken")],
  [/^Somebody else has one of the places then\.$/, () => t("said.one_taken")],
  [/^Somebody else was faster\. /, () => t("said.faster")],
  [/^(.+) is closed then: (.+)\.$/, ([, name, why]) => t("said.closed_because", { name, why })],
  [/^(.+) is closed then\.$/, ([, name]) => t("said.closed", { name })],
  [/^(.+) is free to use: /, ([, name]) => t("said.free_use", { name })],
  [/^(\d+) people do not fit: there is room for (\d+)\.$/, ([, n, room]) => t("said.too_many", { n, room })],
  [/^Of (.+) there are only (\d+)\.$/, ([, name, n]) => t("said.only", { name, n })],
  [/^The time is past\.$/, () => t("said.past")],
  [/^This must be booked ([\d.]+) (days|hours) ahead\.$/, ([, n, unit]) => t("said.notice", { long: long(n, unit) })],
  [/^This can be booked ([\d.]+) (days|hours) ahead\.$/, ([, n, unit]) => t("said.ahead", { long: long(n, unit) })],
  [/^A booking lasts ([\d.]+) (days|hours) or longer\.$/, ([, n, unit]) => t("said.shortest", { long: long(n, unit) })],
  [/^A booking lasts ([\d.]+) (days|hours) or less\.$/, ([, n, unit]) => t("said.longest", { long: long(n, unit) })],
  [/^More than ([\d.]+) (days|hours) a day\.$/, ([, n, unit]) => t("said.a_day", { long: long(n, unit) })],
  [/^More than ([\d.]+) (days|hours) a week\.$/, ([, n, unit]) => t("said.a_week", { long: long(n, unit) })],
  [/^More than ([\d.]+) (days|hours) a month\.$/, ([, n, unit]) => t("said.a_month", { long: long(n, unit) })],
  [/^Your organisation may use (\d+) places at the same time/, ([, n]) => t("said.partner_seats", { n })],
  [/^No more than (\d+) bookings at once\. /, ([, n]) => t("said.at_once", { n })],
  [/^The fee is (\d+) yen\. /, ([, n]) => t("said.fee", { n })],
  [/^Only ([\d.]+) free hours are left this month\. /, ([, n]) => t("said.free_left", { n })],
  [/^Free with a guest pass\.$/, () => t("said.by_pass")],
  [/^No fee is set for this\.$/, () => t("said.no_fee")],
  [/^(\d+) yen an hour\.$/, ([, n]) => t("said.an_hour", { n })],
  [/^Free for members of this level\.$/, () => t("said.free_level")],
  [/^Free: ([\d.]+) hours of this month are left after it\.$/, ([, n]) => t("said.free_after", { n })],
  [/^([\d.]+) hours free, then (\d+) yen an hour\.$/, ([, n, yen]) => t("said.free_then", { n, yen })],
  [/^The day must be a day of the week, /, () => t("said.weekday")],
  [/^Name a period of the school, /, () => t("said.period")],
  [/^The lesson ends before it starts\.$/, () => t("said.lesson_order")],
  [/^In this term the lesson has no day at all\.$/, () => t("said.lesson_days")],
  [/^The subject is missing\.$/, () => t("said.subject")],
  [/^A lesson lasts six hours at most /, () => t("said.lesson_long")],
  [/^Nobody came\.$/, () => t("said.nobody_came")],
];

/** One sentence of the hub; one that has no row stays as it is. */
export function said(sentence) {
  if (page.language === "en") return sentence;
  for (const [pattern, words] of ROWS) {
    const found = pattern.exec(sentence);
    if (found) return words(found);
  }
  return sentence;
}
