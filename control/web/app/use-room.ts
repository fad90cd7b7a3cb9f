import { useEffect, useState } from "preact/hooks";
import type { Room } from "../sdk/index.ts";

/** Draws the component anew after whatever changes in the room, once per turn. */
export function useRoom(room: Room): void {
  const [, setTurn] = useState(0);
  useEffect(() => {
    let due: ReturnType<typeof setTimeout> | undefined;
    // A burst of events, such as twenty broadcasts starting, is one drawing.
    const stop = room.on("changed", () => {
      due ??= setTimeout(() => {
        due = undefined;
        setTurn((turn) => turn + 1);
      }, 16);
    });
    return () => {
      clearTimeout(due);
      stop();
    };
  }, [room]);
}
