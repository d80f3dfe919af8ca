import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Client } from "../core/client";
import { type Attachment, isLoading, type Unsent } from "../core/outbox";
import { t } from "../texts";
import { FileFace } from "./attachments";
import { room } from "./placeholder";

/** What a message shows that is not sent yet, how far it has come, and a way to take it back. */
export function Waiting({ signedIn, unsent }: { signedIn: Client; unsent: Unsent }) {
  const all = unsent.attachments ?? [];
  const pictures = all.filter((one) => one.width && one.type.startsWith("image/"));
  const rest = all.filter((one) => !pictures.includes(one));
  return (
    <div class="attachments">
      {pictures.length > 0 && (
        <div class={pictures.length > 1 ? `album ${pictures.length > 4 ? "many" : ""}` : ""}>
          {pictures.map((one) => (
            <WaitingPicture key={one.id} signedIn={signedIn} attachment={one} tile={pictures.length > 1} />
          ))}
        </div>
      )}
      {rest.map((one) => (
        <span key={one.id} class="file">
          <FileFace name={one.name ?? t().voice_message} type={one.type} bytes={one.size} />
        </span>
      ))}
      {isLoading(unsent) && !unsent.refused && <Progress signedIn={signedIn} unsent={unsent} />}
    </div>
  );
}

function WaitingPicture({ signedIn, attachment, tile }: { signedIn: Client; attachment: Attachment; tile: boolean }) {
  const url = useSignal<string | null>(null);
  useEffect(() => {
    let made: string | null = null;
    let late = false;
    void signedIn.uploads.blob(attachment.id).then((blob) => {
      if (!blob || late) return;
      made = URL.createObjectURL(blob);
      url.value = made;
    });
    return () => {
      late = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [attachment.id]);
  return (
    <span class="picture waiting-picture" style={tile ? {} : room(attachment.width ?? 1, attachment.height ?? 1)}>
      {url.value && <img src={url.value} alt={attachment.name ?? t().photo} />}
    </span>
  );
}

function Progress({ signedIn, unsent }: { signedIn: Client; unsent: Unsent }) {
  const all = unsent.attachments ?? [];
  const gone = signedIn.uploads.gone.value;
  const size = all.reduce((sum, one) => sum + one.size, 0);
  const sent = all.reduce((sum, one) => sum + (one.media ? one.size : Math.min(gone.get(one.id) ?? 0, one.size)), 0);
  const percent = size ? Math.floor((100 * sent) / size) : 0;
  return (
    <span class="progress">
      <span class="bar" role="progressbar" aria-label={t().sending} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
        <span style={{ inlineSize: `${percent}%` }} />
      </span>
      <button type="button" class="icon" aria-label={t().cancel_sending} title={t().cancel_sending} onClick={() => signedIn.outbox.drop(unsent.message.client_id)}>
        ✕
      </button>
    </span>
  );
}

/** Why a message was not sent, for the person. */
export function whyNot(unsent: Unsent): string {
  const why: Partial<Record<string, string>> = {
    too_large: t().file_too_large,
    // What it shows is there already: it is the text that is too much.
    quota_exceeded: isLoading(unsent) ? t().no_room : t().day_full,
    storage_full: t().not_sent_full,
    unsupported_media_type: t().not_what_it_says,
    lost: t().bytes_lost,
    internal: t().not_sent_damaged,
  };
  return (unsent.refused && why[unsent.refused]) || t().not_sent;
}
