import type { Conversation } from "../core/conversation";
import { t } from "../texts";
import { client } from "./state";

/** How far an own message has got: one tick sent, two delivered, coloured read. In a group: to everybody. */
export function Ticks({ conversation, seq }: { conversation: Conversation; seq: number }) {
  const { kind, peer_user } = conversation.item.peek();
  const me = client.value?.me.id;
  const others = kind === "direct" ? [peer_user ?? ""] : conversation.members.value.map((member) => member.user).filter((user) => user !== me);
  const pointers = conversation.pointers.value;
  const all = (which: "delivered" | "read") => others.length > 0 && others.every((user) => (pointers.get(user)?.[which] ?? 0) >= seq);
  const state = all("read") ? "read" : all("delivered") ? "delivered" : "sent";
  return (
    <span class={`ticks ${state}`} role="img" aria-label={t()[state]} title={t()[state]}>
      {state === "sent" ? "✓" : "✓✓"}
    </span>
  );
}
