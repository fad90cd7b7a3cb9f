import { createApp } from "#control/app.ts";
import { makeKeys } from "#control/local/keys.ts";
import { readSettings } from "#schema/settings.ts";
import { brokerOn, startFleet } from "./join-zone.ts";
import { openRooms } from "./join-rooms.ts";
import { measure } from "./join-load.ts";
const settings = readSettings();
const db = await startFleet(100, "local", settings);
const broker = brokerOn(db.client, "local", settings);
const rooms = await openRooms(broker, "local");
const keys = makeKeys("local");
const env = { WEIR_ZONE: "local", CONTROL_DB_URL: "http://x.y", CONTROL_DB_TOKEN: "", WEIR_API_KEY: keys.api, WEIR_OPERATOR_KEY: keys.operator, WEIR_NODE_KEY: keys.node, WEIR_SECRET_KEY: keys.secret,
  ZONE_BROKER: { idFromName: (x: string) => x, get: () => ({ ask: async (n: any, i: any, k: any) => structuredClone(await broker.ask(n, structuredClone(i), k)) }) } };
const app = createApp();
const call = async (method: string, path: string, key: string, body?: string) => {
  const r = await app.fetch(new Request(`http://h${path}`, { method, headers: { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) }, body }), env as any, { waitUntil() {}, passThroughOnException() {} } as any);
  const text = await r.text(); if (r.status >= 300) throw new Error(`${r.status} ${text}`); return text;
};
const tokens = await Promise.all(rooms.map(async (r) => JSON.parse(await call("POST", `/v1/rooms/${r}/tokens`, keys.api, '{"identity":"x"}')).token));
let size = 0;
const reqs = Array.from({ length: 64 }, (_, at) => async (timed: any) => {
  const t = await timed(call("POST", `/v1/rooms/${rooms[at % 8]}/sessions`, tokens[at % 8], "{}")); size = t.length;
  const { session, credential } = JSON.parse(t);
  await timed(call("DELETE", `/v1/sessions/${session.id}`, credential));
});
const c0 = process.cpuUsage(); const n0 = performance.now();
const m = await measure(reqs, 6000);
const c = process.cpuUsage(c0);
console.log(m, "cpu ms/req", (c.user + c.system) / 1000 / (m.perSecond * (performance.now() - n0) / 1000), "size", size);
const nothing = Array.from({ length: 64 }, () => async (timed: any) => { await timed(call("GET", "/livez", "")); });
console.log(await measure(nothing, 1000));
await db.close();
