import { language, t } from "../texts";

const DAY_MS = 86_400_000;

function day(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** The time of day. */
export function clock(at: string | number): string {
  return new Date(at).toLocaleTimeString(language.value, { hour: "2-digit", minute: "2-digit" });
}

/** The day, as people say it. */
export function dayName(at: string | number): string {
  const date = new Date(at);
  const ago = Math.round((day(new Date()) - day(date)) / DAY_MS);
  if (ago === 0) return t().today;
  if (ago === 1) return t().yesterday;
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(language.value, { weekday: ago < 7 ? "long" : undefined, day: "numeric", month: "long", year });
}

/** The time of day, or the day where it was not today. */
export function brief(at: string | number): string {
  const date = new Date(at);
  if (day(date) === day(new Date())) return clock(at);
  return date.toLocaleDateString(language.value, { day: "numeric", month: "numeric", year: "2-digit" });
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
