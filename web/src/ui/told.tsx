import { signal } from "@preact/signals";

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

/** Where it is told. */
export function Told() {
  return (
    <p class="told" role="status">
      {told.value}
    </p>
  );
}
