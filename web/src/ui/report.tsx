import { signal } from "@preact/signals";
import type { Client } from "../core/client";
import { t } from "../texts";
import { Dialog, Field } from "./parts";
import { tell } from "./told";
import { explain } from "./state";

/** What is reported: a user, a conversation, or messages. */
export interface Reported {
  user?: string;
  conversation?: string;
  messages?: string[];
}

const reported = signal<Reported | null>(null);

/** Asks the person why they report something, and reports it then. */
export function report(what: Reported): void {
  reported.value = what;
}

/** The question, over whatever is there. */
export function ReportDialog({ signedIn }: { signedIn: Client }) {
  const what = reported.value;
  if (!what) return null;
  const close = () => (reported.value = null);

  async function send(event: SubmitEvent) {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget as HTMLFormElement).get("reason") ?? "").trim();
    try {
      await signedIn.rest.report({ ...what, ...(reason ? { reason } : {}) });
      tell(t().reported);
    } catch (error) {
      tell(explain(error, { rate_limited: t().too_many_reports }));
    }
    close();
  }

  return (
    <Dialog title={t().report} close={close}>
      <form onSubmit={(event) => void send(event)}>
        <p>{what.messages?.length ? t().report_why_message : t().report_why}</p>
        <Field label={t().report_reason} name="reason" maxLength={1000} />
        <div class="buttons">
          <button class="danger">{t().report}</button>
          <button type="button" onClick={close}>
            {t().cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
