import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Client } from "../core/client";
import type { Media } from "../core/types";
import { peaks, wave } from "../core/wave";
import { t } from "../texts";
import { useNear, useUrl } from "./near";
import { seconds } from "./size";

const BARS = 48;
/** The largest recording that is read to draw its waveform, in bytes; larger ones get the browser's own player. */
const DRAWN_BYTES = 4 * 1024 * 1024;
/** Samples a second: enough for a voice. */
const RATE = 24_000;
const SPEEDS = [1, 1.5, 2];

interface Decoded {
  bars: number[];
  samples: Float32Array;
  duration: number;
}

/** The one that is heard: another one stops it. */
let heard: HTMLAudioElement | null = null;

async function decode(bytes: ArrayBuffer): Promise<Decoded> {
  const buffer = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  const samples = buffer.getChannelData(0);
  return { bars: peaks(samples, BARS), samples, duration: buffer.duration };
}

/** A voice message: its waveform is its slider. */
export function Voice({ signedIn, media }: { signedIn: Client; media: Media }) {
  const [ref, near] = useNear<HTMLDivElement>();
  const { url, broken, failed } = useUrl(signedIn, media.id, near);
  const decoded = useSignal<Decoded | null>(null);
  const plain = useSignal(media.size > DRAWN_BYTES);
  const opens = url?.url;
  useEffect(() => {
    if (!opens || plain.value || decoded.value) return;
    let late = false;
    signedIn.rest.bytes(opens).then(decode).then(
      (known) => {
        if (!late) decoded.value = known;
      },
      () => {
        if (!late) plain.value = true;
      },
    );
    return () => {
      late = true;
    };
  }, [opens]);
  return (
    <div ref={ref} class="voice">
      {plain.value ? (
        url && !broken && <audio src={url.url} controls preload="metadata" aria-label={t().voice_message} onError={failed} />
      ) : (
        <Player decoded={decoded.value} />
      )}
    </div>
  );
}

function Player({ decoded }: { decoded: Decoded | null }) {
  const audio = useRef<HTMLAudioElement | null>(null);
  const playing = useSignal(false);
  const at = useSignal(0);
  const speed = useSignal(0);
  const duration = decoded?.duration ?? 0;
  useEffect(
    () => () => {
      const element = audio.current;
      if (!element) return;
      element.pause();
      URL.revokeObjectURL(element.src);
    },
    [],
  );

  /** The player, made when it is first needed. */
  function element(): HTMLAudioElement | null {
    if (audio.current || !decoded) return audio.current;
    const made = new globalThis.Audio(URL.createObjectURL(new Blob([wave(decoded.samples, RATE)], { type: "audio/wav" })));
    made.onplay = () => (playing.value = true);
    made.onpause = () => (playing.value = false);
    made.ontimeupdate = () => (at.value = made.currentTime);
    made.onended = () => (made.currentTime = 0);
    audio.current = made;
    return made;
  }

  function toggle() {
    const made = element();
    if (!made) return;
    if (!made.paused) return made.pause();
    if (heard !== made) heard?.pause();
    heard = made;
    made.playbackRate = SPEEDS[speed.value] ?? 1;
    void made.play().catch(() => undefined);
  }

  function seek(to: number) {
    at.value = to;
    const made = element();
    if (made) made.currentTime = to;
  }

  function faster() {
    speed.value = (speed.value + 1) % SPEEDS.length;
    if (audio.current) audio.current.playbackRate = SPEEDS[speed.value] ?? 1;
  }

  const factor = `${SPEEDS[speed.value]}×`;
  return (
    <>
      <button type="button" class="play" aria-label={playing.value ? t().pause : t().play} title={playing.value ? t().pause : t().play} disabled={!decoded} onClick={toggle}>
        {playing.value ? "⏸" : "▶"}
      </button>
      <span class="wave">
        <Bars bars={decoded?.bars ?? []} played={duration ? at.value / duration : 0} />
        <input
          type="range"
          min={0}
          max={duration}
          step={0.1}
          value={at.value}
          disabled={!decoded}
          aria-label={t().position}
          aria-valuetext={`${seconds(at.value)} / ${seconds(duration)}`}
          onInput={(event) => seek(event.currentTarget.valueAsNumber)}
        />
      </span>
      <span class="voice-time">{decoded ? seconds(playing.value || at.value > 0 ? at.value : duration) : "–:––"}</span>
      <button type="button" class="speed" aria-label={t().speed(factor)} title={t().speed(factor)} disabled={!decoded} onClick={faster}>
        {factor}
      </button>
    </>
  );
}

/** A waveform, of which a share has been played. */
export function Bars({ bars, played }: { bars: number[]; played: number }) {
  const all = bars.length > 0 ? bars : Array.from({ length: BARS }, () => 0);
  return (
    <svg viewBox={`0 0 ${all.length * 3} 32`} preserveAspectRatio="none" aria-hidden="true">
      {all.map((bar, n) => {
        const high = Math.max(2, bar * 30);
        return <rect key={n} class={n < played * all.length ? "played" : ""} x={n * 3} y={16 - high / 2} width="2" height={high} rx="1" />;
      })}
    </svg>
  );
}
