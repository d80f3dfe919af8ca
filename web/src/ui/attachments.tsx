import { useMemo } from "preact/hooks";
import type { Client } from "../core/client";
import { kindOf } from "../core/media";
import type { Media } from "../core/types";
import { t } from "../texts";
import { lightbox } from "./lightbox";
import { useNear, useUrl } from "./near";
import { mediaName } from "./names";
import { placeholder, room } from "./placeholder";
import { size } from "./size";
import { Voice } from "./voice";

/** A picture that moves is shown as it is up to this size, in bytes. */
const MOVES_BYTES = 4 * 1024 * 1024;

/** What a message shows besides its text. */
export function Attachments({ signedIn, all }: { signedIn: Client; all: Media[] }) {
  const pictures = all.filter((media) => kindOf(media) === "picture");
  const rest = all.filter((media) => kindOf(media) !== "picture");
  return (
    <div class="attachments">
      {pictures.length > 1 ? (
        <div class={`album ${pictures.length > 4 ? "many" : ""}`}>
          {pictures.map((media) => (
            <Picture key={media.id} signedIn={signedIn} media={media} tile />
          ))}
        </div>
      ) : (
        pictures.map((media) => <Picture key={media.id} signedIn={signedIn} media={media} />)
      )}
      {rest.map((media) => {
        const kind = kindOf(media);
        if (kind === "video") return <Video key={media.id} signedIn={signedIn} media={media} />;
        if (kind === "voice") return <Voice key={media.id} signedIn={signedIn} media={media} />;
        if (kind === "audio") return <Audio key={media.id} signedIn={signedIn} media={media} />;
        return <FileCard key={media.id} signedIn={signedIn} media={media} />;
      })}
    </div>
  );
}

function Picture({ signedIn, media, tile }: { signedIn: Client; media: Media; tile?: boolean }) {
  const [ref, near] = useNear<HTMLButtonElement>();
  const { url, broken, failed } = useUrl(signedIn, media.id, near);
  const blurred = useMemo(() => placeholder(media.thumbhash), [media.thumbhash]);
  const name = mediaName(media) ?? t().photo;
  const moves = media.content_type === "image/gif" && media.size <= MOVES_BYTES && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  const source = url && (moves ? url.url : (url.thumbnail_url ?? url.url));
  const style = { ...(tile ? {} : room(media.width ?? 1, media.height ?? 1)), ...(blurred ? { backgroundImage: `url(${blurred})` } : {}) };
  return (
    <button ref={ref} type="button" class="picture" style={style} aria-haspopup="dialog" aria-label={t().open_picture(name)} title={name} onClick={() => (lightbox.value = media.id)}>
      {source && !broken && <img src={source} alt="" decoding="async" draggable={false} onError={failed} />}
    </button>
  );
}

function Video({ signedIn, media }: { signedIn: Client; media: Media }) {
  const [ref, near] = useNear<HTMLDivElement>();
  const { url, broken, failed } = useUrl(signedIn, media.id, near);
  if (broken) return <FileCard signedIn={signedIn} media={media} note={t().cannot_play} />;
  return (
    <div ref={ref} class="video">
      {url && <video src={url.url} controls playsInline preload="metadata" aria-label={mediaName(media) ?? t().video} onError={failed} />}
    </div>
  );
}

function Audio({ signedIn, media }: { signedIn: Client; media: Media }) {
  const [ref, near] = useNear<HTMLDivElement>();
  const { url, broken, failed } = useUrl(signedIn, media.id, near);
  if (broken) return <FileCard signedIn={signedIn} media={media} note={t().cannot_play} />;
  return (
    <div ref={ref} class="audio">
      <span dir="auto">{mediaName(media)}</span>
      {url && <audio src={url.url} controls preload="metadata" aria-label={mediaName(media) ?? t().audio} onError={failed} />}
    </div>
  );
}

function icon(type: string): string {
  if (type.startsWith("image/")) return "🖼";
  if (type.startsWith("video/")) return "🎬";
  if (type.startsWith("audio/")) return "🎵";
  if (type === "application/pdf") return "📕";
  if (type.startsWith("text/")) return "📄";
  if (/zip|tar|compressed|rar/.test(type)) return "🗜";
  return "📎";
}

/** Any file: what it is called, how large it is, and a way to get it. */
export function FileFace({ name, type, bytes, note }: { name: string; type: string; bytes: number; note?: string | undefined }) {
  return (
    <>
      <span class="file-icon" aria-hidden="true">
        {icon(type)}
      </span>
      <span class="file-words">
        <strong dir="auto">{name}</strong>
        <small>
          {size(bytes)}
          {note && ` · ${note}`}
        </small>
      </span>
    </>
  );
}

function FileCard({ signedIn, media, note }: { signedIn: Client; media: Media; note?: string }) {
  const [ref, near] = useNear<HTMLAnchorElement>();
  const { url } = useUrl(signedIn, media.id, near);
  const name = mediaName(media) ?? t().file;
  return (
    <a ref={ref} class="file" href={url?.url} download={name} title={t().download}>
      <FileFace name={name} type={media.content_type} bytes={media.size} note={note} />
      <span class="file-get" aria-hidden="true">
        ⤓
      </span>
      <span class="spoken">{t().download}</span>
    </a>
  );
}
