import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Client } from "../core/client";
import { timeOf } from "../core/now";
import type { RequestAnswer } from "../core/requests";
import type { ConversationItem, Message } from "../core/types";
import { t } from "../texts";
import { gist } from "./gist";
import { notice } from "./notice";
import { nameOf } from "./names";
import { Avatar, Dialog } from "./parts";
import { report } from "./report";
import { dialog, explain } from "./state";
import { brief } from "./time";

/** Messages of a request that are shown before it is answered. */
const GLIMPSE = 20;

/** The way to the requests, with their number, where there are any. */
export function RequestsEntry({ signedIn }: { signedIn: Client }) {
  const waiting = signedIn.requests.items.value.length;
  if (waiting === 0) return null;
  return (
    <button type="button" class="requests-entry" onClick={() => (dialog.value = "requests")}>
      <span>{t().requests}</span>
      <span class="badge quiet">
        <span aria-hidden="true">{waiting}</span>
        <span class="spoken">{t().requests_wait(waiting)}</span>
      </span>
    </button>
  );
}

/** What strangers sent: each is looked at and answered here. Nobody learns that it was looked at. */
export function RequestsView({ signedIn }: { signedIn: Client }) {
  const open = useSignal<string | null>(null);
  const wrong = useSignal("");
  const { requests } = signedIn;
  const close = () => (dialog.value = null);

  async function answer(item: ConversationItem, how: RequestAnswer) {
    wrong.value = "";
    try {
      await requests.answer(item.id, how);
      // Another one may have been opened meanwhile.
      if (open.value === item.id) open.value = null;
      if (how === "blocked") await signedIn.people.readBlocked();
      if (how !== "accepted") return;
      await signedIn.listing.read();
      close();
      await signedIn.show(item.id);
    } catch (error) {
      wrong.value = explain(error, { too_many: t().too_many_conversations });
      await requests.read().catch(() => undefined);
    }
  }

  return (
    <Dialog title={t().requests} close={close}>
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
      <small>{t().requests_why}</small>
      {requests.items.value.length === 0 && <p class="empty">{t().no_requests}</p>}
      <ul class="people requests">
        {requests.items.value.map((item) => (
          <Request key={item.id} signedIn={signedIn} item={item} open={open.value === item.id} toggle={() => (open.value = open.value === item.id ? null : item.id)} answer={(how) => void answer(item, how)} />
        ))}
      </ul>
    </Dialog>
  );
}

interface RequestProps {
  signedIn: Client;
  item: ConversationItem;
  open: boolean;
  toggle: () => void;
  answer: (how: RequestAnswer) => void;
}

function Request({ signedIn, item, open, toggle, answer }: RequestProps) {
  const from = item.request?.from ?? "";
  const direct = item.kind === "direct";
  const title = direct ? nameOf(from) : (item.title ?? "…");
  /** The messages of the stranger that are on screen. */
  const shown = useSignal<string[]>([]);
  return (
    <li class="request">
      <button type="button" class="person" aria-expanded={open} onClick={toggle}>
        <Avatar of={direct ? from : item.id} name={title} />
        <span dir="auto">{title}</span>
        <small dir="auto">{direct ? brief(item.request?.at ?? timeOf(item.last)) : t().added_you(nameOf(from))}</small>
      </button>
      {open && (
        <>
          <Glimpse signedIn={signedIn} item={item} shown={shown} />
          <div class="buttons">
            <button type="button" class="primary" onClick={() => answer("accepted")}>
              {t().accept}
            </button>
            <button type="button" onClick={() => answer("declined")}>
              {t().decline}
            </button>
            <button type="button" class="danger" onClick={() => answer("blocked")}>
              {t().block}
            </button>
            <button type="button" onClick={() => report({ user: from, conversation: item.id, messages: shown.value })}>
              {t().report}
            </button>
          </div>
        </>
      )}
    </li>
  );
}

/** The last messages of a request, as they are. */
function Glimpse({ signedIn, item, shown }: { signedIn: Client; item: ConversationItem; shown: Signal<string[]> }) {
  const messages = useSignal<Message[]>([]);
  useEffect(() => {
    void signedIn.rest.messages(item.id, {}, GLIMPSE).then((page) => {
      messages.value = page.items;
      const said = page.items.filter((message) => message.kind === "message" && !message.deleted && message.sender !== signedIn.me.id);
      shown.value = said.map((message) => message.id);
    }, () => undefined);
  }, []);
  return (
    <ol class="glimpse">
      {messages.value.map((message) => (
        <li key={message.seq} dir="auto">
          {message.kind === "message" ? (
            <>
              <strong>{nameOf(message.sender)}</strong> {message.deleted ? <i>{t().deleted}</i> : gist(message.body)}
            </>
          ) : (
            <i>{notice(message)}</i>
          )}
        </li>
      ))}
    </ol>
  );
}
