import { useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { now, timeOf } from "../core/now";
import { isOver } from "../core/thread";
import type { Entry } from "../core/types";
import { nameOrNull } from "../core/words";
import { t } from "../texts";
import { gist } from "./gist";
import { nameOf, personName, titleOf } from "./names";
import { Avatar } from "./parts";
import { dialog } from "./state";
import { notice } from "./notice";
import { RequestsEntry } from "./requests";
import { Results, SearchField, searching, walk } from "./search";
import { Ticks } from "./ticks";
import { brief } from "./time";

/** The list of conversations, newest activity first. */
export function Chats({ signedIn }: { signedIn: Client }) {
  const archived = useSignal(false);
  const { search } = signedIn;
  const shown = signedIn.listing.list.value.filter((conversation) => {
    if (search.on) return isCalled(conversation, search.words.value, signedIn);
    return conversation.item.value.archived === archived.value;
  });
  const lines = shown.map((conversation) => <Chat key={conversation.id} signedIn={signedIn} conversation={conversation} />);
  const mentions = signedIn.listing.list.value.reduce((sum, conversation) => sum + conversation.item.value.mentions, 0);
  const hasArchived = signedIn.listing.list.value.some((conversation) => conversation.item.value.archived);
  return (
    <nav class="chats" aria-label={t().chats} onKeyDown={walk}>
      <header>
        <button type="button" class="icon" aria-label={t().settings} title={t().settings} onClick={() => (dialog.value = "settings")}>
          <Avatar of={signedIn.me.id} name={personName(signedIn.me)} />
        </button>
        <h1>{archived.value ? t().archived : t().chats}</h1>
        <button type="button" class="icon mentions" aria-label={t().mentions} title={t().mentions} onClick={() => search.lookForMentions()}>
          @{mentions > 0 && <span class="badge">{mentions}</span>}
        </button>
        {hasArchived && (
          <button type="button" class="icon" aria-pressed={archived.value} aria-label={t().archived} title={t().archived} onClick={() => (archived.value = !archived.value)}>
            🗄
          </button>
        )}
        <button type="button" class="icon" aria-label={t().new_chat} title={t().new_chat} onClick={() => (dialog.value = "new")}>
          ✎
        </button>
      </header>
      <SearchField signedIn={signedIn} />
      {!search.on && <RequestsEntry signedIn={signedIn} />}
      {search.on ? <Results signedIn={signedIn} chats={lines} /> : <ul class="lines">{lines}</ul>}
      {!search.on && <Damaged signedIn={signedIn} />}
      {!search.on && signedIn.listing.listed.value && shown.length === 0 && signedIn.listing.damaged.value.length === 0 && <p class="empty">{t().no_chats}</p>}
    </nav>
  );
}

/** The chats that the server cannot read, in words. */
function Damaged({ signedIn }: { signedIn: Client }) {
  return (
    <>
      {signedIn.listing.damaged.value.map(({ id, title }) => (
        <p key={id} class="empty damaged" role="status">
          {title && <strong dir="auto">{nameOrNull(title)} </strong>}
          {t().damaged}
        </p>
      ))}
    </>
  );
}

/** Whether a conversation, or who is at its other side, is called so. */
function isCalled(conversation: Conversation, words: string, signedIn: Client): boolean {
  const wanted = words.trim().toLowerCase();
  if (!wanted || signedIn.search.within.value !== null || signedIn.search.mentions.value) return false;
  const { peer_user } = conversation.item.value;
  const username = peer_user ? signedIn.people.of(peer_user).value?.username : "";
  return titleOf(conversation).toLowerCase().includes(wanted) || (username ?? "").startsWith(wanted.replace(/^@/, ""));
}

function Chat({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  const item = conversation.item.value;
  const title = titleOf(conversation);
  const typing = [...conversation.typing.value.keys()];
  const muted = item.muted_until && Date.parse(item.muted_until) > now();
  const open = signedIn.open.value === conversation.id;
  return (
    <li>
      <button type="button" class="chat" aria-current={open ? "true" : undefined} onClick={() => {
          searching.value = false;
          if (open && matchMedia("(hover: hover)").matches) document.querySelector<HTMLElement>(".composer textarea")?.focus();
          void signedIn.show(conversation.id);
        }}>
        <Avatar of={item.peer_user ?? item.id} name={title} />
        <span class="chat-title" dir="auto">
          {title}
        </span>
        <time class="chat-time" dateTime={timeOf(item.last)}>
          {brief(timeOf(item.last))}
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
    const others = conversation.item.value.kind !== "direct" && !own;
    return (
      <>
        {own && <Ticks conversation={conversation} seq={entry.seq} />} {others && <><bdi>{nameOf(entry.sender)}</bdi>: </>}
        {gist(entry.body)}
      </>
    );
  }
  if (entry.kind === "redacted") return <i>{isOver(entry, now()) ? t().gone : t().deleted}</i>;
  return <i>{notice(entry)}</i>;
}
