import { writeFileSync } from "node:fs";
import { startHttpFleet } from "./join-http.ts";
import { measure } from "./join-load.ts";
const fleet = await startHttpFleet(100);
const n = Number(process.argv[2] ?? 64);
await measure(fleet.requesters(n), 3000);

const { readFileSync, readdirSync, readlinkSync } = await import("node:fs");
const kids: number[] = []; const walk = (pid: number) => { for (const t of readdirSync(`/proc/${pid}/task`)) for (const c of readFileSync(`/proc/${pid}/task/${t}/children`, "utf8").trim().split(" ").filter(Boolean)) { kids.push(+c); walk(+c); } }; walk(process.pid);
const inodes = new Map<string, string>();
for (const f of ["/proc/net/tcp", "/proc/net/tcp6"]) for (const l of readFileSync(f, "utf8").split("\n").slice(1)) { const x = l.trim().split(/\s+/); if (x[3] === "0A") inodes.set(x[9]!, String(parseInt(x[1]!.split(":")[1]!, 16))); }
const ports: string[] = [];
for (const k of kids) for (const f of readdirSync(`/proc/${k}/fd`)) { try { const m = /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${k}/fd/${f}`)); const port = m && inodes.get(m[1]!); if (port) ports.push(port); } catch {} }
console.log(ports);
for (const port of ports) {
  const list = await fetch(`http://127.0.0.1:${port}/json`, { signal: AbortSignal.timeout(1500) }).then((r) => r.json()).catch(() => undefined) as any;
  if (!Array.isArray(list)) continue;
  for (const t of list) {
    console.log(t.title, t.webSocketDebuggerUrl);
    const ws = new WebSocket(t.webSocketDebuggerUrl);
    await new Promise((r) => { ws.onopen = r; });
    let id = 0; const wait = new Map<number, (v: any) => void>();
    ws.onmessage = (m) => { const d = JSON.parse(String(m.data)); wait.get(d.id)?.(d.result ?? d); };
    const send = (method: string, params = {}) => new Promise<any>((r) => { wait.set(++id, r); ws.send(JSON.stringify({ id, method, params })); });
    await send("Profiler.enable"); await send("Profiler.setSamplingInterval", { interval: 500 }); await send("Profiler.start");
    console.log(await measure(fleet.requesters(n), 5000));
    const { profile } = await send("Profiler.stop");
    writeFileSync(`/tmp/prof/workerd-${t.id}.cpuprofile`, JSON.stringify(profile));
    ws.close();
  }
}
await fleet.control.stop(); process.exit();
