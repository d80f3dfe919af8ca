// What stands where a picture will be.
import { thumbHashToDataURL } from "thumbhash";

/** The room of one picture, in pixels. */
const WIDE = 352;
const HIGH = 400;
const NARROW = 96;

/** The few bytes that stand for a picture until it is there, as an image. */
export function placeholder(thumbhash: string | null | undefined): string | null {
  if (!thumbhash) return null;
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (char) => char.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** The room that a picture takes, which is known before it is there. */
export function room(width: number, height: number): { inlineSize: string; aspectRatio: string } {
  const ratio = Math.min(Math.max(width / height, 0.5), 3);
  const wide = Math.max(NARROW, Math.min(WIDE, HIGH * ratio, width));
  return { inlineSize: `${Math.round(wide)}px`, aspectRatio: String(ratio) };
}
