// Which texts are one emoji, which are seen, and how those are shown that were stored before that was asked. The server and
// the terminal have the same rules (`emoji` and `visible` of the protocol); all pass `protocol/vectors/words.json`.

/** Bytes of an emoji. */
const EMOJI_BYTES = 64;
const JOINER = "\u200d";
/** Asks for the picture of the character before it, and changes nothing else. */
const PRESENTATION = "\ufe0f";
const FLAG = /^(?:\p{RI}{2}|\u{1f3f4}[\u{e0020}-\u{e007e}]+\u{e007f})$/u;
const KEYCAP = /^[\d#*]\ufe0f?\u20e3$/u;
const PICTOGRAPH = /^(\p{Extended_Pictographic})(?:\ufe0f|(\p{Emoji_Modifier}))?$/u;
const IS_TEXT = /^(?=\p{Emoji})\P{Emoji_Presentation}/u;

const SHOWS = /[^\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{M}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}\ufff9-\ufffb]/u;
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu;
const NOT_IN_FILES = /(?![\u200c-\u200f\p{M}])[\p{Cc}\u2028\u2029\p{Default_Ignorable_Code_Point}\u2800\u{1d159}\ufff9-\ufffb]/gu;

const PDF = "\u202c";
const PDI = "\u2069";
const OPENERS: Partial<Record<string, string>> = {
  "\u202a": PDF,
  "\u202b": PDF,
  "\u202d": PDF,
  "\u202e": PDF,
  "\u2066": PDI,
  "\u2067": PDI,
  "\u2068": PDI,
};

/** The fully qualified form (UTS #51, ED-18) of a text that is one emoji; null for any other. */
export function qualified(text: string): string | null {
  if (new TextEncoder().encode(text).length > EMOJI_BYTES) return null;
  if (FLAG.test(text)) return text;
  if (KEYCAP.test(text)) return `${text.charAt(0)}${PRESENTATION}\u20e3`;
  const parts = text.split(JOINER).map((part) => {
    const [, base, tone] = PICTOGRAPH.exec(part) ?? [];
    return base ? base + (tone ?? (IS_TEXT.test(base) ? PRESENTATION : "")) : null;
  });
  return parts.includes(null) ? null : parts.join(JOINER);
}

/** Whether these are forms of one emoji, which differ in U+FE0F at most. */
export function isSame(one: string, other: string): boolean {
  return one === other || one.replaceAll(PRESENTATION, "") === other.replaceAll(PRESENTATION, "");
}

/** Whether a text has a grapheme that is seen. */
export function isVisible(text: string): boolean {
  return SHOWS.test(text);
}

/** The text with its bidi controls balanced: those that close nothing left out, those that are missing at the end of their line. */
export function closed(text: string): string {
  const open: string[] = [];
  let out = "";
  const close = (until: number) => {
    while (open.length > until) out += open.pop();
  };
  for (const char of text) {
    const closer = OPENERS[char];
    if (closer) open.push(closer);
    else if (char === PDF && open.at(-1) === PDF) open.pop();
    else if (char === PDI && open.includes(PDI)) {
      close(open.lastIndexOf(PDI) + 1);
      open.pop();
    } else if (char === PDF || char === PDI) continue;
    else if (char === "\n") close(0);
    out += char;
  }
  close(0);
  return out;
}

/** A stored name or title as it may be shown, in one line; null where it would not be seen. */
export function nameOrNull(text: string | null | undefined): string | null {
  const line = (text ?? "").replace(CONTROLS, "");
  return isVisible(line) ? closed(line) : null;
}

/** The name of a file without what is not seen; null where nothing is. */
export function fileName(name: string | null | undefined): string | null {
  const kept = (name ?? "").replace(NOT_IN_FILES, "");
  return isVisible(kept) ? kept : null;
}
