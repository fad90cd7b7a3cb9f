import { useEffect, useState } from "preact/hooks";
import type { Room, RoomStats } from "../sdk/index.ts";

const refreshMs = 1000;

/** A room's numbers, read anew each second while they are shown. */
export function useStats(room: Room, shown: boolean): RoomStats | undefined {
  const [stats, setStats] = useState<RoomStats>();
  useEffect(() => {
    if (!shown) {
      setStats(undefined);
      return;
    }
    let stopped = false;
    const look = async () => {
      const now = await room.stats().catch(() => undefined);
      if (!stopped && now) setStats(now);
    };
    void look();
    const timer = setInterval(look, refreshMs);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [room, shown]);
  return stats;
}
