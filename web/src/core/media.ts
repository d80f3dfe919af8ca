import { type Signal, signal } from "@preact/signals";
import { now as serverNow } from "./now";
import { Refused, type Rest } from "./rest";
import type { Media, MediaUrl } from "./types";

/** How long before its end a url is not given any more, in milliseconds. */
const SPARE_MS = 5 * 60_000;
/** How long a url is good for at least, whatever this device's clock says, in milliseconds. */
const GOOD_MS = 60_000;
/** Urls that are asked for at a time. */
const AT_ONCE = 4;
/** Until one is asked for again after that did not work, in milliseconds. */
const AGAIN_MS = 5_000;
/** Urls that are remembered. */
const REMEMBERED = 1_000;

/** What kind of thing a media is to a person. */
export type MediaKind = "picture" | "video" | "voice" | "audio" | "file";

/** What a media is to a person. A recording without a name is a voice message. */
export function kindOf(media: Pick<Media, "content_type" | "name" | "width" | "height">): MediaKind {
  const [family] = media.content_type.split("/");
  if (family === "image" && media.width && media.height) return "picture";
  if (family === "video") return "video";
  if (family === "audio") return media.name ? "audio" : "voice";
  return "file";
}

interface Known {
  url: Signal<MediaUrl | null>;
  /** When it was asked for, and until when it is given, by the server's time. */
  asked: number;
  until: number;
  state: "here" | "asking" | "failed" | "gone";
}

/** Urls that open media for a while, asked for when somebody is about to look, and kept until shortly before they end. */
export class Urls {
  private readonly known = new Map<string, Known>();
  private readonly waiting: string[] = [];
  private asking = 0;

  constructor(
    private readonly rest: Pick<Rest, "mediaUrl">,
    private readonly now: () => number = serverNow,
  ) {}

  /** The url of a media, which comes when it has come. */
  of(media: string): Signal<MediaUrl | null> {
    let known = this.known.get(media);
    if (!known) {
      known = { url: signal<MediaUrl | null>(null), asked: 0, until: 0, state: "here" };
      this.known.set(media, known);
      const [oldest] = this.known.keys();
      if (this.known.size > REMEMBERED && oldest) this.known.delete(oldest);
    }
    if (known.state === "here" && known.until <= this.now()) {
      known.state = "asking";
      known.asked = this.now();
      this.waiting.push(media);
      this.next();
    }
    return known.url;
  }

  /** A url did not open: it is asked for anew, unless it is quite new. */
  doubt(media: string): void {
    const known = this.known.get(media);
    if (!known || this.now() - known.asked < GOOD_MS) return;
    known.until = 0;
    this.of(media);
  }

  /** The network is back: asks again for what was not told. */
  again(): void {
    for (const [media, known] of this.known) {
      if (known.state !== "failed") continue;
      known.state = "here";
      this.of(media);
    }
  }

  private next(): void {
    while (this.asking < AT_ONCE) {
      const media = this.waiting.shift();
      if (media === undefined) return;
      this.asking += 1;
      void this.ask(media).finally(() => {
        this.asking -= 1;
        this.next();
      });
    }
  }

  private async ask(media: string): Promise<void> {
    const known = this.known.get(media);
    if (!known) return;
    try {
      const url = await this.rest.mediaUrl(media);
      known.until = Math.max(this.now() + GOOD_MS, Date.parse(url.expires_at) - SPARE_MS);
      known.state = "here";
      known.url.value = url;
    } catch (error) {
      known.until = 0;
      known.state = error instanceof Refused && !error.problem.retryable ? "gone" : "failed";
      if (known.state === "failed" && error instanceof Refused) setTimeout(() => this.again(), AGAIN_MS);
    }
  }
}
