const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A text as the server takes it: without control characters but newline and tab. */
export function cleaned(text: string): string {
  return text.replace(CONTROLS, "");
}
