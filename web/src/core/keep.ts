/** What outlives a reload: small texts by name. */
export interface Keep {
  get(name: string): string | null;
  set(name: string, text: string | null): void;
  /** The names that begin so. */
  names(prefix: string): string[];
  /** Tells what another tab keeps or forgets under names that begin so, until the returned function is called. */
  watch(prefix: string, heard: (name: string, text: string | null) => void): () => void;
}

/** Keeps nothing longer than the page; for tests, and where a browser keeps nothing. */
export function forgetful(): Keep {
  const kept = new Map<string, string>();
  return {
    get: (name) => kept.get(name) ?? null,
    set: (name, text) => void (text === null ? kept.delete(name) : kept.set(name, text)),
    names: (prefix) => [...kept.keys()].filter((name) => name.startsWith(prefix)),
    watch: () => () => undefined,
  };
}

/** Keeps in the browser's local storage, or nothing where that is closed to us. */
export function browserKeep(): Keep {
  let storage: Storage;
  try {
    storage = globalThis.localStorage;
    storage.setItem("kith.probe", "");
    storage.removeItem("kith.probe");
  } catch {
    return forgetful();
  }
  return {
    get: (name) => storage.getItem(name),
    set: (name, text) => {
      if (text === null) storage.removeItem(name);
      else storage.setItem(name, text);
    },
    names: (prefix) => Object.keys(storage).filter((name) => name.startsWith(prefix)),
    watch: (prefix, heard) => {
      const listen = ({ key, newValue }: StorageEvent) => {
        if (key?.startsWith(prefix)) heard(key, newValue);
      };
      globalThis.addEventListener("storage", listen);
      return () => globalThis.removeEventListener("storage", listen);
    },
  };
}
