import { effect } from "@preact/signals";
import { client } from "./state";

/** Where there is room for the list or a thread, and not for both; as in style.css. */
const NARROW = "(max-width: 44rem)";

/** Has a phone's own "back" lead from a thread to the list, and not out of the client. */
export function followBack(): void {
  let within = false;
  effect(() => {
    const open = client.value?.open.value ?? null;
    if (open && !within && matchMedia(NARROW).matches) {
      within = true;
      history.pushState({ thread: true }, "");
    } else if (!open && within) {
      within = false;
      history.back();
    }
  });
  window.addEventListener("popstate", () => {
    // A link to a message within a thread is a place of its own.
    if (!within || location.hash || (history.state as { thread?: boolean } | null)?.thread) return;
    within = false;
    void client.value?.show(null);
  });
}
