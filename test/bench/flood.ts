import { setTimeout as delay } from "node:timers/promises";
import { Member } from "#test/channel/member.ts";
import { bodyOf, enter, leave, openRoom, tokenFor } from "#test/control/api.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { RawClient, type RawRequest } from "#test/security/raw-http.ts";
import { type Bench, main, type Row } from "./report.ts";

const floods = ["join", "chat", "whip", "webhook"] as const;
type Flood = (typeof floods)[number];

/** What a flooder sends a second, and from which address. */
const floodPerSecond = 150;
const flooderAddress = "127.0.0.66";
const visitsEach = 60;
const visitEveryMs = 50;

/**
 * One address floods; people in other rooms enter and leave at an even pace. The
 * limits are the defaults but for the flooder's kind of calls, which are as few as
 * its flood is small: what counts is how far it is over them.
 */
export const bench: Bench = {
  name: "flood",
  title: "What people in other rooms notice while one address floods (ms to enter)",
  columns: [
    { key: "flood", title: "flood" },
    { key: "quietP50", title: "quiet p50", digits: 1 },
    { key: "quietP99", title: "quiet p99", digits: 1 },
    { key: "floodP50", title: "flooded p50", digits: 1 },
    { key: "floodP99", title: "flooded p99", digits: 1 },
    { key: "ratio", title: "p99 ratio", digits: 2 },
    { key: "sent", title: "sent" },
    { key: "refused", title: "refused" },
  ],
  async run(_, progress) {
    const few = { burst: 20, perSecond: 10 };
    // The visitors call with a key and as sessions, and enter from their address.
    const control = await startControl({
      settings: { limits: { open: few, payments: few, identity: few } },
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
    rows.flatMap(({ flood, ratio, refused }) => [
      ...(Number(ratio) > 2
        ? [`${flood}: others' p99 is ${ratio} times the quiet one`]
        : []),
      ...(Number(refused) > 0 ? [] : [`${flood}: nothing of it was refused`]),
    ]),
};

async function measure(control: Control, flood: Flood): Promise<Row> {
  const rooms = await Promise.all(Array.from({ length: 8 }, () => openRoom(control)));
  await visits(control, rooms.map(({ id }) => id).slice(0, 2), 10);
  const ids = rooms.map(({ id }) => id);
  const quiet = await visits(control, ids, visitsEach);
  const stopping = new AbortController();
  const flooding = startFlood(control, flood, stopping.signal);
  const during = await visits(control, ids, visitsEach);
  stopping.abort();
  const { sent, refused } = await flooding;
  const quietP99 = quantile(quiet, 0.99);
  const floodP99 = quantile(during, 0.99);
  return {
    flood,
    quietP50: quantile(quiet, 0.5),
    quietP99,
    floodP50: quantile(during, 0.5),
    floodP99,
    ratio: Number((floodP99 / quietP99).toFixed(2)),
    sent,
    refused,
  };
}

/** People enter and leave one after the other; answers how long entering took. */
async function visits(control: Control, rooms: string[], count: number) {
  const tookMs: number[] = [];
  const tokens = await Promise.all(
    rooms.map((room, at) => tokenFor(control, room, `visitor-${at}`)),
  );
  const visiting: Promise<void>[] = [];
  for (let at = 0; at < count; at++) {
    const room = rooms[at % rooms.length] ?? "";
    const key = tokens[at % rooms.length] ?? "";
    visiting.push(
      (async () => {
        const startedMs = performance.now();
        const path = `/v1/rooms/${room}/sessions`;
        const entry = bodyOf(await control.call("POST", path, { key, body: {} }), 201);
        tookMs.push(performance.now() - startedMs);
        const session = `/v1/sessions/${entry.session.id}`;
        await control.call("DELETE", session, { key: entry.credential });
      })(),
    );
    await delay(visitEveryMs);
  }
  await Promise.all(visiting);
  return tookMs;
}

async function startFlood(control: Control, flood: Flood, signal: AbortSignal) {
  const room = await openRoom(control);
  const flooder = await enter(control, room.id, "flooder");
  const send =
    flood === "chat"
      ? await chatter(control, flooder)
      : await caller(control, await requestOf(control, flood, room.id));
  let sent = 0;
  let refused = 0;
  const underway: Promise<void>[] = [];
  while (!signal.aborted) {
    for (let at = 0; at < floodPerSecond / 50; at++) {
      sent += 1;
      underway.push(
        send().then((wasRefused) => {
          if (wasRefused) refused += 1;
        }),
      );
    }
    await delay(20);
  }
  await Promise.all(underway);
  await leave(control, flooder);
  return { sent, refused };
}

async function requestOf(control: Control, flood: Flood, roomId: string) {
  const token = await tokenFor(control, roomId, "flooder");
  const json = { "content-type": "application/json" };
  const requests: Record<Exclude<Flood, "chat">, RawRequest> = {
    join: {
      method: "POST",
      path: `/v1/rooms/${roomId}/sessions`,
      headers: { ...json, authorization: `Bearer ${token}` },
      body: "{}",
    },
    whip: {
      method: "POST",
      path: `/v1/rooms/${roomId}/whip`,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/sdp" },
      body: "v=0\r\n",
    },
    webhook: {
      method: "POST",
      path: "/v1/payments/stripe",
      headers: { ...json, "stripe-signature": "t=1,v1=00" },
      body: "{}",
    },
  };
  return requests[flood as Exclude<Flood, "chat">];
}

async function caller(control: Control, request: RawRequest) {
  const client = new RawClient(control.url, 16, flooderAddress);
  return async () => (await client.send(request)).status === 429;
}

/** Chat that is said too fast is refused message by message. */
async function chatter(control: Control, { entry }: { entry: Member["entry"] }) {
  const member = new Member(control, entry);
  await member.join();
  let seen = 0;
  return async () => {
    member.say("flood");
    await delay(0);
    const refusals = member.all("chat.refused").length;
    const isNew = refusals > seen;
    seen = refusals;
    return isNew;
  };
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return Number((sorted[at] ?? 0).toFixed(1));
}

if (import.meta.main) await main(bench);
