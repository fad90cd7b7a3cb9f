import { readdirSync, readFileSync } from "node:fs";
import { send, expectStatus, getRequesters, startHop, startHttpFleet } from "./join-http.ts";
import { measure } from "./join-load.ts";

const kids = () => {
  const out: number[] = [];
  const walk = (pid: number) => {
    for (const t of readdirSync(`/proc/${pid}/task`))
      for (const c of readFileSync(`/proc/${pid}/task/${t}/children`, "utf8")
        .trim()
        .split(" ")
        .filter(Boolean)) {
        out.push(+c);
        walk(+c);
      }
  };
  walk(process.pid);
  return out;
};
const cpu = (pid: number) => {
  const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (+f[11]! + +f[12]!) * 10;
};
const before = new Set(kids());
const hop = await startHop();
const hopPids = kids().filter((p) => !before.has(p));
const fleet = await startHttpFleet(Number(process.argv[2] ?? 100));
const ctlPids = kids().filter((p) => !hopPids.includes(p));
console.log(
  hopPids.map((p) => readFileSync(`/proc/${p}/cmdline`, "utf8").slice(0, 60)),
  ctlPids.length,
);
async function go(name: string, reqs: any, pids: number[]) {
  let n = 0; const d0 = fleet.requests;
  const c0 = pids.map(cpu);
  const s0 = process.cpuUsage();
  const t0 = performance.now();
  const wrapped = reqs.map(
    (r: any) => async (timed: any) =>
      r((p: any) => {
        n++;
        return timed(p);
      }),
  );
  const m = await measure(wrapped, 3000);
  const c1 = pids.map(cpu);
  const s1 = process.cpuUsage(s0);
  console.log(
    name,
    "rate",
    ((1000 * n) / (performance.now() - t0)).toFixed(0),
    "p50",
    m.p50Ms.toFixed(1),
    "workerd ms/req",
    c1.map((c, i) => ((c - c0[i]!) / n).toFixed(2)).join(" "),
    "db/req", ((fleet.requests - d0) / n).toFixed(2), "self ms/req",
    ((s1.user + s1.system) / 1000 / n).toFixed(2),
  );
}

const f = fleet.control; const key = f.keys.api; const room = fleet.rooms[0];
const many = (count: number, method: string, path: string, body?: string, status = 200) => Array.from({ length: count }, () => async (timed: any) => { await timed(expectStatus(send(f.url + path, method, key, body), status)); });
for (let i = 0; i < 2; i++) for (const n of [64]) {
  await go(`hop ${n}`, getRequesters(hop.url, n), hopPids);
  await go(`room ${n}`, many(n, "GET", `/v1/rooms/${room}`), ctlPids);
  await go(`token ${n}`, many(n, "POST", `/v1/rooms/${room}/tokens`, '{"identity":"x"}', 201), ctlPids);
  await go(`sessions ${n}`, many(n, "GET", `/v1/rooms/${room}/sessions`), ctlPids);
  await go(`http ${n}`, fleet.requesters(n), ctlPids);
}
await fleet.control.stop();
await hop.stop();
process.exit();
