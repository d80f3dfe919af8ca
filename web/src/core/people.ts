import { type Signal, signal } from "@preact/signals";
import type { Rest } from "./rest";
import type { Presence, Profile } from "./types";

/** Who the people are whose ids are met, asked for once each. */
export class People {
  private readonly profiles = new Map<string, Signal<Profile | null>>();
  readonly presence = signal(new Map<string, Presence>());

  constructor(private readonly rest: Rest) {}

  /** Somebody's profile, which comes when it has come. */
  of(user: string): Signal<Profile | null> {
    let profile = this.profiles.get(user);
    if (!profile) {
      profile = signal<Profile | null>(null);
      this.profiles.set(user, profile);
      this.rest.profile(user).then(
        (known) => this.take(known),
        () => this.profiles.delete(user),
      );
    }
    return profile;
  }

  take(profile: Profile): void {
    const known = this.profiles.get(profile.id);
    if (known) known.value = profile;
    else this.profiles.set(profile.id, signal<Profile | null>(profile));
  }

  see(user: string, presence: Presence): void {
    this.presence.value = new Map(this.presence.value).set(user, presence);
  }
}
