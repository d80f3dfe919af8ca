import { signal } from "@preact/signals";
import type { Client } from "../core/client";
import { t } from "../texts";
import { explain } from "./state";
import { tell } from "./told";

/** Where the open thread is to go; `read` once the history around it is there, and so whatever is left of it. */
export const goal = signal<{ conversation: string; seq: number; read: boolean } | null>(null);

/** Opens a conversation at a message. */
export async function jumpTo(signedIn: Client, conversation: string, seq: number): Promise<void> {
  if (!signedIn.get(conversation)) return tell(t().no_such_chat);
  goal.value = { conversation, seq, read: false };
  try {
    await signedIn.show(conversation, seq);
    // Unless it was there, or somebody wanted to go elsewhere meanwhile.
    if (goal.value?.conversation === conversation && goal.value.seq === seq) goal.value = { conversation, seq, read: true };
  } catch (error) {
    goal.value = null;
    tell(explain(error));
  }
}
