import { afterEach, beforeEach, expect, test } from "vitest";
import type { DryPair } from "#schema/agent/control.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import {
  broadcaster,
  type Host,
  join,
  openRoom,
  register,
  watchActive,
} from "./people.ts";

/* One source's host, three that show it: what they say of each other's silence. */

let zone: Zone;
let source: Host;
let edges: Host[];

beforeEach(async () => {
  zone = await startZone();
  source = await register(zone, { name: "p", workers: ["producer"] });
  const roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  edges = [];
  for (const name of ["c", "d", "e"]) {
    const edge = await register(zone, { name, workers: ["consumer"] });
    for (const { nodeId } of edges) {
      await zone.get("cordonNode", { nodeId, cordoned: true });
    }
    await watchActive(zone, roomId, await join(zone, roomId));
    edges.push(edge);
  }
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

function pairOf(from: Host, to: Host): DryPair {
  const [own] = from.workers;
  const [peer] = to.workers;
  if (!own || !peer) throw new Error("There are no workers.");
  return { own, peer, expected: [] };
}

async function accuse(from: Host, to: Host, pair = pairOf(from, to)): Promise<void> {
  const { nodeId, epoch } = from;
  await zone.get("pairsDry", { nodeId, epoch, pairs: [pair] });
}

async function nodeOf(one: Host) {
  const { nodes } = await zone.get("readFleet", {});
  return nodes.find(({ id }) => id === one.nodeId);
}

const heard = (one: Host) =>
  zone.get("nodeHeard", { ...one, draining: false, egressKbps: 0, workers: [] });

test("a host of which two of three peers hear nothing takes nothing new, until they do again", async () => {
  const [c, d] = edges as [Host, Host];
  await accuse(c, source);
  await accuse(c, source);
  expect((await nodeOf(source))?.state).toBe("ready");
  await accuse(d, source);
  expect(await nodeOf(source)).toMatchObject({
    state: "suspect",
    failure: { reason: "its peers get nothing from it" },
  });
  // Its heartbeats say nothing of its media.
  await heard(source);
  expect((await nodeOf(source))?.state).toBe("suspect");
  await zone.advance(zone.settings.failing.lossWithinMs + 1);
  await heard(source);
  expect((await nodeOf(source))?.state).toBe("ready");
});

test("a host that hears nobody accuses in vain, and is itself what the others say of it", async () => {
  const [c, d, e] = edges as [Host, Host, Host];
  await accuse(source, c);
  await accuse(source, d);
  await accuse(source, e);
  for (const edge of edges) expect((await nodeOf(edge))?.state).toBe("ready");
  for (const edge of edges) await accuse(edge, source);
  expect((await nodeOf(source))?.state).toBe("suspect");
});

test("what is said late, of others' workers, or where no pipe is, counts nothing", async () => {
  const [c, d] = edges as [Host, Host];
  const { nodeId, epoch } = c;
  const pairs = [pairOf(c, source)];
  const late = await zone.refused("pairsDry", { nodeId, epoch: epoch - 1, pairs });
  expect(late.refusal).toBe("node-fenced");
  const right = pairOf(c, source);
  const another = { ...right.peer, incarnation: "another" };
  await accuse(c, source, { ...right, peer: another });
  await accuse(c, source, pairOf(d, source));
  await accuse(c, d);
  await accuse(source, d);
  await accuse(d, source);
  expect((await nodeOf(source))?.state).toBe("ready");
  expect((await nodeOf(d))?.state).toBe("ready");
});

test("where a network falls apart, not all of a zone is closed for it", async () => {
  const [c, d, e] = edges as [Host, Host, Host];
  await zone.get("nodeSilent", { nodeId: e.nodeId, epoch: e.epoch, state: "suspect" });
  await accuse(c, source);
  await accuse(d, source);
  expect((await nodeOf(source))?.state).toBe("ready");
});
