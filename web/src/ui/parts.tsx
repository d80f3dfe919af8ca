// The small pieces that every view is made of.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import { t } from "../texts";
import { useNear, useUrl } from "./near";
import { client } from "./state";

const COLOURS = 8;

/** The picture of a user or a conversation: its media. */
function pictureOf(signedIn: Client, of: string): string | null {
  if (of.startsWith("user_")) return signedIn.people.of(of).value?.avatar ?? null;
  return signedIn.get(of)?.item.value.avatar ?? null;
}

/** The face of a user or a conversation: their picture, over a letter. */
export function Avatar({ of, name }: { of: string; name: string }) {
  let sum = 0;
  for (const char of of) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  const signedIn = client.value;
  const picture = signedIn && pictureOf(signedIn, of);
  return (
    <span class={`avatar colour-${sum % COLOURS}`} aria-hidden="true">
      {[...name.trim()][0]?.toUpperCase() ?? "?"}
      {signedIn && picture && <AvatarPicture key={picture} signedIn={signedIn} media={picture} />}
    </span>
  );
}

function AvatarPicture({ signedIn, media }: { signedIn: Client; media: string }) {
  const [ref, near] = useNear<HTMLSpanElement>();
  const { url, broken, failed } = useUrl(signedIn, media, near);
  return (
    <span ref={ref} class="avatar-picture">
      {url && !broken && <img src={url.thumbnail_url ?? url.url} alt="" decoding="async" draggable={false} onError={failed} />}
    </span>
  );
}

/** A dialog over everything; the browser keeps the focus in it and closes it on Escape. */
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} aria-label={title} onClose={close} onClick={(event) => event.target === ref.current && close()}>
      <header>
        <h2 dir="auto">{title}</h2>
        <button type="button" class="icon" aria-label={t().close} onClick={close}>
          ✕
        </button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

export function Field({ label, ...rest }: { label: string } & Record<string, unknown>) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...rest} />
    </label>
  );
}
