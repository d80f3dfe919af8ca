// What people, conversations and files are called.
import type { Conversation } from "../core/conversation";
import type { Media, Profile } from "../core/types";
import { fileName, nameOrNull } from "../core/words";
import { t } from "../texts";
import { client } from "./state";

/** What somebody is called. */
export function nameOf(user: string): string {
  const signedIn = client.value;
  if (!signedIn) return "";
  if (user === signedIn.me.id) return t().you;
  const profile = signedIn.people.of(user).value;
  if (!profile) return "…";
  return profile.deleted ? t().deleted_user : personName(profile);
}

/** What somebody calls themselves, or their username where nobody would see that. */
export function personName({ display_name, username }: Profile): string {
  return nameOrNull(display_name) ?? username ?? "…";
}

/** What a file is called, if it has a name that is seen. */
export function mediaName({ name }: Media): string | undefined {
  return fileName(name) ?? undefined;
}

/** What a conversation is called. */
export function titleOf(conversation: Conversation): string {
  const { kind, peer_user, title } = conversation.item.value;
  if (kind === "direct") return peer_user ? nameOf(peer_user) : t().you;
  return nameOrNull(conversation.info.value?.title) ?? nameOrNull(title) ?? "…";
}
