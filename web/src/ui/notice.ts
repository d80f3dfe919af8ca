import type { Entry } from "../core/types";
import { t } from "../texts";
import { nameOf } from "./names";

/** What an entry that is no message says; nothing for kinds that this client does not know. */
export function notice(entry: Entry): string {
  switch (entry.kind) {
    case "created":
      return t().created(nameOf(entry.sender));
    case "member_added":
      return entry.body.by === entry.body.user ? t().joined(nameOf(entry.body.user)) : t().added(nameOf(entry.body.by), nameOf(entry.body.user));
    case "member_removed":
      return entry.body.by === entry.body.user ? t().left(nameOf(entry.body.user)) : t().removed(nameOf(entry.body.by), nameOf(entry.body.user));
    case "role_changed":
      return t().role_changed(nameOf(entry.body.user), t()[entry.body.role]);
    case "conversation_changed":
      return t().changed(nameOf(entry.sender));
    default:
      return "";
  }
}
