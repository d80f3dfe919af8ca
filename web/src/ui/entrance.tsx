import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Rest } from "../core/rest";
import { t } from "../texts";
import { Field } from "./parts";
import { forgetPlace, invite } from "./place";
import { enter } from "./session";
import { explain, info, known } from "./state";

const device = { name: "Kith web", platform: "web" };

/** Where one signs in, or up. */
export function Entrance() {
  const isNew = useSignal(invite.value !== null);
  const wrong = useSignal("");
  const busy = useSignal(false);
  const { registration, name } = info.value ?? {};

  // The link may come when the page is there already; where nobody may sign up, it is of no use.
  useEffect(() => {
    if (registration === "closed") isNew.value = false;
    else if (invite.value !== null) isNew.value = true;
  }, [invite.value, registration]);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string) => String(form.get(field) ?? "").trim();
    const username = text("username").toLowerCase();
    const password = String(form.get("password") ?? "");
    busy.value = true;
    wrong.value = "";
    try {
      const rest = new Rest(location.origin);
      if (isNew.value) {
        const display_name = text("display_name") || username;
        const code = text("invite");
        const entered = await rest.signUp({ username, password, display_name, device, ...(code ? { invite: code } : {}) });
        forgetPlace();
        enter(entered);
      } else {
        enter(await rest.signIn({ username, password, device, device_secret: known.secret(username) }));
      }
    } catch (error) {
      wrong.value = explain(error);
    } finally {
      busy.value = false;
    }
  }

  return (
    <main class="entrance">
      <form onSubmit={submit}>
        <img src="/icon.svg" alt="" width="56" height="56" />
        <h1>{name ?? "Kith"}</h1>
        <p>{isNew.value && invite.value ? t().invited : t().welcome}</p>
        {registration === "closed" && <p class="hint">{t().registration_closed}</p>}
        {isNew.value && registration === "invite" && !invite.value && <p class="hint">{t().invite_needed}</p>}
        {isNew.value && <Field label={t().display_name} name="display_name" autocomplete="name" maxLength={100} />}
        <Field label={t().username} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        <Field label={t().password} name="password" type="password" autocomplete={isNew.value ? "new-password" : "current-password"} minLength={8} required />
        {isNew.value && registration === "invite" && <Field key={invite.value} label={t().invite_code} name="invite" defaultValue={invite.value ?? ""} autocomplete="off" required />}
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
        <button class="primary" disabled={busy.value}>
          {isNew.value ? t().sign_up : t().sign_in}
        </button>
        {registration !== "closed" && (
          <button
            type="button"
            class="link"
            onClick={() => {
              isNew.value = !isNew.value;
              wrong.value = "";
            }}
          >
            {isNew.value ? t().to_sign_in : t().to_sign_up}
          </button>
        )}
      </form>
    </main>
  );
}
