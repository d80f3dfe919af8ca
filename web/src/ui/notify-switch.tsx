import { useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import { t } from "../texts";
import { told, turnOff, turnOn } from "./notifications";
import { token } from "./session";
import { info, keep } from "./state";

/** Whether this device tells of messages. */
export function NotifySwitch({ signedIn, attempt }: { signedIn: Client; attempt: (what: () => Promise<unknown>) => Promise<void> }) {
  /** What was chosen, until it is so. */
  const wanted = useSignal<boolean | null>(null);
  const state = told.value;
  const on = state === "on" || state === "local";
  const note = { unsupported: t().notify_unsupported, denied: t().notify_denied, off: t().notify_off, local: t().notify_local, on: t().notify_on }[state];
  return (
    <>
      <h3>{t().notifications}</h3>
      <label class="check">
        <input
          type="checkbox"
          role="switch"
          aria-describedby="notify-note"
          checked={wanted.value ?? on}
          disabled={state === "unsupported" || state === "denied"}
          onChange={(event) => {
            wanted.value = event.currentTarget.checked;
            const change = () => (wanted.value ? turnOn(signedIn, keep, info.value, token()) : turnOff(signedIn, keep));
            // The browser may say no: what is shown then is what is so.
            void attempt(change).then(() => (wanted.value = null));
          }}
        />
        <span>{t().notify_here}</span>
      </label>
      <small id="notify-note">{note}</small>
    </>
  );
}
