import { useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import type { Entry } from "../core/types";
import { t } from "../texts";
import { gist } from "./gist";
import { Avatar, nameOf, titleOf } from "./parts";
import { dialog } from "./state";
import { notice } from "./notice";
import { Ticks } from "./ticks";
import { brief } from "./time";

/** The list of conversations, newest activity first. */
export function Chats({ signedIn }: { signedIn: Client }) {
  const filter = useSignal("");
  const archived = useSignal(false);
  const wanted = filter.value.trim().toLowerCase();
  const shown = signedIn.list.value.filter((conversation) => {
    if (wanted) return titleOf(conversation).toLowerCase().includes(wanted);
    return conversation.item.value.archived === archived.value;
  });
  const hasArchived = signedIn.list.value.some((conversation) => conversation.item.value.archived);
  return (
    <nav class="chats" aria-label={t().chats}>
      <header>
        <button type="button" class="icon" aria-label={t().settings} title={t().settings} onClick={() => (dialog.value = "settings")}>
          <Avatar of={signedIn.me.id} name={signedIn.me.display_name} />
        </button>
        <h1>{archived.value ? t().archived : t().chats}</h1>
        {hasArchived && (
          <button type="button" class="icon" aria-pressed={archived.value} aria-label={t().archived} title={t().archived} onClick={() => (archived.value = !archived.value)}>
            🗄
          </button>
        )}
        <button type="button" class="icon" aria-label={t().new_chat} title={t().new_chat} onClick={() => (dialog.value = "new")}>
          ✎
        </button>
      </header>
      <input
        type="search"
        class="filter"
        aria-label={t().search_people}
        placeholder={t().search_people}
        value={filter.value}
        onInput={(event) => (filter.value = event.currentTarget.value)}
      />
      <ul>
        {shown.map((conversation) => (
          <Chat key={conversation.id} signedIn={signedIn} conversation={conversation} />
        ))}
      </ul>
      {signedIn.listed.value && shown.length === 0 && <p class="empty">{t().no_chats}</p>}
    </nav>
  );
}

function Chat({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  const item = conversation.item.value;
  const title = titleOf(conversation);
  const typing = [...conversation.typing.value.keys()];
  const muted = item.muted_until && Date.parse(item.muted_until) > Date.now();
  const open = signedIn.open.value === conversation.id;
  return (
    <li>
      <button type="button" class="chat" aria-current={open ? "true" : undefined} onClick={() => void signedIn.show(conversation.id)}>
        <Avatar of={item.peer_user ?? item.id} name={title} />
        <span class="chat-title" dir="auto">
          {title}
        </span>
        <time class="chat-time" dateTime={item.last.at}>
          {brief(item.last.at)}
        </time>
        <span class="chat-last" dir="auto">
          {typing.length > 0 ? <em>{t().typing(item.kind === "direct" ? "" : nameOf(typing[0] ?? ""))}</em> : <Last entry={item.last} conversation={conversation} me={signedIn.me.id} />}
        </span>
        <span class="chat-marks">
          {muted && <span title={t().mute}>🔕</span>}
          {item.pinned && <span title={t().pin}>📌</span>}
          {item.mentions > 0 && (
            <span class="badge" title={t().mentioned}>
              @
            </span>
          )}
          {item.unread > 0 && (
            <span class={`badge ${muted ? "quiet" : ""}`}>
              <span aria-hidden="true">{item.unread > 999 ? "999+" : item.unread}</span>
              <span class="spoken">{t().unread(item.unread)}</span>
            </span>
          )}
        </span>
      </button>
    </li>
  );
}

function Last({ entry, conversation, me }: { entry: Entry; conversation: Conversation; me: string }) {
  if (entry.kind === "message") {
    const own = entry.sender === me;
    const who = conversation.item.value.kind === "direct" || own ? "" : `${nameOf(entry.sender)}: `;
    return (
      <>
        {own && <Ticks conversation={conversation} seq={entry.seq} />} {who}
        {gist(entry.body)}
      </>
    );
  }
  if (entry.kind === "redacted") return <i>{t().deleted}</i>;
  return <i>{notice(entry)}</i>;
}
