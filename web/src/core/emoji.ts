import type { CompactEmoji, MessagesDataset } from "emojibase";

/** How dark hands and faces are, from light to dark; 0 is yellow. */
export const TONES = 6;
/** The group of parts, such as colours of hair, that nobody writes alone. */
const PARTS = 2;

/** One emoji as people look for it. */
export interface Emoji {
  char: string;
  name: string;
  group: number;
  /** By tone; only itself where it has no skin. */
  tones: string[];
  /** What it is found by. */
  words: string[];
}

/** All emojis in Unicode's order, and what their groups are called. */
export interface Emojis {
  all: Emoji[];
  groups: { group: number; name: string }[];
}

const sources = {
  en: () => Promise.all([import("emojibase-data/en/compact.json"), import("emojibase-data/en/messages.json")]),
  de: () => Promise.all([import("emojibase-data/de/compact.json"), import("emojibase-data/de/messages.json")]),
};

/** Reads the emojis with their names in a language, which are too many for the first load. */
export async function emojis(language: keyof typeof sources): Promise<Emojis> {
  const [{ default: all }, { default: texts }] = await sources[language]();
  return sorted(all, texts);
}

export function sorted(all: CompactEmoji[], { groups }: Pick<MessagesDataset, "groups">): Emojis {
  return {
    all: all
      .filter(({ group }) => group !== undefined && group !== PARTS)
      .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
      .map(({ unicode, label, group, skins, tags }) => ({
        char: unicode,
        name: label,
        group: group ?? 0,
        // Where there are two people, the first are those of one tone.
        tones: [unicode, ...(skins ?? []).slice(0, TONES - 1).map((skin) => skin.unicode)],
        words: [label, ...(tags ?? [])].flatMap((text) => plain(text).split(/[^\p{L}\p{N}]+/u)),
      })),
    groups: groups.filter(({ order }) => order !== PARTS).map(({ order, message }) => ({ group: order, name: message })),
  };
}

/** Those of which each word that was typed begins a word. */
export function find(all: Emoji[], typed: string): Emoji[] {
  const wanted = plain(typed).split(/\s+/).filter(Boolean);
  return all.filter((emoji) => emoji.char === typed.trim() || wanted.every((word) => emoji.words.some((other) => other.startsWith(word))));
}

function plain(text: string): string {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}
