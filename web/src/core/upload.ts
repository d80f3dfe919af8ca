import { Refused, type Rest, Unreachable } from "./rest";
import type { Media, Problem } from "./types";

/** Up to this size all bytes go in one request; larger ones go in parts, which can be resumed. In bytes. */
const DIRECT_BYTES = 1024 * 1024;
/** How long nothing may come of an upload, in milliseconds. */
const SILENT_MS = 60_000;
const VERSION = "1.0.0";

/** What is sent, and who wants to know how it goes. */
export interface Sending {
  blob: Blob;
  name?: string | undefined;
  type: string;
  /** Where it was begun to be sent in parts. */
  upload?: string | undefined;
  /** It was tried before. */
  again: boolean;
  /** So many bytes have gone. */
  progress: (bytes: number) => void;
  /** It is sent in parts, to this url. */
  begun: (upload: string) => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** What gives the server bytes. */
export interface Uploader {
  /** Sends bytes. Throws `Refused` or `Unreachable`, or what the signal was aborted with. */
  send(sending: Sending): Promise<Media>;
  /** Has the server forget what was begun. */
  forget(upload: string): Promise<void>;
}

/** Refused here, since the server would only hang up. */
function tooLarge(): Refused {
  return new Refused({ type: "about:blank", title: "too large", status: 413, code: "too_large", retryable: false, request_id: "" });
}

/** What the server's answer to bytes means. */
function failure(status: number, body: string): Error {
  try {
    const problem = JSON.parse(body) as Problem;
    if (status >= 400 && problem.code) return new Refused(problem);
  } catch {
    // No problem document: somebody between us has answered.
  }
  return new Unreachable(`the server answered ${status}`);
}

/** Sends to a server: in one request what is small, by tus 1.0 (https://tus.io) what is not. */
export class HttpUploader implements Uploader {
  constructor(private readonly rest: Rest) {}

  async send(sending: Sending): Promise<Media> {
    const { media_bytes = 0, upload_bytes = 0 } = await this.rest.limits();
    const most = Math.max(media_bytes, upload_bytes);
    if (most && sending.blob.size > most) throw tooLarge();
    // What was interrupted once goes in parts, so that a slow network need not bring all of it at a time.
    const whole = (sending.blob.size <= DIRECT_BYTES && !sending.again && !sending.upload) || !upload_bytes;
    return this.watched(sending, (watched) => (whole ? this.whole(watched) : this.parts(watched)));
  }

  async forget(upload: string): Promise<void> {
    const headers = { Authorization: `Bearer ${this.rest.token}`, "Tus-Resumable": VERSION };
    // What does not arrive is forgotten by itself, later.
    await fetch(new URL(upload, this.rest.base), { method: "DELETE", headers }).catch(() => undefined);
  }

  /** Ends what makes no progress: a network can die without a word. */
  private async watched(sending: Sending, send: (sending: Sending) => Promise<Media>): Promise<Media> {
    const silent = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(new Unreachable("nothing comes of it")), SILENT_MS);
    };
    wait();
    try {
      const progress = (bytes: number) => {
        wait();
        sending.progress(bytes);
      };
      return await send({ ...sending, progress, signal: AbortSignal.any([sending.signal, silent.signal]) });
    } finally {
      clearTimeout(timer);
    }
  }

  private whole({ blob, name, type, progress, signal }: Sending): Promise<Media> {
    const url = new URL("/v1/media", this.rest.base);
    if (name) url.searchParams.set("name", name);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", url);
      request.setRequestHeader("Authorization", `Bearer ${this.rest.token}`);
      request.setRequestHeader("Content-Type", type || "application/octet-stream");
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () => (request.status === 201 ? resolve(JSON.parse(request.responseText) as Media) : reject(failure(request.status, request.responseText)));
      request.onerror = () => reject(new Unreachable("the server does not answer"));
      signal.addEventListener("abort", () => {
        request.abort();
        reject(signal.reason);
      });
      if (signal.aborted) reject(signal.reason);
      else request.send(blob);
    });
  }

  private async parts({ blob, name, type, upload, progress, begun, signal }: Sending): Promise<Media> {
    // What cannot be loaded now is not there without a network.
    const tus = await import("tus-js-client").catch((cause: unknown) => {
      throw new Unreachable("a part of the client is missing", { cause });
    });
    const url = await new Promise<string>((resolve, reject) => {
      const sending = new tus.Upload(blob, {
        endpoint: new URL("/v1/uploads", this.rest.base).href,
        uploadUrl: upload ? new URL(upload, this.rest.base).href : null,
        headers: { Authorization: `Bearer ${this.rest.token}` },
        metadata: { filetype: type || "application/octet-stream", ...(name ? { filename: name } : {}) },
        // Who waits and tries again is the queue; and where it was begun stands in the outbox.
        retryDelays: null,
        storeFingerprintForResuming: false,
        onProgress: progress,
        onUploadUrlAvailable: () => sending.url && begun(new URL(sending.url).pathname),
        onSuccess: () => resolve(sending.url ?? ""),
        onError: (error) => {
          const answer = "originalResponse" in error ? error.originalResponse : null;
          reject(answer ? failure(answer.getStatus(), answer.getBody()) : new Unreachable("the server does not answer", { cause: error }));
        },
      });
      signal.addEventListener("abort", () => {
        void sending.abort();
        reject(signal.reason);
      });
      if (signal.aborted) reject(signal.reason);
      else sending.start();
    });
    const { media } = await this.rest.upload(new URL(url).pathname);
    if (!media) throw new Unreachable("it has not ended");
    return media;
  }
}
