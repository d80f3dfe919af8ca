import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Client } from "../core/client";
import type { Device, Profile } from "../core/types";
import { nameOrNull } from "../core/words";
import { type Language, language, languages, t } from "../texts";
import { AvatarField } from "./avatar";
import { Blocked } from "./blocked";
import { Export } from "./export";
import { Invite } from "./invite";
import { NotifySwitch } from "./notify-switch";
import { personName } from "./names";
import { Dialog, Field } from "./parts";
import { forget, leave, speak } from "./session";
import { dialog, explain, keep } from "./state";
import { brief } from "./time";

/** What one decides about oneself. */
export function Settings({ signedIn }: { signedIn: Client }) {
  const me = useSignal<Profile>(signedIn.me);
  const devices = useSignal<Device[]>([]);
  const said = useSignal("");
  const { rest } = signedIn;

  async function attempt(what: () => Promise<unknown>, well = "") {
    said.value = "";
    try {
      await what();
      said.value = well;
    } catch (error) {
      said.value = explain(error);
    }
  }

  const readDevices = () => attempt(async () => (devices.value = (await rest.devices()).items));
  useEffect(() => {
    void attempt(async () => (me.value = await rest.profile("me")));
    void readDevices();
  }, []);

  const change = (body: Parameters<typeof rest.changeProfile>[0]) =>
    attempt(async () => {
      me.value = await rest.changeProfile(body);
      signedIn.people.take(me.value);
    });

  /** Gives the fields of a form to `then`. */
  const form = (then: (text: (field: string) => string) => void) => (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const data = new FormData(element);
    then((field) => String(data.get(field) ?? ""));
    element.querySelectorAll<HTMLInputElement>("input[type=password]").forEach((input) => (input.value = ""));
  };

  return (
    <Dialog title={t().settings} close={() => (dialog.value = null)}>
      <p class="wrong" role="status">
        {said.value}
      </p>
      <AvatarField
        signedIn={signedIn}
        of={signedIn.me.id}
        name={personName(me.value)}
        has={!!me.value.avatar}
        explain={explain}
        set={async (avatar) => {
          me.value = await rest.changeProfile({ avatar });
          signedIn.people.take(me.value);
        }}
      />
      <form onSubmit={form((text) => void change({ display_name: text("display_name").trim(), about: text("about").trim() }))}>
        <h3>{t().profile}</h3>
        <small>@{me.value.username}</small>
        <Field label={t().display_name} name="display_name" defaultValue={nameOrNull(me.value.display_name) ?? ""} maxLength={100} required />
        <Field label={t().about} name="about" defaultValue={me.value.about ?? ""} />
        <button>{t().save}</button>
      </form>
      <label class="field">
        <span>{t().language}</span>
        <select
          value={language.value}
          onChange={(event) => {
            speak(event.currentTarget.value as Language);
            keep.set("kith.language", language.value);
          }}
        >
          {Object.entries(languages).map(([code, { name }]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <small>{t().theme_note}</small>
      <h3>{t().privacy}</h3>
      <label class="field">
        <span>{t().who_sees_last_seen}</span>
        <select value={me.value.privacy?.last_seen ?? "everyone"} onChange={(event) => void change({ privacy: { last_seen: event.currentTarget.value as "everyone" } })}>
          <option value="everyone">{t().everyone}</option>
          <option value="contacts">{t().contacts}</option>
          <option value="nobody">{t().nobody}</option>
        </select>
      </label>
      <label class="field">
        <span>{t().who_adds_me}</span>
        <select value={me.value.privacy?.groups ?? "everyone"} onChange={(event) => void change({ privacy: { groups: event.currentTarget.value as "everyone" } })}>
          <option value="everyone">{t().everyone}</option>
          <option value="contacts">{t().contacts}</option>
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={me.value.privacy?.read_receipts ?? true} onChange={(event) => void change({ privacy: { read_receipts: event.currentTarget.checked } })} />
        <span>{t().tell_read}</span>
      </label>
      <Blocked signedIn={signedIn} attempt={attempt} />
      <NotifySwitch signedIn={signedIn} attempt={attempt} />
      <h3>{t().devices}</h3>
      <ul class="people">
        {devices.value.map((device) => (
          <li key={device.id}>
            <span dir="auto">{nameOrNull(device.name) ?? device.platform}</span>
            <small>{device.current ? t().this_device : `${device.platform}, ${brief(device.created_at)}`}</small>
            {!device.current && (
              <button type="button" onClick={() => void attempt(() => rest.revoke(device.id)).then(readDevices)}>
                {t().sign_out_device}
              </button>
            )}
          </li>
        ))}
      </ul>
      <form onSubmit={form((text) => void attempt(() => rest.changePassword(text("old"), text("new")), t().changed_password))}>
        <h3>{t().change_password}</h3>
        <Field label={t().old_password} name="old" type="password" autocomplete="current-password" required />
        <Field label={t().new_password} name="new" type="password" autocomplete="new-password" minLength={8} required />
        <button>{t().change_password}</button>
      </form>
      <Invite signedIn={signedIn} />
      <Export signedIn={signedIn} />
      <button type="button" onClick={() => void rest.signOut().catch(() => undefined).then(leave)}>
        {t().sign_out}
      </button>
      <form class="danger" onSubmit={form((text) => void attempt(() => rest.eraseAccount(text("password")).then(forget)))}>
        <h3>{t().delete_account}</h3>
        <p>{t().delete_account_why}</p>
        <Field label={t().password} name="password" type="password" autocomplete="current-password" required />
        <button>{t().delete_account}</button>
      </form>
    </Dialog>
  );
}
