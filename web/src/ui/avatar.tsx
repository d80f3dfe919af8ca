import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Client } from "../core/client";
import { square } from "../core/picture";
import { t } from "../texts";
import { Avatar } from "./parts";

/** The side of an avatar that is sent, in pixels. */
const SIDE = 512;

/** An avatar that may be changed: `set` gets a media, or nothing to remove it. */
export function AvatarField(props: { signedIn: Client; of: string; name: string; has: boolean; set: (media: string) => Promise<unknown>; explain: (error: unknown) => string }) {
  const { signedIn, of, name, has, set, explain } = props;
  const input = useRef<HTMLInputElement>(null);
  const busy = useSignal(false);
  const wrong = useSignal("");

  async function attempt(what: () => Promise<unknown>) {
    busy.value = true;
    wrong.value = "";
    try {
      await what();
    } catch (error) {
      wrong.value = explain(error);
    }
    busy.value = false;
  }

  async function choose(file: File) {
    const picture = await square(file, SIDE).catch(() => null);
    if (!picture) wrong.value = t().not_a_picture;
    else await attempt(async () => set((await signedIn.upload(picture)).id));
  }

  return (
    <div class="avatar-field">
      <Avatar of={of} name={name} />
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label={t().change_picture}
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          event.currentTarget.value = "";
          if (file) void choose(file);
        }}
      />
      <button type="button" disabled={busy.value} onClick={() => input.current?.click()}>
        {t().change_picture}
      </button>
      {has && (
        <button type="button" disabled={busy.value} onClick={() => void attempt(() => set(""))}>
          {t().remove_picture}
        </button>
      )}
      <p class="wrong" role="alert">
        {wrong.value}
      </p>
    </div>
  );
}
