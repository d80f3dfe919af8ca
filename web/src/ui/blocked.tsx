import { useEffect } from "preact/hooks";
import type { Client } from "../core/client";
import { t } from "../texts";
import { nameOf } from "./names";
import { Avatar } from "./parts";

/** Whom one blocks, if anybody. */
export function Blocked({ signedIn, attempt }: { signedIn: Client; attempt: (what: () => Promise<unknown>) => Promise<void> }) {
  const { people } = signedIn;
  useEffect(() => void people.readBlocked().catch(() => undefined), []);
  const blocked = [...people.blocked.value];
  if (blocked.length === 0) return null;
  return (
    <>
      <h3>{t().blocked_people}</h3>
      <ul class="people">
        {blocked.map((user) => (
          <li key={user}>
            <Avatar of={user} name={nameOf(user)} />
            <span dir="auto">{nameOf(user)}</span>
            <button type="button" onClick={() => void attempt(() => people.block(user, false))}>
              {t().unblock}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
