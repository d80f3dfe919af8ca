import { signal, useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { now } from "../core/now";
import { t } from "../texts";
import { goal } from "./jump";
import { Dialog, Field } from "./parts";
import { dialog, explain } from "./state";
import { isoDay } from "./time";

const day = signal(isoDay(now()));

/** Asks for a day to go to, beginning with that of `at`. */
export function askForDay(at: string | number): void {
  day.value = isoDay(at);
  dialog.value = "date";
}

/** Where one says to which day one goes: to the first message that was written on it or later. */
export function DateJump({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  const wrong = useSignal("");

  async function go(event: SubmitEvent) {
    event.preventDefault();
    const wanted = String(new FormData(event.currentTarget as HTMLFormElement).get("day"));
    wrong.value = "";
    try {
      // Midnight where the person is.
      const seq = await signedIn.windows.reachTime(conversation, new Date(`${wanted}T00:00`).toISOString());
      dialog.value = null;
      if (seq !== null) goal.value = { conversation: conversation.id, seq, read: true };
    } catch (error) {
      wrong.value = explain(error);
    }
  }

  return (
    <Dialog title={t().jump_to_date} close={() => (dialog.value = null)}>
      <form onSubmit={(event) => void go(event)}>
        <Field label={t().date} name="day" type="date" required max={isoDay(now())} defaultValue={day.value} />
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
        <button class="primary">{t().go}</button>
      </form>
    </Dialog>
  );
}
