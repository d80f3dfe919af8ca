import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../texts";
import { seconds } from "./size";
import { Bars } from "./voice";

/** What browsers record voices as, the best first. */
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const BITS_PER_S = 32_000;
/** The longest voice message, in seconds. */
const LONGEST_S = 15 * 60;
const LEVEL_MS = 100;
const LEVELS = 40;

/** Whether this browser can record. */
export function canRecord(): boolean {
  return typeof MediaRecorder !== "undefined";
}

function refusal(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return t().microphone_refused;
  return t().no_microphone;
}

/** Records a voice message: it begins at once, and ends by sending or throwing away. */
export function Recorder({ done }: { done: (voice: Blob | null, wrong: string) => void }) {
  const recorder = useRef<MediaRecorder | null>(null);
  const send = useRef<HTMLButtonElement>(null);
  const since = useSignal<number | null>(null);
  const passed = useSignal(0);
  const levels = useSignal<number[]>(Array.from({ length: LEVELS }, () => 0));

  useEffect(() => {
    let stream: MediaStream | null = null;
    let sound: AudioContext | null = null;
    let timer: ReturnType<typeof setInterval> | undefined;
    let gone = false;
    const begin = async () => {
      // Only a page that was served safely may listen.
      if (!navigator.mediaDevices) return done(null, t().microphone_unsafe);
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } });
      } catch (error) {
        if (!gone) done(null, refusal(error));
        return;
      }
      if (gone) return release();
      const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      recorder.current = new MediaRecorder(stream, { audioBitsPerSecond: BITS_PER_S, ...(mimeType ? { mimeType } : {}) });
      recorder.current.start();
      since.value = Date.now();
      sound = new AudioContext();
      const analyser = sound.createAnalyser();
      sound.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const loud = Math.min(1, 3 * Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length));
        levels.value = [...levels.value.slice(1), loud];
        passed.value = (Date.now() - (since.value ?? Date.now())) / 1000;
        if (passed.value >= LONGEST_S) finish();
      }, LEVEL_MS);
    };
    const release = () => {
      clearInterval(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
      void sound?.close();
    };
    void begin();
    return () => {
      gone = true;
      release();
    };
  }, []);

  useEffect(() => send.current?.focus(), [since.value]);

  function finish() {
    const recording = recorder.current;
    if (!recording || recording.state === "inactive") return;
    const parts: Blob[] = [];
    recording.ondataavailable = ({ data }) => parts.push(data);
    recording.onstop = () => {
      // What a browser says of its codec is nothing that the server needs.
      const type = recording.mimeType.split(";")[0] ?? "audio/webm";
      done(new Blob(parts, { type }), "");
    };
    recording.stop();
  }

  return (
    <div class="recorder" role="group" aria-label={t().recording} onKeyDown={(event) => event.key === "Escape" && done(null, "")}>
      <button type="button" class="icon" aria-label={t().discard} title={t().discard} onClick={() => done(null, "")}>
        🗑
      </button>
      <span class="recording-mark" aria-hidden="true" />
      <span role="timer" class="voice-time">
        {seconds(passed.value)}
      </span>
      <span class="wave level">
        <Bars bars={levels.value} played={1} />
      </span>
      <button ref={send} type="button" class="send" aria-label={t().send_voice} title={t().send_voice} disabled={since.value === null} onClick={finish}>
        ➤
      </button>
    </div>
  );
}
