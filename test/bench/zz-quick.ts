import { readSettings } from "#schema/settings.ts";
import { brokerRequesters } from "./join-in-process.ts";
import { measure } from "./join-load.ts";
import { openRooms } from "./join-rooms.ts";
import { brokerOn, startFleet } from "./join-zone.ts";

const settings = readSettings();
const ms = Number(process.argv[3] ?? 1500);
for (const workers of (process.argv[2] ?? "100,10000").split(",").map(Number)) {
  let t = performance.now();
  const db = await startFleet(workers, "bench", settings);
  console.log("seed", workers, performance.now() - t);
  t = performance.now();
  const first = brokerOn(db.client, "bench", settings);
  await first.ask("readFleet", {});
  console.log("rebuild", performance.now() - t);
  const rooms = await openRooms(first, "bench");
  for (const latencyMs of [0, 20])
    for (const groupMax of [256, 1])
      for (const requesters of [1, 16, 64]) {
        if (
          process.argv[4] &&
          process.argv[4] !== `${latencyMs},${groupMax},${requesters}`
        )
          continue;
        db.latencyMs = 0;
        const broker = brokerOn(db.client, "bench", {
          ...settings,
          broker: { ...settings.broker, groupMax },
        });
        await broker.ask("readFleet", {});
        db.latencyMs = latencyMs;
        db.requests = 0;
        const m = await measure(brokerRequesters(broker, rooms, requesters), ms);
        console.log(
          workers,
          latencyMs,
          groupMax,
          requesters,
          Object.values(m)
            .map((x) => x.toFixed(2))
            .join("  "),
          db.requests,
        );
      }
  await db.close();
}
