import { useSignal } from "@preact/signals";

/** Takes files that are dropped onto an element; `over` while some are held over it. */
export function useDrop(take: (files: File[]) => void) {
  const over = useSignal(false);
  const files = (event: DragEvent) => !!event.dataTransfer?.types.includes("Files");
  return {
    over: over.value,
    onDragOver: (event: DragEvent) => {
      if (!files(event)) return;
      event.preventDefault();
      over.value = true;
    },
    onDragLeave: (event: DragEvent) => {
      const inside = event.relatedTarget instanceof Node && (event.currentTarget as Node).contains(event.relatedTarget);
      if (!inside) over.value = false;
    },
    onDrop: (event: DragEvent) => {
      if (!files(event)) return;
      event.preventDefault();
      over.value = false;
      take([...(event.dataTransfer?.files ?? [])]);
    },
  };
}
