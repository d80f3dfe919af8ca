import type { Signal } from "@preact/signals";
import type { Rest } from "../core/rest";
import type { ReadReceipt, ReadReceipts } from "../core/types";
import { t } from "../texts";
import { nameOf } from "./names";
import { Avatar, Dialog } from "./parts";
import { brief } from "./time";
import { orTell } from "./told";

interface Props {
  rest: Rest;
  message: string;
  known: Signal<ReadReceipts | null>;
}

/** Who got and read a message, as far as the pages are read, and how many did. Of a channel it is only known how many. */
export function Receipts({ rest, message, known }: Props) {
  if (!known.value) return null;
  const { items, next_cursor: cursor, delivered, read, total } = known.value;
  const groups = [
    { name: t().read_by, of: items.filter((item) => item.read), at: (item: ReadReceipt) => item.read_at },
    { name: t().delivered_to, of: items.filter((item) => item.delivered && !item.read), at: (item: ReadReceipt) => item.delivered_at },
    { name: t().sent_to, of: items.filter((item) => !item.delivered && !item.read), at: () => null },
  ];
  const more = async (cursor: string) => {
    const page = await rest.readReceipts(message, cursor);
    if (known.value) known.value = { ...page, items: [...items, ...page.items] };
  };
  return (
    <Dialog title={t().info} close={() => (known.value = null)}>
      {total !== undefined && items.length < total && <p>{t().receipts(read ?? 0, delivered ?? 0, total)}</p>}
      {groups
        .filter((group) => group.of.length > 0)
        .map((group) => (
          <section key={group.name}>
            <h3>{group.name}</h3>
            <ul class="people">
              {group.of.map((item) => (
                <li key={item.user}>
                  <Avatar of={item.user} name={nameOf(item.user)} />
                  <span dir="auto">{nameOf(item.user)}</span>
                  <small>{group.at(item) ? brief(group.at(item) ?? "") : ""}</small>
                </li>
              ))}
            </ul>
          </section>
        ))}
      {cursor && (
        <button type="button" onClick={() => orTell(more(cursor))}>
          {t().more}
        </button>
      )}
    </Dialog>
  );
}
