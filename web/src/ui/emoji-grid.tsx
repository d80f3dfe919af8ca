import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Emoji, type Emojis, emojis, find, TONES } from "../core/emoji";
import { language, t } from "../texts";
import { keep } from "./state";

/** Emojis in a row. */
const COLUMNS = 8;
/** Emojis that are remembered as used. */
const RECENT = 24;
const ICONS = ["😀", "👋", "", "🐻", "🍎", "🚗", "⚽", "💡", "🔣", "🏁"];
const HAND = ["✋", "✋🏻", "✋🏼", "✋🏽", "✋🏾", "✋🏿"];

/** What picking an emoji comes to. */
export interface Picking {
  pick: (emoji: string) => void;
}

interface Section {
  id: string;
  name: string;
  icon: string;
  rows: Emoji[][];
}

function inRows(list: Emoji[]): Emoji[][] {
  return Array.from({ length: Math.ceil(list.length / COLUMNS) }, (_, row) => list.slice(row * COLUMNS, (row + 1) * COLUMNS));
}

/** All emojis by their groups, what was used lately before them; or those that are called as was typed. */
export function EmojiGrid({ pick }: Picking) {
  const known = useSignal<Emojis | "failed" | null>(null);
  const typed = useSignal("");
  const tone = useSignal(Number(keep.get("kith.emoji.tone")) % TONES);
  const grid = useRef<HTMLDivElement>(null);
  const spoken = language.value;

  useEffect(() => {
    emojis(spoken).then(
      (all) => (known.value = all),
      () => (known.value = "failed"),
    );
  }, [spoken]);

  if (known.value === "failed") return <p class="empty" role="alert">{t().unreachable}</p>;
  if (!known.value) return <p class="empty">…</p>;
  const { all, groups } = known.value;
  const recent = (JSON.parse(keep.get("kith.emoji.recent") ?? "[]") as string[]).flatMap((char) => all.find((emoji) => emoji.tones.includes(char)) ?? []);
  const found = typed.value.trim() ? find(all, typed.value) : null;
  const sections: Section[] = (
    found
      ? [{ id: "found", name: t().search, icon: "", rows: inRows(found) }]
      : [
          { id: "recent", name: t().recent, icon: "🕓", rows: inRows(recent) },
          ...groups.map(({ group, name }) => ({ id: `${group}`, name, icon: ICONS[group] ?? "", rows: inRows(all.filter((emoji) => emoji.group === group)) })),
        ]
  ).filter(({ rows }) => rows.length > 0);
  const shown = (emoji: Emoji) => emoji.tones[tone.value] ?? emoji.char;

  function choose(emoji: Emoji) {
    const char = shown(emoji);
    const used = [char, ...recent.filter((other) => other !== emoji).map(shown)];
    keep.set("kith.emoji.recent", JSON.stringify(used.slice(0, RECENT)));
    pick(char);
  }

  /** Goes to a place of the grid; the one that has the focus is the only one that Tab stops at. */
  function go(row: number, column: number): boolean {
    const line = grid.current?.querySelectorAll<HTMLElement>("[role=row]")[row];
    const cells = line?.querySelectorAll<HTMLElement>("button");
    const cell = cells?.[Math.min(Math.max(column, 0), cells.length - 1)];
    cell?.focus();
    return !!cell;
  }

  function press(event: KeyboardEvent) {
    const cell = (event.target as HTMLElement).closest<HTMLElement>("[role=gridcell]");
    const line = cell?.parentElement;
    if (!cell || !line || !grid.current) return;
    const row = [...grid.current.querySelectorAll("[role=row]")].indexOf(line);
    const column = [...line.children].indexOf(cell);
    const onwards = getComputedStyle(grid.current).direction === "rtl" ? -1 : 1;
    const across = { ArrowRight: onwards, ArrowLeft: -onwards }[event.key];
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (across) {
      const next = column + across;
      if (next < 0) go(row - 1, COLUMNS);
      else if (next >= line.children.length) go(row + 1, 0);
      else go(row, next);
    } else if (down) go(row + down, column);
    else if (event.key === "Home") go(row, 0);
    else if (event.key === "End") go(row, COLUMNS);
    else return;
    event.preventDefault();
  }

  function come(event: FocusEvent) {
    const cell = event.target as HTMLElement;
    for (const other of grid.current?.querySelectorAll<HTMLElement>('[tabindex="0"]') ?? []) other.tabIndex = -1;
    cell.tabIndex = 0;
  }

  return (
    <div class="emojis">
      <div class="emoji-tools">
        <input
          type="search"
          aria-label={t().search_emoji}
          placeholder={t().search_emoji}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            const first = sections[0]?.rows[0]?.[0];
            if (event.key === "ArrowDown") go(0, 0);
            else if (event.key === "Enter" && found && first) choose(first);
            else if (event.key !== "Enter") return;
            event.preventDefault();
          }}
        />
        <select
          aria-label={t().skin_tone}
          value={tone.value}
          onChange={(event) => {
            tone.value = Number(event.currentTarget.value);
            keep.set("kith.emoji.tone", String(tone.value));
          }}
        >
          {HAND.map((hand, index) => (
            <option key={hand} value={index}>
              {hand}
            </option>
          ))}
        </select>
      </div>
      {!found && (
        <div class="emoji-groups" role="group" aria-label={t().groups}>
          {sections.map(({ id, name, icon }) => (
            <button key={id} type="button" aria-label={name} title={name} onClick={() => grid.current?.querySelector(`[data-group="${id}"]`)?.scrollIntoView({ block: "start" })}>
              {icon}
            </button>
          ))}
        </div>
      )}
      <div class="emoji-grid" ref={grid} role="grid" aria-label={t().emoji} onKeyDown={press} onFocusIn={come}>
        {sections.map(({ id, name, rows }, at) => (
          <div key={id} role="rowgroup" aria-label={name} data-group={id} style={{ containIntrinsicBlockSize: `${rows.length * 2.5 + 1.5}rem` }}>
            <p class="emoji-group" aria-hidden="true">{name}</p>
            {rows.map((row, line) => (
              <div key={line} role="row">
                {row.map((emoji, column) => (
                  <button
                    key={emoji.char}
                    type="button"
                    role="gridcell"
                    tabIndex={at + line + column === 0 ? 0 : -1}
                    aria-label={emoji.name}
                    title={emoji.name}
                    onClick={() => choose(emoji)}
                  >
                    {shown(emoji)}
                  </button>
                ))}
              </div>
            ))}
          </div>
        ))}
      </div>
      <p class={found?.length === 0 ? "empty" : "spoken"} role="status">
        {found && (found.length === 0 ? t().no_emoji : t().emojis_found(found.length))}
      </p>
    </div>
  );
}
