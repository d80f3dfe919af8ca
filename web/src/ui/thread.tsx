import { type Signal, useSignal } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { timeOf } from "../core/now";
import type { Unsent } from "../core/outbox";
import type { Message } from "../core/types";
import { t } from "../texts";
import type { Aim } from "./aim";
import { Composer, isSilent } from "./composer";
import { useDrop } from "./drop";
import { Lightbox } from "./lightbox";
import { MessageRow, UnsentRow } from "./message";
import { nameOf, titleOf } from "./names";
import { Avatar } from "./parts";
import { askForDay } from "./dates";
import { goal, jumpTo } from "./jump";
import { searchIn } from "./search";
import { dialog } from "./state";
import { Tray } from "./tray";
import { brief, clock, dayName, duration, sameDay } from "./time";

/** Pixels from an edge at which more is read, and from the end at which one counts as being there. */
const NEAR_EDGE = 800;
const AT_END = 40;
/** Messages of one person so close together are one group, in milliseconds. */
const GROUP_MS = 5 * 60_000;
/** How long a message stands out to which one was taken, in milliseconds. */
const POINTED_MS = 1_500;

/** A conversation on screen. */
export function ThreadView({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  const aim = useSignal<Aim>(null);
  const tray = useMemo(() => new Tray(), []);
  const { over, ...drop } = useDrop((files) => void (isSilent(conversation) || tray.add(signedIn, files)));
  useEffect(() => () => tray.clear(), []);
  const instance = signedIn.listing.instance.value;
  // What it was about may be another message now.
  useEffect(() => void (aim.value = null), [instance]);
  return (
    <section class="thread" aria-label={titleOf(conversation)} {...drop}>
      <Head signedIn={signedIn} conversation={conversation} />
      <Log signedIn={signedIn} conversation={conversation} aim={aim} />
      <Composer key={conversation.id} signedIn={signedIn} conversation={conversation} aim={aim} tray={tray} />
      {over && <p class="drop">{t().drop_here}</p>}
      <Lightbox signedIn={signedIn} conversation={conversation} />
    </section>
  );
}

function Head({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  const { kind, peer_user, id } = conversation.item.value;
  const title = titleOf(conversation);
  const lasts = conversation.info.value?.expire_after_s;
  return (
    <header class="head">
      <button type="button" class="icon back" aria-label={t().back} onClick={() => void signedIn.show(null)}>
        ‹
      </button>
      <h1 class="spoken">{title}</h1>
      <button type="button" class="head-title" aria-haspopup="dialog" onClick={() => (dialog.value = "details")}>
        <Avatar of={peer_user ?? id} name={title} />
        <span>
          <strong dir="auto">{title}</strong>
          <small aria-live="polite">
            <State signedIn={signedIn} conversation={conversation} kind={kind} peer={peer_user ?? null} />
          </small>
        </span>
      </button>
      {lasts && (
        <small class="lasts" title={`${t().disappearing} ${duration(lasts)}`}>
          <span aria-hidden="true">⏳</span> <span class="spoken">{t().disappearing}</span> {duration(lasts)}
        </small>
      )}
      <button type="button" class="icon" aria-label={t().search_here} title={t().search_here} onClick={() => searchIn(signedIn, id)}>
        🔍
      </button>
    </header>
  );
}

function State({ signedIn, conversation, kind, peer }: { signedIn: Client; conversation: Conversation; kind: string; peer: string | null }) {
  const [typing] = conversation.typing.value.keys();
  if (typing) return <em>{t().typing(kind === "direct" ? "" : nameOf(typing))}</em>;
  if (peer) {
    const presence = signedIn.people.presence.value.get(peer);
    if (presence?.state === "online") return <>{t().online}</>;
    return <>{presence?.last_seen ? t().last_seen(brief(presence.last_seen)) : ""}</>;
  }
  const count = conversation.info.value?.members;
  return <>{count ? t().members(count) : ""}</>;
}

function Log({ signedIn, conversation, aim }: { signedIn: Client; conversation: Conversation; aim: Signal<Aim> }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useSignal(true);
  /** The message that stays where it is when what is around it changes: its seq, and its distance from the top. */
  const anchor = useRef<{ seq: string; top: number } | null>(null);
  const placed = useRef(false);
  const shown = useRef<Message[] | null>(null);
  const changed = useRef(false);
  /** Whether the list lies over it, on a phone: then it has no places, and is as it was when it is seen again. */
  const covered = useRef(false);
  /** Where one has just been taken, for who does not see it. */
  const told = useSignal("");
  const messages = conversation.messages.value;
  // It is taken right before the rows change: since the last event that told of scrolling there may have been more of it.
  if (shown.current !== messages) {
    if (box.current && isShown(box.current)) anchor.current = anchorOf(box.current);
    shown.current = messages;
    changed.current = true;
  }
  const unsent = signedIn.outbox.all.value.filter((one) => one.conversation === conversation.id);

  function look() {
    const element = box.current;
    if (!element || !isShown(element)) return;
    const atLast = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END;
    atEnd.value = atLast && conversation.thread.atEnd;
    let first = 0;
    let seen = 0;
    for (const row of element.querySelectorAll<HTMLElement>("[data-seq]")) {
      const top = row.offsetTop - element.scrollTop;
      if (!first && top + row.offsetHeight > 0) {
        first = Number(row.dataset.seq);
        anchor.current = { seq: String(first), top };
      }
      if (top + Math.min(row.offsetHeight, element.clientHeight) <= element.clientHeight + AT_END) seen = Number(row.dataset.seq);
      else break;
    }
    if (document.visibilityState === "visible" && document.hasFocus() && placed.current) {
      if (atEnd.value) signedIn.read(conversation, conversation.thread.folded);
      else if (!skips(first)) signedIn.read(conversation, seen);
    }
    if (element.scrollTop < NEAR_EDGE) void signedIn.windows.older(conversation);
    if (element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_EDGE) void signedIn.windows.newer(conversation);
  }

  /** Whether something unread stands before what is on screen: who was taken into the middle has not read it. */
  function skips(first: number): boolean {
    const { item, thread } = conversation;
    const { read, unread } = item.peek();
    if (unread === 0) return false;
    const unknown = !thread.atStart && thread.first > read + 1;
    return unknown || thread.messages.some((message) => message.seq > read && message.seq < first && message.kind === "message" && message.sender !== signedIn.me.id);
  }

  function place() {
    const element = box.current;
    if (!element || messages.length === 0 || !isShown(element)) return;
    const row = changed.current && anchor.current ? rowAt(element, Number(anchor.current.seq)) : null;
    const following = atEnd.value && conversation.thread.atEnd;
    const elsewhere = changed.current && !row && !following;
    changed.current = false;
    if (goal.value?.conversation === conversation.id) {
      if (!reach(element, goal.value.seq, goal.value.read)) return;
      goal.value = null;
    } else if (!placed.current || elsewhere) {
      // It has just been opened, or what was seen of it was read anew elsewhere.
      placed.current = true;
      const line = element.querySelector<HTMLElement>(".new-line");
      element.scrollTop = line ? line.offsetTop - element.clientHeight / 3 : element.scrollHeight;
    } else if (following) {
      element.scrollTop = element.scrollHeight;
    } else if (row && anchor.current) {
      element.scrollTop = row.offsetTop - anchor.current.top;
    }
    look();
  }

  /** Goes to a message, or to what stands in its place once that was read; whether it has. */
  function reach(element: HTMLElement, seq: number, read: boolean): boolean {
    const rows = [...element.querySelectorAll<HTMLElement>("[data-seq]:not([hidden])")];
    const exact = rows.find((row) => row.dataset.seq === String(seq));
    if (!exact && !read) return false;
    const row = exact ?? rows.find((other) => Number(other.dataset.seq) > seq) ?? rows.at(-1);
    placed.current = true;
    if (!row) return true;
    row.scrollIntoView({ block: "center" });
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.classList.add("pointed");
    setTimeout(() => row.classList.remove("pointed"), POINTED_MS);
    const message = messages.find((other) => other.seq === Number(row.dataset.seq));
    if (message) told.value = `${exact ? "" : `${t().not_there} `}${nameOf(message.sender)}, ${dayName(timeOf(message))}, ${clock(timeOf(message))}`;
    return true;
  }

  const latest = useRef(place);
  latest.current = place;
  useLayoutEffect(place, [messages, unsent.length, goal.value]);
  useEffect(() => {
    const again = () => look();
    const element = box.current;
    const resized = new ResizeObserver(() => {
      if (!element) return;
      const uncovered = covered.current && isShown(element);
      covered.current = !isShown(element);
      if (uncovered) {
        changed.current = true;
        latest.current();
      } else if (atEnd.value) element.scrollTop = element.scrollHeight;
    });
    if (element) resized.observe(element);
    window.addEventListener("focus", again);
    document.addEventListener("visibilitychange", again);
    return () => {
      resized.disconnect();
      window.removeEventListener("focus", again);
      document.removeEventListener("visibilitychange", again);
    };
  }, []);

  async function toLatest() {
    conversation.newAfter.value = null;
    if (!conversation.thread.atEnd) await signedIn.windows.load(conversation, null);
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }

  const jump = useCallback((seq: number) => jumpTo(signedIn, conversation.id, seq), [conversation]);

  return (
    <div class="log-box">
      <div class="log" ref={box} onScroll={look} role="log" aria-live="polite" tabIndex={0} aria-label={titleOf(conversation)}>
        {conversation.damaged.value && (
          <p class="empty damaged" role="status">
            {t().damaged_page}
          </p>
        )}
        <Rows signedIn={signedIn} conversation={conversation} messages={messages} aim={aim} jump={jump} />
        {conversation.thread.atEnd && unsent.map((one: Unsent) => <UnsentRow key={one.message.client_id} signedIn={signedIn} unsent={one} />)}
      </div>
      <p class="spoken" role="status">
        {told.value}
      </p>
      {!atEnd.value && <Latest conversation={conversation} go={() => void toLatest()} />}
    </div>
  );
}

/** Whether it is laid out at all. */
function isShown(element: HTMLElement): boolean {
  return element.getClientRects().length > 0;
}

/** The row of a seq, or the next one where that is gone; none where the rows are of elsewhere. */
function rowAt(box: HTMLElement, seq: number): HTMLElement | null {
  const rows = [...box.querySelectorAll<HTMLElement>("[data-seq]")];
  const place = (row: HTMLElement | undefined) => Number(row?.dataset.seq);
  if (!(place(rows[0]) <= seq && seq <= place(rows.at(-1)))) return null;
  return rows.find((row) => place(row) >= seq) ?? null;
}

/** The first row that is on screen, and where it is. */
function anchorOf(box: HTMLElement): { seq: string; top: number } | null {
  for (const row of box.querySelectorAll<HTMLElement>("[data-seq]")) {
    const top = row.offsetTop - box.scrollTop;
    if (top + row.offsetHeight > 0) return { seq: row.dataset.seq ?? "", top };
  }
  return null;
}

/** On its own, because the count changes while one reads, and the rows do not. */
function Latest({ conversation, go }: { conversation: Conversation; go: () => void }) {
  const { unread } = conversation.item.value;
  return (
    <button type="button" class="latest" aria-label={unread > 0 ? `${t().latest}, ${t().unread(unread)}` : t().latest} title={t().latest} onClick={go}>
      ↓{unread > 0 && <span class="badge">{unread}</span>}
    </button>
  );
}

function Rows(props: { signedIn: Client; conversation: Conversation; messages: Message[]; aim: Signal<Aim>; jump: (seq: number) => Promise<void> }) {
  const { conversation, messages, signedIn } = props;
  const newAfter = conversation.newAfter.value;
  let before: Message | undefined;
  return (
    <>
      {messages.map((message) => {
        const newDay = !before || !sameDay(timeOf(before), timeOf(message));
        const isNew = newAfter !== null && message.seq > newAfter && (before?.seq ?? 0) <= newAfter && message.sender !== signedIn.me.id;
        const close = before && before.kind === message.kind && before.sender === message.sender && Date.parse(timeOf(message)) - Date.parse(timeOf(before)) < GROUP_MS;
        before = message;
        return [
          newDay && (
            <div key={`day-${message.seq}`} class="day">
              <button type="button" aria-haspopup="dialog" title={t().jump_to_date} onClick={() => askForDay(message.at)}>
                {dayName(timeOf(message))}
              </button>
            </div>
          ),
          isNew && (
            <div key="new" class="new-line" role="separator">
              <span>{t().new_messages}</span>
            </div>
          ),
          <MessageRow key={message.seq} {...props} message={message} joined={!!close && !newDay && !isNew} />,
        ];
      })}
    </>
  );
}
