import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { now } from "../core/now";
import type { Participant } from "../core/types";
import { closed } from "../core/words";
import { t } from "../texts";
import { AvatarField } from "./avatar";
import { askForDay } from "./dates";
import { usePeople, PersonButton } from "./new-chat";
import { nameOf, titleOf } from "./names";
import { Avatar, Dialog, Field } from "./parts";
import { report } from "./report";
import { dialog, explain } from "./state";

const FOR_EVER = "2100-01-01T00:00:00.000Z";
const NOT_ANY_MORE = "2000-01-01T00:00:00.000Z";

/** What a conversation is, who is in it, and what one may change about it. */
export function Details({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  const wrong = useSignal("");
  const item = conversation.item.value;
  const info = conversation.info.value;
  const peer = item.peer_user ? signedIn.people.of(item.peer_user).value : null;
  const { rest } = signedIn;
  const blocked = signedIn.people.blocked.value.has(item.peer_user ?? "");
  useEffect(() => void signedIn.people.readBlocked().catch(() => undefined), []);
  const admin = item.kind !== "direct" && ["owner", "admin"].includes(info?.role ?? "");
  const muted = !!item.muted_until && Date.parse(item.muted_until) > now();

  async function attempt(what: Promise<unknown>) {
    wrong.value = "";
    try {
      await what;
      conversation.info.value = await rest.conversation(conversation.id);
      if (item.kind !== "channel") conversation.members.value = (await rest.participants(conversation.id)).items;
      await signedIn.listing.read();
    } catch (error) {
      wrong.value = explain(error, { not_contact: t().not_contact });
    }
  }

  async function setPicture(avatar: string) {
    conversation.info.value = await rest.changeConversation(item.id, { avatar });
    await signedIn.listing.read();
  }

  async function leave() {
    wrong.value = "";
    try {
      await rest.remove(conversation.id, signedIn.me.id);
      dialog.value = null;
      await signedIn.show(null);
      await signedIn.listing.read();
    } catch (error) {
      wrong.value = explain(error);
    }
  }

  return (
    <Dialog title={titleOf(conversation)} close={() => (dialog.value = null)}>
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
      {peer && (
        <p>
          @{peer.username}
          {peer.about && <span dir="auto"> · {closed(peer.about)}</span>}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={() => void attempt(rest.personalize(item.id, { muted_until: muted ? NOT_ANY_MORE : FOR_EVER }))}>
          {muted ? t().unmute : t().mute}
        </button>
        <button type="button" onClick={() => void attempt(rest.personalize(item.id, { pinned: !item.pinned }))}>
          {item.pinned ? t().unpin : t().pin}
        </button>
        <button type="button" onClick={() => void attempt(rest.personalize(item.id, { archived: !item.archived }))}>
          {item.archived ? t().unarchive : t().archive}
        </button>
        <button type="button" onClick={() => askForDay(now())}>
          {t().jump_to_date}
        </button>
        {item.peer_user && (
          <button type="button" class={blocked ? "" : "danger"} onClick={() => void attempt(signedIn.people.block(item.peer_user ?? "", !blocked))}>
            {blocked ? t().unblock : t().block}
          </button>
        )}
        <button type="button" onClick={() => report({ conversation: item.id, ...(item.peer_user ? { user: item.peer_user } : {}) })}>
          {t().report}
        </button>
        {item.kind !== "direct" && (
          <button type="button" class="danger" onClick={() => void leave()}>
            {t().leave}
          </button>
        )}
      </div>
      {admin && <AvatarField signedIn={signedIn} of={item.id} name={titleOf(conversation)} has={!!item.avatar} explain={explain} set={setPicture} />}
      {admin && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const title = String(new FormData(event.currentTarget).get("title") ?? "").trim();
            void attempt(rest.changeConversation(item.id, { title }));
          }}
        >
          <Field label={t().group_title} name="title" defaultValue={info?.title ?? ""} required maxLength={200} />
          <button>{t().save}</button>
        </form>
      )}
      {(admin || item.kind === "direct") && (
        <label class="field">
          <span>{t().disappearing}</span>
          <select value={info?.expire_after_s ?? 0} onChange={(event) => void attempt(rest.changeConversation(item.id, { expire_after_s: Number(event.currentTarget.value) }))}>
            <option value={0}>{t().never}</option>
            <option value={3600}>{t().hour}</option>
            <option value={86400}>{t().day}</option>
            <option value={604800}>{t().week}</option>
          </select>
        </label>
      )}
      {item.kind !== "direct" && (
        <>
          <h3>{t().members(info?.members ?? 0)}</h3>
          <ul class="people">
            {conversation.members.value.map((member) => (
              <Member key={member.user} signedIn={signedIn} conversation={conversation} member={member} admin={admin} attempt={attempt} />
            ))}
          </ul>
          {admin && <Add signedIn={signedIn} conversation={conversation} attempt={attempt} />}
        </>
      )}
    </Dialog>
  );
}

interface Shared {
  signedIn: Client;
  conversation: Conversation;
  attempt: (what: Promise<unknown>) => Promise<void>;
}

function Member({ signedIn, conversation, member, admin, attempt }: Shared & { member: Participant; admin: boolean }) {
  const { user, role } = member;
  const mine = user === signedIn.me.id;
  return (
    <li>
      <Avatar of={user} name={nameOf(user)} />
      <span dir="auto">{nameOf(user)}</span>
      <small>{role === "member" ? "" : t()[role]}</small>
      {admin && !mine && role !== "owner" && (
        <>
          <button type="button" onClick={() => void attempt(signedIn.rest.changeRole(conversation.id, user, role === "admin" ? "member" : "admin"))}>
            {role === "admin" ? t().make_member : t().make_admin}
          </button>
          <button type="button" class="danger" onClick={() => void attempt(signedIn.rest.remove(conversation.id, user))}>
            {t().remove}
          </button>
        </>
      )}
    </li>
  );
}

function Add({ signedIn, conversation, attempt }: Shared) {
  const wanted = useSignal("");
  const found = usePeople(signedIn, wanted.value);
  const members = new Set(conversation.members.value.map((member) => member.user));
  return (
    <>
      <Field label={t().add_member} type="search" value={wanted.value} onInput={(event: InputEvent) => (wanted.value = (event.currentTarget as HTMLInputElement).value)} />
      <ul class="people">
        {found.value
          .filter((person) => !members.has(person.id))
          .map((person) => (
            <PersonButton key={person.id} person={person} onClick={() => void attempt(signedIn.rest.add(conversation.id, person.id)).then(() => (wanted.value = ""))} />
          ))}
      </ul>
    </>
  );
}
