import { readSettings } from "#schema/settings.ts";
import { getRequesters, startHop, startHttpFleet } from "./join-http.ts";
import { measure } from "./join-load.ts";

const hop = await startHop();
const fleet = await startHttpFleet(Number(process.argv[2] ?? 100), readSettings());
const show = (name: string, m: object) =>
  console.log(
    name,
    Object.values(m)
      .map((x) => x.toFixed(2))
      .join("  "),
  );
for (let i = 0; i < 2; i++)
  for (const n of [1, 16, 64]) {
    show(`nothing ${n}`, await measure(getRequesters(fleet.livez, n), 1500));
    show(`hop ${n}`, await measure(getRequesters(hop.url, n), 1500));
    show(`http ${n}`, await measure(fleet.requesters(n), 1500));
  }
console.log(fleet.control.logs().slice(0, 10));
await fleet.control.stop();
await hop.stop();
process.exit();
