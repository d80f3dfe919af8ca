import type { Keep } from "./keep";

const KNOWN = "kith.known";
/** Users of whom a browser keeps a device secret; with one more, the one that signed in here longest ago is forgotten. */
export const KNOWN_USERS = 8;

/**
 * Keeps the device secrets of the users who signed in here. A device secret opens nothing: with it a sign-in waits among
 * known devices, whatever others do to the server. It outlives a sign-out, which is what it is for.
 */
export class KnownUsers {
  constructor(private readonly keep: Keep) {}

  secret(username: string): string | undefined {
    return this.all().find(([name]) => name === username)?.[1];
  }

  remember(username: string, secret: string): void {
    this.write([...this.all().filter(([name]) => name !== username), [username, secret]]);
  }

  /** Forgets a user who has reason not to be known here: their account is gone, or they signed this device out from another. */
  forget(username: string): void {
    this.write(this.all().filter(([name]) => name !== username));
  }

  /** Whether what is kept under this name is ours, and so stays at a sign-out. */
  static keeps = (name: string): boolean => name === KNOWN;

  private all(): [string, string][] {
    return JSON.parse(this.keep.get(KNOWN) ?? "[]") as [string, string][];
  }

  private write(users: [string, string][]): void {
    this.keep.set(KNOWN, users.length > 0 ? JSON.stringify(users.slice(-KNOWN_USERS)) : null);
  }
}
