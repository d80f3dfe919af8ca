import { computed, effect, signal, untracked } from "@preact/signals";
import type { Client } from "../core/client";
import { t } from "../texts";
import { jumpTo } from "./jump";
import { client } from "./state";
import { tell } from "./told";

const PLACE = /^#(conv_[0-9a-hjkmnp-tv-z]{26})(?:\/(\d{1,15}))?$/;
const INVITE = /^#invite=([A-Za-z0-9_-]{1,64})$/;
/** What stands behind the address of the page. It never reaches a server, nor its logs. */
const hash = signal("");

/** The code of the invite with which somebody has come. */
export const invite = computed(() => INVITE.exec(hash.value)?.[1] ?? null);

/** The address with which somebody comes with an invite. */
export function inviteLink(code: string): string {
  return `${location.origin}/#invite=${code}`;
}

/** The address of a message, for who is in its conversation. */
export function linkTo(conversation: string, seq: number): string {
  return `${location.origin}/#${conversation}/${seq}`;
}

/** Whether an address leads to a place in this client. */
export function isPlace(url: string): boolean {
  return url.startsWith(`${location.origin}/#`) && PLACE.test(new URL(url).hash);
}

/** Copies a text; what is to be told of it: that it is done, or the text where a page may not. */
export async function copy(text: string): Promise<string> {
  const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  return copied ? t().copied : text;
}

/** Forgets it: one is there, or the invite is used. */
export function forgetPlace(): void {
  history.replaceState(history.state, "", location.pathname);
  hash.value = "";
}

/** Goes where the address of the page says, once somebody is signed in, and whenever it changes. */
export function followLinks(): void {
  const look = () => (hash.value = location.hash);
  look();
  window.addEventListener("hashchange", look);
  effect(() => {
    const [, conversation, seq] = PLACE.exec(hash.value) ?? [];
    const signedIn = client.value;
    if (!signedIn?.listing.listed.value || !(conversation || invite.value)) return;
    if (invite.value) untracked(() => tell(t().already_here));
    forgetPlace();
    if (conversation) untracked(() => void follow(signedIn, conversation, seq));
  });
}

async function follow(signedIn: Client, conversation: string, seq: string | undefined): Promise<void> {
  // Somebody may have been added a moment ago.
  if (!signedIn.get(conversation)) await signedIn.listing.read().catch(() => undefined);
  if (seq) await jumpTo(signedIn, conversation, Number(seq));
  else if (signedIn.get(conversation)) await signedIn.show(conversation);
  else tell(t().no_such_chat);
}
