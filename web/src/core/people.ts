import { type Signal, signal } from "@preact/signals";
import type { Rest } from "./rest";
import type { Shelf } from "./shelf";
import type { Presence, Profile } from "./types";

/** How long somebody is not asked for again after that did not work, in milliseconds. */
const AGAIN_MS = 5_000;

/** Who the people are whose ids are met, asked for once each. */
export class People {
  private readonly profiles = new Map<string, Signal<Profile | null>>();
  readonly presence = signal(new Map<string, Presence>());
  /** Whom one blocks, as soon as somebody wanted to know. */
  readonly blocked = signal(new Set<string>());

  private readonly asked = new Set<string>();

  constructor(
    private readonly rest: Rest,
    private readonly shelf: Shelf,
  ) {}

  /** Takes somebody as they were known before: good enough until they are asked for. */
  recall(profile: Profile): void {
    if (!this.profiles.has(profile.id)) this.profiles.set(profile.id, signal<Profile | null>(profile));
  }

  /** Somebody's profile, which comes when it has come. */
  of(user: string): Signal<Profile | null> {
    let profile = this.profiles.get(user);
    if (!profile) {
      profile = signal<Profile | null>(null);
      this.profiles.set(user, profile);
    }
    if (!this.asked.has(user)) {
      this.asked.add(user);
      this.rest.profile(user).then(
        (known) => this.take(known),
        () => setTimeout(() => this.asked.delete(user), AGAIN_MS),
      );
    }
    return profile;
  }

  take(profile: Profile): void {
    const known = this.profiles.get(profile.id);
    if (known) known.value = profile;
    else this.profiles.set(profile.id, signal<Profile | null>(profile));
    this.asked.add(profile.id);
    void this.shelf.putPerson(profile);
  }

  /** Asks whom one blocks. */
  async readBlocked(): Promise<void> {
    const blocked = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await this.rest.blocked(cursor);
      for (const profile of page.items) {
        this.take(profile);
        blocked.add(profile.id);
      }
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    this.blocked.value = blocked;
  }

  /** Blocks somebody, or no longer. */
  async block(user: string, on: boolean): Promise<void> {
    await (on ? this.rest.block(user) : this.rest.unblock(user));
    await this.readBlocked();
  }

  see(user: string, presence: Presence): void {
    this.presence.value = new Map(this.presence.value).set(user, presence);
  }
}
