import { signal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { timeOf } from "../core/now";
import { excerpt, type Hit } from "../core/search";
import type { Profile } from "../core/types";
import { t } from "../texts";
import { jumpTo } from "./jump";
import { nameOf, personName, titleOf } from "./names";
import { Avatar } from "./parts";
import { explain } from "./state";
import { tell } from "./told";
import { brief } from "./time";

/** Whether the list with what was found lies over the thread where there is room for one of them only. */
export const searching = signal(false);
/** Moves on whenever the field is to take the focus. */
const wanted = signal(0);

/** Looks for something in one conversation. */
export function searchIn(signedIn: Client, conversation: string): void {
  signedIn.search.look(signedIn.search.words.value, conversation);
  searching.value = true;
  wanted.value += 1;
}

/** Ends the search. */
function leave(signedIn: Client): void {
  signedIn.search.clear();
  searching.value = false;
}

/** The field above the list: Ctrl+K, Cmd+K or a slash lead to it. */
export function SearchField({ signedIn }: { signedIn: Client }) {
  const { search } = signedIn;
  const field = useRef<HTMLInputElement>(null);
  const take = () => {
    field.current?.focus();
    field.current?.select();
  };
  const within = search.within.value === null ? undefined : signedIn.get(search.within.value);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const element = event.target as HTMLElement;
      const writes = element.matches("input, textarea, select");
      const asks = (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !writes);
      if (!asks || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      take();
      if (document.activeElement === field.current) return;
      // The list is not on screen yet.
      searching.value = true;
      wanted.value += 1;
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
  useEffect(() => {
    if (wanted.value > 0) take();
  }, [wanted.value]);

  return (
    <search>
      <input
        ref={field}
        type="search"
        class="filter"
        aria-label={within ? t().search_here : t().search}
        placeholder={within ? t().search_here : t().search}
        aria-keyshortcuts="Control+K Meta+K /"
        maxLength={256}
        value={search.words.value}
        onInput={(event) => search.look(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") leave(signedIn);
          else if (event.key !== "Enter") return;
          event.preventDefault();
          const first = event.currentTarget.closest("nav")?.querySelector<HTMLElement>(".lines button");
          if (event.key === "Enter" && first) first.click();
          else if (event.key === "Enter" && search.on) search.again();
        }}
      />
      {search.on && (
        <div class="scope">
          <span dir="auto">{search.mentions.value ? t().mentions : within ? titleOf(within) : ""}</span>
          {within && (
            <button type="button" class="link" onClick={() => search.look(search.words.value, null)}>
              {t().search_everywhere}
            </button>
          )}
          <button type="button" class="link" onClick={() => leave(signedIn)}>
            {t().close}
          </button>
        </div>
      )}
    </search>
  );
}

/** Goes up and down what stands under the field with the arrow keys. */
export function walk(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const nav = event.currentTarget as HTMLElement;
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const places = [...nav.querySelectorAll<HTMLElement>(".filter, .lines button")];
  const at = places.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  places[at + step]?.focus();
}

/** What was found: conversations and people by their names, then messages by their words. */
export function Results({ signedIn, chats }: { signedIn: Client; chats: ComponentChild[] }) {
  const { search } = signedIn;
  const hits = search.hits.value;
  const state = search.state.value;
  const direct = new Set(signedIn.listing.list.value.map((conversation) => conversation.item.value.peer_user));
  const people = search.people.value.filter((person) => person.id !== signedIn.me.id && !direct.has(person.id));
  const nothing = state === "found" && hits.length === 0 && !search.more.value;
  const words = search.words.value.trim();

  async function meet(person: Profile) {
    try {
      const { id } = await signedIn.rest.converse({ kind: "direct", members: [person.id] });
      await signedIn.listing.read();
      leave(signedIn);
      await signedIn.show(id);
    } catch (error) {
      tell(explain(error));
    }
  }

  return (
    <div class="lines results">
      {chats.length > 0 && <ul aria-label={t().chats}>{chats}</ul>}
      {people.length > 0 && (
        <>
          <h2>{t().people}</h2>
          <ul>
            {people.map((person) => (
              <li key={person.id}>
                <button type="button" class="person" onClick={() => void meet(person)}>
                  <Avatar of={person.id} name={personName(person)} />
                  <span dir="auto">{personName(person)}</span>
                  <small>@{person.username}</small>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {hits.length > 0 && (
        <>
          <h2>{search.mentions.value ? t().mentions : t().messages}</h2>
          <ul>
            {hits.map((hit) => (
              <Found key={hit.message.id} signedIn={signedIn} hit={hit} conversation={signedIn.get(hit.message.conversation)} />
            ))}
          </ul>
        </>
      )}
      {state === "failed" && (
        <p class="empty" role="alert">
          {t().search_failed}{" "}
          <button type="button" onClick={() => search.again()}>
            {t().retry}
          </button>
        </p>
      )}
      {nothing && (search.mentions.value || words) && <p class="empty">{search.mentions.value ? t().no_mentions : t().found_nothing}</p>}
      {search.more.value && state === "found" && (
        <button type="button" class="more" onClick={() => void search.read()}>
          {t().more}
        </button>
      )}
      <p class="spoken" role="status">
        {state === "found" && !search.mentions.value ? t().found(hits.length) : ""}
      </p>
    </div>
  );
}

function Found({ signedIn, hit, conversation }: { signedIn: Client; hit: Hit; conversation: Conversation | undefined }) {
  const { message, highlights } = hit;
  const title = conversation ? titleOf(conversation) : "…";
  const direct = conversation?.item.value.kind === "direct";
  const text = message.kind === "message" ? (message.body.text ?? "") : "";
  return (
    <li>
      <button
        type="button"
        class="chat found"
        onClick={() => {
          searching.value = false;
          void jumpTo(signedIn, message.conversation, message.seq);
        }}
      >
        <Avatar of={conversation?.item.value.peer_user ?? message.conversation} name={title} />
        <span class="chat-title" dir="auto">
          {title}
        </span>
        <time class="chat-time" dateTime={timeOf(message)}>
          {brief(timeOf(message))}
        </time>
        <span class="chat-last" dir="auto">
          {(!direct || message.sender === signedIn.me.id) && <><bdi>{nameOf(message.sender)}</bdi>: </>}
          {excerpt(text, highlights).map((piece) => (piece.found ? <mark>{piece.text}</mark> : piece.text))}
        </span>
      </button>
    </li>
  );
}
