import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Client } from "../core/client";
import type { ConversationKind, Profile } from "../core/types";
import { nameOrNull } from "../core/words";
import { t } from "../texts";
import { personName } from "./names";
import { Avatar, Dialog, Field } from "./parts";
import { dialog, explain } from "./state";

const PATIENCE_MS = 200;

/** Letters of a username from which on the server looks for people. */
export const LETTERS = 2;

/** People whose username begins as one types. */
export function usePeople(signedIn: Client, wanted: string) {
  const found = useSignal<Profile[]>([]);
  useEffect(() => {
    const word = wanted.trim().toLowerCase().replace(/^@/, "");
    // What was found before is of use where the server wants to be asked less often.
    found.value = word.length < LETTERS ? [] : found.value.filter((person) => person.username?.startsWith(word));
    if (word.length < LETTERS) return;
    let late = false;
    const timer = setTimeout(async () => {
      const page = await signedIn.rest.people(word).catch(() => null);
      if (!page) return;
      for (const person of page.items) signedIn.people.take(person);
      if (!late) found.value = page.items.filter((person) => person.id !== signedIn.me.id);
    }, PATIENCE_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return found;
}

export function PersonButton({ person, onClick, picked }: { person: Profile; onClick: () => void; picked?: boolean }) {
  return (
    <li>
      <button type="button" class="person" aria-pressed={picked} onClick={onClick}>
        <Avatar of={person.id} name={personName(person)} />
        <span dir="auto">{personName(person)}</span>
        <small>@{person.username}</small>
      </button>
    </li>
  );
}

/** Begins a chat with one person, a group, or a channel; or joins a channel. */
export function NewChat({ signedIn }: { signedIn: Client }) {
  const kind = useSignal<ConversationKind>("direct");
  const wanted = useSignal("");
  const picked = useSignal<Profile[]>([]);
  const channels = useSignal<{ id: string; title: string }[]>([]);
  const wrong = useSignal("");
  const people = usePeople(signedIn, wanted.value);
  const close = () => (dialog.value = null);

  useEffect(() => {
    if (kind.value !== "channel") return;
    void signedIn.rest.channels(wanted.value.trim()).then((page) => (channels.value = page.items), () => undefined);
  }, [kind.value, wanted.value]);

  async function go(id: Promise<{ id: string }>) {
    try {
      const conversation = await id;
      await signedIn.listing.read();
      close();
      await signedIn.show(conversation.id);
    } catch (error) {
      const { not_contact, too_many_begun: rate_limited, too_many_conversations: too_many } = t();
      wrong.value = explain(error, { not_contact, rate_limited, too_many });
    }
  }

  function begin(event: SubmitEvent) {
    event.preventDefault();
    const title = String(new FormData(event.currentTarget as HTMLFormElement).get("title") ?? "").trim();
    void go(signedIn.rest.converse({ kind: kind.value, title, members: picked.value.map((person) => person.id) }));
  }

  function pick(person: Profile) {
    if (kind.value === "direct") return void go(signedIn.rest.converse({ kind: "direct", members: [person.id] }));
    const without = picked.value.filter((other) => other.id !== person.id);
    picked.value = without.length < picked.value.length ? without : [...picked.value, person];
  }

  async function join(channel: string) {
    await signedIn.rest.add(channel, signedIn.me.id);
    return { id: channel };
  }

  return (
    <Dialog title={t().new_chat} close={close}>
      <div class="tabs" role="tablist">
        {(["direct", "group", "channel"] as const).map((one) => (
          <button key={one} type="button" role="tab" aria-selected={kind.value === one} onClick={() => (kind.value = one)}>
            {{ direct: t().new_chat, group: t().new_group, channel: t().channels }[one]}
          </button>
        ))}
      </div>
      <form onSubmit={begin}>
        {kind.value !== "direct" && <Field label={t().group_title} name="title" required maxLength={200} />}
        <Field label={kind.value === "channel" ? t().channels : t().pick_people} type="search" autofocus value={wanted.value} onInput={(event: InputEvent) => (wanted.value = (event.currentTarget as HTMLInputElement).value)} />
        {kind.value !== "channel" && wanted.value.trim().length === 1 && <p class="hint">{t().more_letters}</p>}
        {picked.value.length > 0 && kind.value !== "direct" && (
          <ul class="people picked">
            {picked.value.map((person) => (
              <PersonButton key={person.id} person={person} picked onClick={() => pick(person)} />
            ))}
          </ul>
        )}
        {kind.value === "channel" ? (
          <ul class="people">
            {channels.value.map((channel) => (
              <li key={channel.id}>
                <button type="button" class="person" onClick={() => void go(join(channel.id))}>
                  <Avatar of={channel.id} name={nameOrNull(channel.title) ?? "…"} />
                  <span dir="auto">{nameOrNull(channel.title) ?? "…"}</span>
                  <small>{t().join}</small>
                </button>
              </li>
            ))}
          </ul>
        ) : (
          <ul class="people" aria-live="polite">
            {people.value
              .filter((person) => !picked.value.some((other) => other.id === person.id))
              .map((person) => (
                <PersonButton key={person.id} person={person} onClick={() => pick(person)} />
              ))}
          </ul>
        )}
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
        {kind.value !== "direct" && <button class="primary">{kind.value === "group" ? t().new_group : t().new_channel}</button>}
      </form>
    </Dialog>
  );
}
