import { language } from "../texts";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** So many bytes, as people say it. */
export function size(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(language.value, { style: "unit", unit: UNITS[unit] ?? "byte", unitDisplay: unit ? "short" : "long", maximumFractionDigits: amount < 10 && unit ? 1 : 0 }).format(amount);
}

/** So many seconds, as a player shows them. */
export function seconds(all: number): string {
  const whole = Math.max(0, Math.round(all));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
