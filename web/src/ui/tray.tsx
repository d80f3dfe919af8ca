import { signal, useSignal } from "@preact/signals";
import type { Client } from "../core/client";
import { renamed, type Scaled, scaled } from "../core/picture";
import type { Info } from "../core/types";
import { type Outgoing, WAITING_BYTES } from "../core/uploads";
import { t } from "../texts";
import { FileFace } from "./attachments";
import { size } from "./size";

/** Files of a message where the server does not say. */
const MOST = 32;

/** A file that was chosen for the next message. */
interface Picked {
  key: number;
  file: File;
  /** Shows it, where it is a picture. */
  preview: string | null;
  scaled: Promise<Scaled | null>;
}

/** What goes with the next message. */
export class Tray {
  readonly picked = signal<Picked[]>([]);
  /** Whether pictures go as they are. */
  readonly original = signal(false);
  readonly wrong = signal("");
  private keys = 0;

  /** Takes files, as many and as large as a message may have. */
  async add(signedIn: Client, files: Iterable<File>): Promise<void> {
    const { attachments: most = MOST, media_bytes = 0, upload_bytes = 0 }: Partial<Info["limits"]> = await signedIn.rest.limits().catch(() => ({}));
    const largest = Math.max(media_bytes, upload_bytes) || Number.POSITIVE_INFINITY;
    this.wrong.value = "";
    for (const file of files) {
      const waiting = this.picked.value.reduce((sum, one) => sum + one.file.size, signedIn.uploads.bytes);
      if (this.picked.value.length >= most) this.wrong.value = t().too_many_files(most);
      else if (waiting + file.size > WAITING_BYTES) this.wrong.value = t().too_much_waiting;
      else if (file.size > largest) this.wrong.value = t().larger_than(file.name, size(largest));
      else if (file.size === 0) this.wrong.value = t().empty_file(file.name);
      else this.take(file);
    }
  }

  remove(key: number): void {
    for (const one of this.picked.value) if (one.key === key && one.preview) URL.revokeObjectURL(one.preview);
    this.picked.value = this.picked.value.filter((one) => one.key !== key);
  }

  clear(): void {
    for (const { key } of this.picked.value) this.remove(key);
    this.original.value = false;
    this.wrong.value = "";
  }

  /** What is sent of it. */
  async outgoing(): Promise<Outgoing[]> {
    const original = this.original.value;
    return Promise.all(
      this.picked.value.map(async ({ file, scaled }) => {
        const small = await scaled;
        if (!small) return { blob: file, name: file.name };
        const { width, height } = small;
        if (original || small.blob === file) return { blob: file, name: file.name, width, height };
        return { blob: small.blob, name: renamed(file.name, small.blob.type), width, height };
      }),
    );
  }

  private take(file: File): void {
    const picture = file.type.startsWith("image/") && file.type !== "image/svg+xml";
    this.keys += 1;
    this.picked.value = [...this.picked.value, { key: this.keys, file, preview: picture ? URL.createObjectURL(file) : null, scaled: scaled(file) }];
  }
}

/** What goes with the next message, above where one writes. */
export function TrayView({ tray }: { tray: Tray }) {
  const picked = tray.picked.value;
  const pictures = picked.some(({ preview }) => preview);
  return (
    <div class="tray">
      {tray.wrong.value && (
        <p class="wrong" role="alert">
          {tray.wrong.value}
        </p>
      )}
      {picked.length > 0 && (
        <ul aria-label={t().attached}>
          {picked.map((one) => (
            <li key={one.key}>
              {one.preview ? (
                <Preview key={one.key} url={one.preview} file={one.file} />
              ) : (
                <span class="file">
                  <FileFace name={one.file.name} type={one.file.type} bytes={one.file.size} />
                </span>
              )}
              <button type="button" class="icon tray-remove" aria-label={t().remove_file(one.file.name)} title={t().remove} onClick={() => tray.remove(one.key)}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      {pictures && (
        <label class="check">
          <input type="checkbox" checked={tray.original.value} onChange={(event) => (tray.original.value = event.currentTarget.checked)} />
          <span>{t().original}</span>
        </label>
      )}
    </div>
  );
}

function Preview({ url, file }: { url: string; file: File }) {
  const broken = useSignal(false);
  const face = (
    <span class="file">
      <FileFace name={file.name} type={file.type} bytes={file.size} />
    </span>
  );
  return broken.value ? face : <img class="tray-picture" src={url} alt={`${file.name}, ${size(file.size)}`} onError={() => (broken.value = true)} />;
}
