import { signal } from "@preact/signals";
import { explain } from "./state";

/** How long a short word stands, in milliseconds. */
const TOLD_MS = 5_000;

const told = signal("");
let timer: ReturnType<typeof setTimeout> | undefined;

/** Tells the person something in a few words, for a moment. */
export function tell(text: string): void {
  told.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => (told.value = ""), TOLD_MS);
}

/** Tells what went wrong, if something does. */
export function orTell(what: Promise<unknown>): void {
  what.catch((error: unknown) => tell(explain(error)));
}

/** Where it is told. */
export function Told() {
  return (
    <p class="told" role="status">
      {told.value}
    </p>
  );
}
