import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../texts";
import type { Picking } from "./emoji-grid";

/** Where one picks any emoji: they come when they are first wanted. */
export function EmojiPicker({ pick }: Picking) {
  const view = useSignal<{ Grid: ComponentType<Picking> } | "failed" | null>(null);
  useEffect(() => {
    import("./emoji-grid").then(
      ({ EmojiGrid }) => (view.value = { Grid: EmojiGrid }),
      () => (view.value = "failed"),
    );
  }, []);
  if (view.value === "failed") return <p class="empty" role="alert">{t().unreachable}</p>;
  return view.value ? <view.value.Grid pick={pick} /> : <p class="empty">…</p>;
}
