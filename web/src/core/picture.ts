/** The longest side of a picture that is sent, in pixels, unless as it is. */
const LONGEST = 1920;
const QUALITY = 0.82;
/** How far into a file stands whether it moves, in bytes. */
const HEAD_BYTES = 4096;

/** A picture as it is sent. */
export interface Scaled {
  blob: Blob;
  width: number;
  height: number;
}

/** A size that fits into a square of `longest`, of the same form; never larger than it was. */
export function fit(width: number, height: number, longest: number): { width: number; height: number } {
  const factor = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** Whether a picture moves, which a canvas would lose: what begins so, of a GIF, WebP or PNG. */
export function moves(head: Uint8Array): boolean {
  const text = Array.from(head, (byte) => String.fromCharCode(byte)).join("");
  if (text.startsWith("GIF8")) return true;
  if (text.startsWith("RIFF") && text.slice(8, 16) === "WEBPVP8X") return ((head[20] ?? 0) & 0x02) !== 0;
  return text.startsWith("\x89PNG") && text.includes("acTL");
}

/** A name for other bytes of the same thing. */
export function renamed(name: string, type: string): string {
  const ending = { "image/jpeg": "jpg", "image/webp": "webp", "image/png": "png" }[type];
  return ending ? `${name.replace(/\.[^./]*$/, "")}.${ending}` : name;
}

async function draw(bitmap: ImageBitmap, width: number, height: number, crop: number | null, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.imageSmoothingQuality = "high";
  const wide = crop ?? bitmap.width;
  const high = crop ?? bitmap.height;
  context.drawImage(bitmap, (bitmap.width - wide) / 2, (bitmap.height - high) / 2, wide, high, 0, 0, width, height);
  return canvas.convertToBlob({ type, quality: QUALITY });
}

/** A picture, small enough to be sent; the same bytes where they are smaller. Null where this is no picture that can be read. */
export async function scaled(file: Blob): Promise<Scaled | null> {
  if (!file.type.startsWith("image/") || file.type === "image/svg+xml") return null;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  try {
    const known = { width: bitmap.width, height: bitmap.height };
    if (moves(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()))) return { blob: file, ...known };
    const to = fit(bitmap.width, bitmap.height, LONGEST);
    // What may have holes keeps them.
    const type = file.type === "image/png" || file.type === "image/webp" ? "image/webp" : "image/jpeg";
    const blob = await draw(bitmap, to.width, to.height, null, type);
    return blob.size < file.size ? { blob, ...to } : { blob: file, ...known };
  } finally {
    bitmap.close();
  }
}

/** The middle of a picture as a square of `side` pixels. Throws where it is no picture that can be read. */
export async function square(file: Blob, side: number): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  try {
    return await draw(bitmap, side, side, Math.min(bitmap.width, bitmap.height), "image/jpeg");
  } finally {
    bitmap.close();
  }
}
