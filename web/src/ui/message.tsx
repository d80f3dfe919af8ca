import { type Signal, useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { timeOf } from "../core/now";
import type { Unsent } from "../core/outbox";
import type { Message, ReadReceipts } from "../core/types";
import { t } from "../texts";
import { Attachments } from "./attachments";
import { gist } from "./gist";
import { EmojiPicker } from "./emoji";
import { notice } from "./notice";
import { nameOf } from "./names";
import { Avatar, Dialog } from "./parts";
import { copy, linkTo } from "./place";
import { Receipts } from "./receipts";
import { rich } from "./rich";
import type { Aim } from "./aim";
import { Ticks } from "./ticks";
import { Waiting, whyNot } from "./waiting";
import { orTell, tell } from "./told";
import { clock, fromNow } from "./time";
import { report } from "./report";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "🔥", "👀", "✅", "🤔", "👏"];

interface Props {
  signedIn: Client;
  conversation: Conversation;
  message: Message;
  aim: Signal<Aim>;
  /** Whether it belongs with the message before it. */
  joined: boolean;
  jump: (seq: number) => Promise<void>;
}

/** A message of the log. */
export function MessageRow(props: Props) {
  const { signedIn, conversation, message, joined, jump } = props;
  const picking = useSignal(false);
  const pickingAny = useSignal(false);
  const erasing = useSignal(false);
  const receipts = useSignal<ReadReceipts | null>(null);
  if (message.kind !== "message" && message.kind !== "redacted") {
    const text = notice(message);
    return (
      <div class="notice" data-seq={message.seq} hidden={!text}>
        {text}
      </div>
    );
  }
  const own = message.sender === signedIn.me.id;
  const direct = conversation.kind === "direct";
  const person = nameOf(message.sender);
  return (
    <article class={`row ${own ? "own" : ""} ${joined ? "joined" : ""}`} data-seq={message.seq} aria-label={`${person}, ${clock(timeOf(message))}`}>
      {!own && !direct && (joined ? <span class="avatar-space" /> : <Avatar of={message.sender} name={person} />)}
      <div class="bubble">
        {!own && !direct && !joined && (
          <strong class="sender" dir="auto">
            {person}
          </strong>
        )}
        {message.kind === "message" && message.body.reply_to != null && <Quote signedIn={signedIn} conversation={conversation} seq={message.body.reply_to} jump={jump} />}
        {message.kind === "message" && !!message.body.attachments?.length && <Attachments signedIn={signedIn} all={message.body.attachments} />}
        {message.kind === "message" ? (
          !!message.body.text && (
            <p class="text" dir="auto">
              {rich(message.body.text)}
            </p>
          )
        ) : (
          <p class="text gone">{message.deleted ? t().deleted : t().gone}</p>
        )}
        <span class="meta">
          {message.edited_at && <span>{t().edited}</span>}
          {message.expires_at && <Timer until={message.expires_at} />}
          <time dateTime={timeOf(message)} title={new Date(timeOf(message)).toLocaleString()}>
            {clock(timeOf(message))}
          </time>
          {own && message.kind === "message" && <Ticks conversation={conversation} seq={message.seq} />}
        </span>
        <Reactions signedIn={signedIn} message={message} />
      </div>
      {message.kind === "message" && <Actions {...props} message={message} own={own} picking={picking} erasing={erasing} receipts={receipts} />}
      {picking.value && (
        <div class="picker" role="menu" aria-label={t().react}>
          {QUICK.map((emoji) => (
            <button
              key={emoji}
              type="button"
              role="menuitem"
              onClick={() => {
                picking.value = false;
                orTell(signedIn.rest.react(message.id, emoji, true));
              }}
            >
              {emoji}
            </button>
          ))}
          <button
            type="button"
            role="menuitem"
            aria-label={t().more_emoji}
            title={t().more_emoji}
            onClick={() => {
              picking.value = false;
              pickingAny.value = true;
            }}
          >
            ＋
          </button>
        </div>
      )}
      {pickingAny.value && (
        <Dialog title={t().react} close={() => (pickingAny.value = false)}>
          <EmojiPicker
            pick={(emoji) => {
              pickingAny.value = false;
              orTell(signedIn.rest.react(message.id, emoji, true));
            }}
          />
        </Dialog>
      )}
      {erasing.value && (
        <Dialog title={t().delete} close={() => (erasing.value = false)}>
          <p>{t().delete_why}</p>
          <div class="buttons">
            <button type="button" class="danger" onClick={() => orTell(signedIn.rest.delete(message.id).finally(() => (erasing.value = false)))}>
              {t().delete}
            </button>
            <button type="button" onClick={() => (erasing.value = false)}>
              {t().cancel}
            </button>
          </div>
        </Dialog>
      )}
      {receipts.value && <Receipts rest={signedIn.rest} message={message.id} known={receipts} />}
    </article>
  );
}

/** That a message disappears, and in how long as of when one looks. */
function Timer({ until }: { until: string }) {
  const left = t().disappears(fromNow(until));
  return (
    <span role="img" aria-label={left} title={left} onPointerEnter={(event) => (event.currentTarget.title = t().disappears(fromNow(until)))}>
      ⏳
    </span>
  );
}

function Actions({ signedIn, conversation, message, own, aim, picking, erasing, receipts }: Props & { own: boolean; picking: Signal<boolean>; erasing: Signal<boolean>; receipts: Signal<ReadReceipts | null> }) {
  const admin = ["owner", "admin"].includes(conversation.info.value?.role ?? "") && conversation.kind !== "direct";
  const show = async () => {
    receipts.value = await signedIn.rest.readReceipts(message.id);
  };
  return (
    <div class="actions" role="toolbar" aria-label={t().info}>
      <button type="button" aria-label={t().react} title={t().react} aria-expanded={picking.value} onClick={() => (picking.value = !picking.value)}>
        ☺
      </button>
      <button type="button" aria-label={t().reply} title={t().reply} onClick={() => (aim.value = { reply: message })}>
        ↩
      </button>
      {own && (
        <button type="button" aria-label={t().edit} title={t().edit} onClick={() => (aim.value = { edit: message })}>
          ✎
        </button>
      )}
      <button type="button" aria-label={t().copy_link} title={t().copy_link} onClick={() => void copy(linkTo(conversation.id, message.seq)).then(tell)}>
        🔗
      </button>
      {own && (
        <button type="button" aria-label={t().info} title={t().info} onClick={() => orTell(show())}>
          ⓘ
        </button>
      )}
      {!own && (
        <button type="button" aria-label={t().report} title={t().report} onClick={() => report({ user: message.sender, conversation: conversation.id, messages: [message.id] })}>
          ⚑
        </button>
      )}
      {(own || admin) && (
        <button type="button" aria-label={t().delete} title={t().delete} onClick={() => (erasing.value = true)}>
          🗑
        </button>
      )}
    </div>
  );
}

function Reactions({ signedIn, message }: { signedIn: Client; message: Message }) {
  if (!message.reactions?.length) return null;
  return (
    <span class="reactions">
      {message.reactions.map(({ emoji, users }) => {
        const mine = users.includes(signedIn.me.id);
        return (
          <button key={emoji} type="button" aria-pressed={mine} title={users.map(nameOf).join(", ")} onClick={() => orTell(signedIn.rest.react(message.id, emoji, !mine))}>
            {emoji} {users.length > 1 && users.length}
          </button>
        );
      })}
    </span>
  );
}

/** The beginning of the message that this one answers. */
function Quote({ signedIn, conversation, seq, jump }: { signedIn: Client; conversation: Conversation; seq: number; jump: (seq: number) => Promise<void> }) {
  const quoted = conversation.messages.value.find((message) => message.seq === seq) ?? signedIn.quotes.of(`${conversation.id}.${seq}`).value;
  const text = quoted?.kind === "message" ? gist(quoted.body) : quoted ? t().deleted : "…";
  return (
    <button type="button" class="quote" onClick={() => void jump(seq)}>
      <strong dir="auto">{quoted ? nameOf(quoted.sender) : t().reply}</strong>
      <span dir="auto">{text.slice(0, 120)}</span>
    </button>
  );
}

/** A message that the server has not acknowledged: it stays until it is sent, or thrown away by hand. */
export function UnsentRow({ signedIn, unsent }: { signedIn: Client; unsent: Unsent }) {
  return (
    <article class="row own unsent" aria-label={`${t().you}, ${unsent.refused ? t().not_sent : t().sending}`}>
      <div class="bubble">
        {!!unsent.attachments?.length && <Waiting signedIn={signedIn} unsent={unsent} />}
        {!!unsent.message.text && (
          <p class="text" dir="auto">
            {rich(unsent.message.text)}
          </p>
        )}
        <span class="meta">
          <time>{clock(unsent.at)}</time>
          {unsent.refused ? <span class="failed">{whyNot(unsent)}</span> : <span role="img" aria-label={t().sending} title={t().sending}>🕓</span>}
        </span>
        {unsent.refused && (
          <span class="failed-actions">
            <button type="button" onClick={() => signedIn.retry(unsent)}>
              {t().retry}
            </button>
            <button type="button" onClick={() => signedIn.outbox.drop(unsent.message.client_id)}>
              {t().discard}
            </button>
          </span>
        )}
      </div>
    </article>
  );
}
