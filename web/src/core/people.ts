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

  see(user: string, presence: Presence): void {
    this.presence.value = new Map(this.presence.value).set(user, presence);
  }
}
