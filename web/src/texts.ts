// Every text that people read, in every language that there is. A language is complete, or it does not compile.
import { signal } from "@preact/signals";
import { de } from "./texts/de";
import { en, type Texts } from "./texts/en";

export const languages = { en, de };
export type Language = keyof typeof languages;

/** The language in use. */
export const language = signal<Language>("en");

/** The texts in the language in use. */
export function t(): Texts {
  return languages[language.value];
}
