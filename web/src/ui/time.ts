import { signal } from "@preact/signals";
import { now } from "../core/now";
import { language, t } from "../texts";

const DAY_MS = 86_400_000;

function day(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** When the day began that it is, by the server's time: what is shown of days follows it. */
const today = signal(day(new Date(now())));

/** Keeps to the day that it is: at midnight, and when the device wakes. */
export function followToday(): void {
  const look = () => (today.value = day(new Date(now())));
  setInterval(look, 1_000);
  document.addEventListener("visibilitychange", look);
}

/** The time of day. */
export function clock(at: string | number): string {
  return new Date(at).toLocaleTimeString(language.value, { hour: "2-digit", minute: "2-digit" });
}

/** The day, as people say it. */
export function dayName(at: string | number): string {
  const date = new Date(at);
  const ago = Math.round((today.value - day(date)) / DAY_MS);
  if (ago === 0) return t().today;
  if (ago === 1) return t().yesterday;
  const year = date.getFullYear() === new Date(today.value).getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(language.value, { weekday: ago < 7 ? "long" : undefined, day: "numeric", month: "long", year });
}

/** The time of day, or the day where it was not today. */
export function brief(at: string | number): string {
  const date = new Date(at);
  if (day(date) === today.value) return clock(at);
  return date.toLocaleDateString(language.value, { day: "numeric", month: "numeric", year: "2-digit" });
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

/** The largest unit of which there is one at least. */
function unit(seconds: number) {
  return UNITS.find(([, length]) => seconds >= length) ?? UNITS[3];
}

/** How far away a time is, as "in 5 minutes". */
export function fromNow(at: string | number): string {
  const seconds = Math.max(Math.round((new Date(at).getTime() - now()) / 1_000), 0);
  const [name, length] = unit(seconds);
  return new Intl.RelativeTimeFormat(language.value).format(Math.round(seconds / length), name);
}

/** How long something lasts, as "5 minutes". */
export function duration(seconds: number): string {
  const [name, length] = unit(seconds);
  return new Intl.NumberFormat(language.value, { style: "unit", unit: name, unitDisplay: "long" }).format(seconds / length);
}

/** The day as a date field has it: year, month and day, where the person is. */
export function isoDay(at: string | number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Whether two times are on one day. */
export function sameDay(a: string | number, b: string | number): boolean {
  return day(new Date(a)) === day(new Date(b));
}
