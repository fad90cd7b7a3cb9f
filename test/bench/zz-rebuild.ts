import { readSettings } from "#schema/settings.ts";
import { writeFleet } from "./join-fleet.ts";
import { brokerOn, startBenchDatabase } from "./join-zone.ts";
const settings = readSettings();
const db = await startBenchDatabase();
await writeFleet(db.client, { zone: "bench", settings, consumers: 10000, producers: 1250, pointsUsed: () => 12 });
for (let i = 0; i < 6; i++) {
  const t = performance.now(); const c = process.cpuUsage();
  const r = await brokerOn(db.client, "bench", settings).ask("readRoom", { roomId: "room_bench_fleet0" });
  const d = process.cpuUsage(c);
  console.log((performance.now() - t).toFixed(0), "cpu", ((d.user + d.system) / 1000).toFixed(0), r.ok, db.requests);
}
await db.close();
