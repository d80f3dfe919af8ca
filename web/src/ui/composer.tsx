import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { t } from "../texts";
import { EmojiPicker } from "./emoji";
import { nameOf } from "./names";
import { Avatar } from "./parts";
import { canRecord, Recorder } from "./recorder";
import { explain, keep } from "./state";
import type { Aim } from "./aim";
import { type Tray, TrayView } from "./tray";

/** Members offered for a mention. */
const OFFERED = 6;

interface Person {
  user: string;
  username: string;
  name: string;
}

/** Whether only others write here. */
export function isSilent(conversation: Conversation): boolean {
  const info = conversation.info.value;
  return info?.writers === "admins" && info.role === "member";
}

/** Where one writes. What is not sent stays as a draft of its conversation. */
export function Composer({ signedIn, conversation, aim, tray }: { signedIn: Client; conversation: Conversation; aim: Signal<Aim>; tray: Tray }) {
  const draft = `kith.draft.${conversation.id}`;
  const box = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const busy = useSignal(false);
  const recording = useSignal(false);
  const text = useSignal(keep.get(draft) ?? "");
  const wrong = useSignal("");
  /** The beginning of a mention before the caret. */
  const begun = useSignal<{ from: number; word: string } | null>(null);
  const chosen = useSignal(0);
  const silent = isSilent(conversation);
  const picking = useSignal(false);
  const editing = aim.value && "edit" in aim.value ? aim.value.edit : null;

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) box.current?.focus();
  }, []);
  // Before it shows that this is an edit, its text is there.
  useLayoutEffect(() => {
    if (editing?.kind === "message") text.value = editing.body.text ?? "";
    if (aim.value) box.current?.focus();
  }, [aim.value]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 200)}px`;
  }, [text.value]);

  function write(value: string) {
    text.value = value;
    if (!editing) keep.set(draft, value || null);
    if (value) signedIn.type(conversation.id);
    const caret = box.current?.selectionStart ?? 0;
    const match = conversation.item.value.kind === "direct" ? null : /(?:^|\s)@([a-z0-9._-]*)$/i.exec(value.slice(0, caret));
    begun.value = match && { from: caret - (match[1]?.length ?? 0), word: (match[1] ?? "").toLowerCase() };
    chosen.value = 0;
  }

  function people(): Person[] {
    return conversation.members.value
      .filter((member) => member.user !== signedIn.me.id)
      .flatMap(({ user }) => {
        const profile = signedIn.people.of(user).value;
        return profile?.username ? [{ user, username: profile.username, name: nameOf(user) }] : [];
      });
  }

  // Who they are may come after the first letters.
  const word = begun.value?.word;
  const offered =
    word === undefined
      ? []
      : people()
          .filter(({ username, name }) => username.startsWith(word) || name.toLowerCase().startsWith(word))
          .slice(0, OFFERED);

  function mention(person: Person) {
    const place = begun.value;
    const element = box.current;
    if (!place || !element) return;
    const before = `${text.value.slice(0, place.from)}${person.username} `;
    write(before + text.value.slice(element.selectionStart));
    element.value = text.value;
    element.setSelectionRange(before.length, before.length);
    element.focus();
    begun.value = null;
  }

  function mentioned(value: string): string[] {
    const names = new Set([...value.matchAll(/(?:^|\s)@([a-z0-9._-]+)/gi)].map((match) => (match[1] ?? "").toLowerCase().replace(/[.]+$/, "")));
    return people().filter(({ username }) => names.has(username)).map(({ user }) => user);
  }

  /** Writes an emoji where the caret is. */
  function insert(emoji: string) {
    const element = box.current;
    const from = element?.selectionStart ?? text.value.length;
    const to = element?.selectionEnd ?? from;
    write(text.value.slice(0, from) + emoji + text.value.slice(to));
    if (!element) return;
    element.value = text.value;
    element.setSelectionRange(from + emoji.length, from + emoji.length);
  }

  async function send() {
    const value = text.value.trim();
    const attached = !editing && tray.picked.value.length > 0;
    if ((!value && !attached) || busy.value) return;
    wrong.value = "";
    const mentions = mentioned(value);
    const about = aim.value;
    if (about && "edit" in about) {
      try {
        await signedIn.rest.edit(about.edit.id, value, mentions);
      } catch (error) {
        wrong.value = explain(error);
        return;
      }
      text.value = keep.get(draft) ?? "";
    } else {
      busy.value = attached;
      const outgoing = attached ? await tray.outgoing() : [];
      busy.value = false;
      signedIn.send(conversation.id, value, { mentions, ...(about ? { reply_to: about.reply.seq } : {}) }, outgoing);
      tray.clear();
      conversation.newAfter.value = null;
      text.value = "";
      keep.set(draft, null);
      if (!conversation.thread.atEnd) void signedIn.windows.load(conversation, null);
    }
    aim.value = null;
  }

  function attach(chosen: Iterable<File>) {
    void tray.add(signedIn, chosen);
    box.current?.focus();
  }

  function paste(event: ClipboardEvent) {
    const pasted = [...(event.clipboardData?.files ?? [])];
    // A part of a page is its text, and not the picture of it.
    if (pasted.length === 0 || editing || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    attach(pasted);
  }

  function recorded(voice: Blob | null, why: string) {
    recording.value = false;
    wrong.value = why;
    const about = aim.value;
    if (voice) {
      signedIn.send(conversation.id, "", about && "reply" in about ? { reply_to: about.reply.seq } : {}, [{ blob: voice }]);
      aim.value = null;
      if (!conversation.thread.atEnd) void signedIn.windows.load(conversation, null);
    }
    requestAnimationFrame(() => box.current?.focus());
  }

  function quit() {
    aim.value = null;
    text.value = keep.get(draft) ?? "";
  }

  function press(event: KeyboardEvent) {
    if (offered.length > 0) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const person = offered[chosen.value];
      if (step) chosen.value = (chosen.value + step + offered.length) % offered.length;
      else if ((event.key === "Enter" || event.key === "Tab") && person) mention(person);
      else if (event.key === "Escape") begun.value = null;
      else return;
      event.preventDefault();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void send();
    } else if (event.key === "Escape" && aim.value) {
      quit();
    } else if (event.key === "ArrowUp" && !text.value) {
      const own = conversation.messages.value.findLast((message) => message.kind === "message" && message.sender === signedIn.me.id);
      if (own) aim.value = { edit: own };
    }
  }

  if (silent) return null;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {aim.value && (
        <div class="aim">
          <span dir="auto">{editing ? t().editing : "reply" in aim.value ? t().replying_to(nameOf(aim.value.reply.sender)) : ""}</span>
          <button type="button" class="icon" aria-label={t().cancel} onClick={quit}>
            ✕
          </button>
        </div>
      )}
      {wrong.value && (
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
      )}
      {offered.length > 0 && (
        <ul class="offered" role="listbox" id="offered" aria-label={t().add_member}>
          {offered.map((person, index) => (
            <li key={person.user} role="option" aria-selected={index === chosen.value} onMouseDown={(event) => {
              event.preventDefault();
              mention(person);
            }}>
              <Avatar of={person.user} name={person.name} />
              <span dir="auto">{person.name}</span>
              <small>@{person.username}</small>
            </li>
          ))}
        </ul>
      )}
      {!editing && <TrayView tray={tray} />}
      {picking.value && !recording.value && (
        <div
          class="composer-emojis"
          role="group"
          aria-label={t().emoji}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            picking.value = false;
            box.current?.focus();
          }}
        >
          <EmojiPicker pick={insert} />
        </div>
      )}
      {recording.value ? <Recorder done={recorded} /> : writing()}
    </form>
  );

  function writing() {
    const sendable = !!text.value.trim() || (!editing && tray.picked.value.length > 0);
    return (
      <>
        <input
          ref={files}
          type="file"
          multiple
          hidden
          aria-label={t().attach}
          onChange={(event) => {
            attach([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" class="icon" aria-label={t().attach} title={t().attach} disabled={!!editing} onClick={() => files.current?.click()}>
          📎
        </button>
        <button type="button" class="icon" aria-label={t().emoji} title={t().emoji} aria-expanded={picking.value} onClick={() => (picking.value = !picking.value)}>
          ☺
        </button>
        <textarea
          ref={box}
          rows={1}
          dir="auto"
          aria-label={t().write}
          placeholder={t().write}
          aria-controls={offered.length > 0 ? "offered" : undefined}
          value={text.value}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={press}
          onPaste={paste}
        />
        {sendable || editing || !canRecord() ? (
          <button type="submit" class="send" aria-label={t().send} title={t().send} disabled={!sendable || busy.value}>
            ➤
          </button>
        ) : (
          <button type="button" class="send" aria-label={t().record} title={t().record} onClick={() => (recording.value = true)}>
            🎤
          </button>
        )}
      </>
    );
  }
}
