import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import type { Conversation } from "../core/conversation";
import { kindOf } from "../core/media";
import type { Media } from "../core/types";
import { t } from "../texts";
import { useUrl } from "./near";
import { mediaName } from "./names";
import { placeholder } from "./placeholder";

const ZOOMS = [1, 1.5, 2.5, 4, 6];
/** How far a finger goes for the next picture, in pixels. */
const SWIPE = 50;

/** The picture that is shown large. */
export const lightbox = signal<string | null>(null);

/** A picture over everything, and those before and behind it in the chat. */
export function Lightbox({ signedIn, conversation }: { signedIn: Client; conversation: Conversation }) {
  useEffect(() => () => void (lightbox.value = null), []);
  if (lightbox.value === null) return null;
  const shown = conversation.messages.value.flatMap((message) => (message.kind === "message" ? (message.body.attachments ?? []) : []));
  const all = shown.filter((media) => kindOf(media) === "picture");
  const index = all.findIndex((media) => media.id === lightbox.value);
  const media = all[index];
  return media ? <Large signedIn={signedIn} all={all} index={index} media={media} /> : null;
}

function Large({ signedIn, all, index, media }: { signedIn: Client; all: Media[]; index: number; media: Media }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const zoom = useSignal(0);
  const touched = useRef(0);
  const name = mediaName(media) ?? t().photo;
  // Closing, and not taking away, gives the focus back to where it was.
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  const go = (by: number) => {
    const to = all[index + by];
    if (!to) return;
    zoom.value = 0;
    lightbox.value = to.id;
  };
  const closer = (by: number) => (zoom.value = Math.min(Math.max(zoom.value + by, 0), ZOOMS.length - 1));

  function press(event: KeyboardEvent) {
    const forward = dialog.current && getComputedStyle(dialog.current).direction === "rtl" ? -1 : 1;
    if (event.key === "+" || event.key === "=") closer(1);
    else if (event.key === "-") closer(-1);
    else if (event.key === "0") zoom.value = 0;
    // Enlarged, arrows move the picture.
    else if (zoom.value > 0) return;
    else if (event.key === "ArrowRight") go(forward);
    else if (event.key === "ArrowLeft") go(-forward);
    else return;
    event.preventDefault();
  }

  return (
    <dialog ref={dialog} class="lightbox" aria-label={name} onClose={() => (lightbox.value = null)} onKeyDown={press}>
      <header>
        <span class="lightbox-name" dir="auto">
          {name}
        </span>
        {all.length > 1 && <small aria-live="polite">{t().picture_of(index + 1, all.length)}</small>}
        <button type="button" class="icon" aria-label={t().zoom_out} title={t().zoom_out} disabled={zoom.value === 0} onClick={() => closer(-1)}>
          −
        </button>
        <button type="button" class="icon" aria-label={t().zoom_in} title={t().zoom_in} disabled={zoom.value === ZOOMS.length - 1} onClick={() => closer(1)}>
          +
        </button>
        <Download signedIn={signedIn} media={media} name={name} />
        <button type="button" class="icon" aria-label={t().close} title={t().close} onClick={close}>
          ✕
        </button>
      </header>
      <div
        class="stage"
        tabIndex={zoom.value > 0 ? 0 : undefined}
        onDblClick={() => (zoom.value = zoom.value > 0 ? 0 : 2)}
        onWheel={(event) => {
          if (!event.ctrlKey && zoom.value > 0) return;
          event.preventDefault();
          closer(event.deltaY < 0 ? 1 : -1);
        }}
        onTouchStart={(event) => (touched.current = event.touches[0]?.clientX ?? 0)}
        onTouchEnd={(event) => {
          const moved = (event.changedTouches[0]?.clientX ?? 0) - touched.current;
          if (zoom.value === 0 && Math.abs(moved) > SWIPE) go(moved < 0 ? 1 : -1);
        }}
      >
        <Whole key={media.id} signedIn={signedIn} media={media} name={name} zoom={ZOOMS[zoom.value] ?? 1} />
      </div>
      {index > 0 && (
        <button type="button" class="icon step before" aria-label={t().previous} title={t().previous} onClick={() => go(-1)}>
          ‹
        </button>
      )}
      {index < all.length - 1 && (
        <button type="button" class="icon step after" aria-label={t().next} title={t().next} onClick={() => go(1)}>
          ›
        </button>
      )}
    </dialog>
  );
}

function Whole({ signedIn, media, name, zoom }: { signedIn: Client; media: Media; name: string; zoom: number }) {
  const { url, failed } = useUrl(signedIn, media.id, true);
  const blurred = useMemo(() => placeholder(media.thumbhash), [media.thumbhash]);
  const style = { inlineSize: `${zoom * 100}%`, blockSize: `${zoom * 100}%` };
  // What is small already is there at once, and the whole over it when it has come.
  const before = url?.thumbnail_url ?? blurred;
  return (
    <div class="whole" style={style}>
      {before && <img src={before} alt="" aria-hidden="true" />}
      {url && <img src={url.url} alt={name} onError={failed} />}
    </div>
  );
}

function Download({ signedIn, media, name }: { signedIn: Client; media: Media; name: string }) {
  const { url } = useUrl(signedIn, media.id, true);
  return (
    <a class="icon" href={url?.url} download={name} aria-label={t().download} title={t().download}>
      ⤓
    </a>
  );
}
