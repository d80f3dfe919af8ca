import { expect, test } from "vitest";
import { fit, moves, renamed } from "./picture";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

test("a picture is never made larger, and keeps its form", () => {
  expect(fit(4000, 3000, 1920)).toEqual({ width: 1920, height: 1440 });
  expect(fit(1000, 5000, 1920)).toEqual({ width: 384, height: 1920 });
  expect(fit(800, 600, 1920)).toEqual({ width: 800, height: 600 });
  expect(fit(20_000, 1, 1920)).toEqual({ width: 1920, height: 1 });
});

test("what moves is known by its beginning", () => {
  expect(moves(bytes("GIF89a"))).toBe(true);
  expect(moves(bytes("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02"))).toBe(true);
  expect(moves(bytes("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10"))).toBe(false);
  expect(moves(bytes("\x89PNG\r\n\x1a\n...acTL"))).toBe(true);
  expect(moves(bytes("\x89PNG\r\n\x1a\n...IDAT"))).toBe(false);
  expect(moves(bytes("\xff\xd8\xff"))).toBe(false);
});

test("a name says what it is of", () => {
  expect(renamed("screen shot.png", "image/webp")).toBe("screen shot.webp");
  expect(renamed("photo", "image/jpeg")).toBe("photo.jpg");
  expect(renamed("a.b/c", "image/jpeg")).toBe("a.b/c.jpg");
  expect(renamed("film.webm", "video/webm")).toBe("film.webm");
});
