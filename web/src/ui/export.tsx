import { signal } from "@preact/signals";
import type { Client } from "../core/client";
import { now } from "../core/now";
import { t } from "../texts";
import { explain } from "./state";
import { isoDay } from "./time";

/** How far it is, and what ends it; it goes on while one does other things. */
const running = signal<{ done: number; all: number; end: AbortController } | null>(null);
const outcome = signal("");

async function run(signedIn: Client): Promise<void> {
  const end = new AbortController();
  running.value = { done: 0, all: 0, end };
  outcome.value = "";
  try {
    const { archive } = await import("../core/export");
    const zip = await archive(signedIn.rest, (done, all) => (running.value = { done, all, end }), end.signal);
    save(zip, `kith-${isoDay(now())}.zip`);
    outcome.value = t().exported;
  } catch (error) {
    outcome.value = end.signal.aborted ? "" : explain(error);
  } finally {
    running.value = null;
  }
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Takes everything that is one's own along. */
export function Export({ signedIn }: { signedIn: Client }) {
  const now = running.value;
  return (
    <section class="export" aria-labelledby="export">
      <h3 id="export">{t().export}</h3>
      <small>{t().export_why}</small>
      {now ? (
        <div class="buttons">
          <progress aria-label={t().exporting} max={Math.max(now.all, 1)} value={now.all ? now.done : undefined} />
          <button type="button" onClick={() => now.end.abort()}>
            {t().cancel}
          </button>
        </div>
      ) : (
        <button type="button" onClick={() => void run(signedIn)}>
          {t().export_begin}
        </button>
      )}
      <p role="status">{now ? t().exporting : outcome.value}</p>
    </section>
  );
}
