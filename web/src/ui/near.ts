import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import type { MediaUrl } from "../core/types";

/** How far from the screen something counts as near it. */
const MARGIN = "600px";

/** Whether an element has come near the screen: only then is it worth asking for what it shows. */
export function useNear<E extends Element>(): [RefObject<E | null>, boolean] {
  const ref = useRef<E>(null);
  const near = useSignal(false);
  useEffect(() => {
    const element = ref.current;
    if (!element || near.value) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.value = true;
        observer.disconnect();
      },
      // What scrolls cuts off what is outside of it, and so the margin must be its own.
      { root: element.closest("[role=log]"), rootMargin: MARGIN },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, near.value];
}

/** The url of a media while it is near. It stays the same until it does not open any more, so that nothing loads twice. */
export function useUrl(signedIn: Client, media: string, near: boolean): { url: MediaUrl | null; broken: boolean; failed: () => void } {
  const pinned = useRef<MediaUrl | null>(null);
  const broken = useSignal<string | null>(null);
  if (near && (!pinned.current || pinned.current.url === broken.value)) pinned.current = signedIn.urls.of(media).value;
  const url = pinned.current;
  const failed = () => {
    broken.value = url?.url ?? null;
    signedIn.urls.doubt(media);
  };
  return { url, broken: !!url && url.url === broken.value, failed };
}
