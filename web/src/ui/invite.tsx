import { useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import { t } from "../texts";
import { copy, inviteLink } from "./place";
import { explain, info } from "./state";

/** Has others come to this server, as far as it lets its users invite. */
export function Invite({ signedIn }: { signedIn: Client }) {
  const link = useSignal<{ url: string; until: string } | null>(null);
  const told = useSignal("");
  const wrong = useSignal("");
  const { registration, features } = info.value ?? {};
  if (!registration || registration === "closed") return null;
  const open = registration === "open";
  const shown = open ? { url: `${location.origin}/`, until: "" } : link.value;

  async function make() {
    wrong.value = "";
    try {
      const { code, expires_at } = await signedIn.rest.invite();
      link.value = { url: inviteLink(code), until: new Date(expires_at).toLocaleString() };
    } catch (error) {
      wrong.value = explain(error);
    }
  }

  return (
    <section class="invite" aria-labelledby="invite">
      <h3 id="invite">{t().invite_people}</h3>
      {!open && !features?.includes("invites") && <small>{t().invite_operators}</small>}
      {shown && (
        <>
          <label class="field">
            <span>{open ? t().invite_open : t().invite_link(shown.until)}</span>
            <input readOnly dir="ltr" value={shown.url} onFocus={(event) => event.currentTarget.select()} />
          </label>
          <div class="buttons">
            <button type="button" onClick={() => void copy(shown.url).then((outcome) => (told.value = outcome))}>
              {t().copy}
            </button>
            {"share" in navigator && (
              <button type="button" onClick={() => void navigator.share({ url: shown.url }).catch(() => undefined)}>
                {t().share}
              </button>
            )}
          </div>
        </>
      )}
      {!open && features?.includes("invites") && (
        <button type="button" onClick={() => void make()}>
          {t().invite_make}
        </button>
      )}
      <p role="status">
        {told.value}
      </p>
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
    </section>
  );
}
