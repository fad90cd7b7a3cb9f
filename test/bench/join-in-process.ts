import type { Broker } from "#control/broker/broker.ts";
import type { Requester } from "./join-load.ts";
import { entryOf } from "./join-rooms.ts";
import { granted } from "./join-zone.ts";

/** Joins and leaves by asking a broker: enter, claim all views, leave. */
export function brokerRequesters(
  broker: Broker,
  rooms: readonly string[],
  count: number,
): Requester[] {
  return Array.from({ length: count }, (_, at) => {
    const roomId = rooms[at % rooms.length] as string;
    const entry = entryOf(roomId, `joiner ${at}`);
    return async (timed) => {
      const { sessionId } = await timed(granted(broker, "enterRoom", entry));
      const wanted = { roomId, sessionId, broadcasts: "all" as const };
      const { refused } = await timed(granted(broker, "claimViews", wanted));
      if (refused.length > 0) throw new Error("The fleet was made large enough.");
      await timed(granted(broker, "leaveRoom", { roomId, sessionId }));
    };
  });
}
