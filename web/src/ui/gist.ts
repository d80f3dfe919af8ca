import { kindOf } from "../core/media";
import type { Media } from "../core/types";
import { fileName } from "../core/words";
import { t } from "../texts";

/** A message in one line: its text, and what it shows. */
export function gist(body: { text?: string; attachments?: Media[] }): string {
  const all = body.attachments ?? [];
  const [first] = all;
  if (!first) return body.text ?? "";
  const kind = kindOf(first);
  const icon = { picture: "📷", video: "🎬", voice: "🎤", audio: "🎵", file: "📎" }[kind];
  if (body.text) return `${icon} ${body.text}`;
  if (all.some((media) => kindOf(media) !== kind)) return `📎 ${t().attachments(all.length)}`;
  if (kind === "picture") return `${icon} ${all.length > 1 ? t().photos(all.length) : t().photo}`;
  const word = { video: t().video, voice: t().voice_message, audio: t().audio, file: t().file }[kind];
  return `${icon} ${kind === "video" ? word : (fileName(first.name) ?? word)}`;
}
