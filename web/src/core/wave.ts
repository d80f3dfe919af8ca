/** The loudest of each part of a recording, between 0 and 1, the loudest of all being 1: what a waveform shows. */
export function peaks(samples: Float32Array, bars: number): number[] {
  const step = samples.length / bars;
  const all = Array.from({ length: bars }, (_, bar) => {
    let peak = 0;
    const end = Math.min(samples.length, Math.floor((bar + 1) * step));
    for (let at = Math.floor(bar * step); at < end; at += 1) peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    return peak;
  });
  const loudest = Math.max(...all);
  return loudest > 0 ? all.map((peak) => peak / loudest) : all;
}

/** Samples of one channel as a WAVE file of 16 bits: unlike what browsers record, it can be played from any place. */
export function wave(samples: Float32Array, rate: number): ArrayBuffer {
  const HEAD = 44;
  const bytes = new ArrayBuffer(HEAD + samples.length * 2);
  const view = new DataView(bytes);
  const text = (at: number, value: string) => [...value].forEach((char, n) => view.setUint8(at + n, char.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, bytes.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, n) => view.setInt16(HEAD + n * 2, Math.round(Math.min(Math.max(sample, -1), 1) * 0x7fff), true));
  return bytes;
}
