import type { Room } from "../sdk/index.ts";

/**
 * `window.weir`: for tests and for curious people. `room.views` holds, for each
 * view, `requestedAtMs` and `firstFrameAtMs`, both on the clock of
 * `performance.now()`: their difference is the time from click to picture.
 */
export interface Curious {
  room: Room | undefined;
  /** `performance.now()` of the click on Enter. */
  enteredAtMs: number | undefined;
}

declare global {
  interface Window {
    weir: Curious;
  }
}

window.weir = { room: undefined, enteredAtMs: undefined };

/** Shows the room to whoever opens the console. */
export function show(room: Room | undefined, enteredAtMs?: number): void {
  window.weir = { room, enteredAtMs };
}
