import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { enter, leave, openRoom, tokenFor } from "#test/control/api.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { RawClient } from "#test/security/raw-http.ts";
import type { Flooded, FloodOrder } from "./flood-sender.ts";
import { type Bench, main, type Row } from "./report.ts";

// The runtime would write a line for every request, which is no part of control.
process.env.WRANGLER_LOG ??= "error";

const floods = ["join", "chat", "whip", "webhook"] as const;
type Flood = (typeof floods)[number];

/**
 * What a flooder sends a second, and what is allowed of it. A request of any kind, also
 * one for nothing, costs the local runtime about 4 ms before control sees it: a larger
 * flood would measure that.
 */
const floodPerSecond = 60;
const few = { burst: 20, perSecond: 4 };
const flooderAddress = "127.0.0.66";
/** So many visits that a hundredth of them is two. */
const visitsEach = 200;
/** So seldom that quiet is quiet. */
const visitEveryMs = 100;

/**
 * One address floods; people in other rooms enter and leave at an even pace, half of
 * the quiet visits before the flood and half after it. The flooder is a process of
 * its own that writes made-up bytes to sockets, as its work would be no part of the
 * host's. The limits are the defaults but for the flooder's kind of calls, which are
 * as few as its flood is small: what counts is how far it is over them.
 */
export const bench: Bench = {
  name: "flood",
  title: "What people in other rooms notice while one address floods (ms to enter)",
  columns: [
    { key: "flood", title: "flood" },
    { key: "visits", title: "visits" },
    { key: "turnedAway", title: "turned away" },
    { key: "quietP50", title: "quiet p50", digits: 1 },
    { key: "quietP99", title: "quiet p99", digits: 1 },
    { key: "floodP50", title: "flooded p50", digits: 1 },
    { key: "floodP99", title: "flooded p99", digits: 1 },
    { key: "ratio", title: "p99 ratio", digits: 2 },
    { key: "sent", title: "sent" },
    { key: "refused", title: "refused" },
    { key: "flooderCpu", title: "flooder's core", percent: true, digits: 1 },
  ],
  async run(_, progress) {
    const limits = { open: few, payments: few, identity: few };
    // The visitors call as sessions, and enter from their own address.
    const control = await startControl({
      settings: { limits },
      stripeSecret: "whsec_flooded",
    });
    try {
      const rows: Row[] = [];
      progress.start(floods.length);
      for (const flood of floods) {
        rows.push(await measure(control, flood));
        progress.step();
      }
      return rows;
    } finally {
      await control.stop();
    }
  },
  misses: (rows) =>
    rows.flatMap(({ flood, ratio, refused, turnedAway }) => [
      ...(Number(ratio) > 2
        ? [`${flood}: others' p99 is ${ratio} times the quiet one`]
        : []),
      ...(Number(refused) > 0 ? [] : [`${flood}: nothing of it was refused`]),
      ...(turnedAway === 0 ? [] : [`${flood}: ${turnedAway} others were turned away`]),
    ]),
};

async function measure(control: Control, flood: Flood): Promise<Row> {
  const rooms = await Promise.all(Array.from({ length: 8 }, () => openRoom(control)));
  const ids = rooms.map(({ id }) => id);
  await visits(control, ids, 20);
  const before = await visits(control, ids, visitsEach / 2);
  const flooding = await startFlood(control, flood);
  const during = await visits(control, ids, visitsEach);
  const { sent, refused, cpuShare } = await flooding.stop();
  const after = await visits(control, ids, visitsEach / 2);
  const quiet = [...before.tookMs, ...after.tookMs];
  const quietP99 = quantile(quiet, 0.99);
  const floodP99 = quantile(during.tookMs, 0.99);
  return {
    flood,
    visits: during.tookMs.length,
    turnedAway: during.turnedAway,
    quietP50: quantile(quiet, 0.5),
    quietP99,
    floodP50: quantile(during.tookMs, 0.5),
    floodP99,
    ratio: Number((floodP99 / quietP99).toFixed(2)),
    sent,
    refused,
    flooderCpu: Number(cpuShare.toFixed(3)),
  };
}

/** People enter and leave at an even pace; answers how long entering took. */
async function visits(control: Control, rooms: string[], count: number) {
  const tookMs: number[] = [];
  let turnedAway = 0;
  const tokens = await Promise.all(
    rooms.map((room, at) => tokenFor(control, room, `visitor-${at}`)),
  );
  const client = new RawClient(control.url, 64);
  const call = (method: string, path: string, key: string, body?: string) =>
    client.send({
      method,
      path,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
    });
  const visiting: Promise<void>[] = [];
  for (let at = 0; at < count; at++) {
    const room = rooms[at % rooms.length] ?? "";
    const token = tokens[at % rooms.length] ?? "";
    const visit = async () => {
      const startedMs = performance.now();
      const entered = await call("POST", `/v1/rooms/${room}/sessions`, token, "{}");
      tookMs.push(performance.now() - startedMs);
      if (entered.status !== 201) {
        turnedAway += 1;
        return;
      }
      const { session, credential } = JSON.parse(entered.text);
      await call("DELETE", `/v1/sessions/${session.id}`, credential);
    };
    visiting.push(visit());
    await delay(visitEveryMs);
  }
  await Promise.all(visiting);
  client.close();
  return { tookMs, turnedAway };
}

/** Starts a flooder. @returns how to stop it and hear what it did */
async function startFlood(control: Control, flood: Flood) {
  const room = await openRoom(control);
  const flooder = await enter(control, room.id, "flooder");
  const token = await tokenFor(control, room.id, "flooder");
  const { entry } = flooder;
  const order: FloodOrder = {
    url: control.url,
    from: flooderAddress,
    perSecond: floodPerSecond,
    send:
      flood === "chat"
        ? { entry }
        : { request: requestOf(control, flood, room.id, token) },
  };
  const file = join(import.meta.dirname, "flood-sender.ts");
  const child = spawn(process.execPath, [file, JSON.stringify(order)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const told = text(child.stdout);
  // Its own start is over before anyone is measured.
  await delay(1500);
  return {
    async stop(): Promise<Flooded> {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
      await leave(control, flooder);
      return JSON.parse(await told) as Flooded;
    },
  };
}

/** A flooder's request, as it goes over the wire. */
function requestOf(
  control: Control,
  flood: Exclude<Flood, "chat">,
  roomId: string,
  token: string,
): string {
  const json = "content-type: application/json";
  const bearer = `authorization: Bearer ${token}`;
  const requests = {
    join: { path: `/v1/rooms/${roomId}/sessions`, headers: [json, bearer], body: "{}" },
    whip: {
      path: `/v1/rooms/${roomId}/whip`,
      headers: ["content-type: application/sdp", bearer],
      body: "v=0\r\n",
    },
    webhook: {
      path: "/v1/payments/stripe",
      headers: [json, "stripe-signature: t=1,v1=00"],
      body: "{}",
    },
  };
  const { path, headers, body } = requests[flood];
  const lines = [
    `POST ${path} HTTP/1.1`,
    `host: ${new URL(control.url).host}`,
    ...headers,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return Number((sorted[at] ?? 0).toFixed(1));
}

if (import.meta.main) await main(bench);
