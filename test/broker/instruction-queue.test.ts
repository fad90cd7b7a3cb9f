import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { outboxAfter } from "#control/ledger/find.ts";
import { InstructionQueue } from "#control/objects/instruction-queue.ts";
import type { OutboxItem } from "#schema/agent/instructions.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { broadcaster, type Host, join, openRoom, register, watch } from "./people.ts";

/*
 * What the ledger wants of a host reaches it, in order and without gaps, whatever
 * is lost or comes twice on the way: pushes, poll answers and acknowledgements.
 */

let zone: Zone;
let host: Host;
let queue: InstructionQueue;
let told: number[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  zone = await startZone();
  await register(zone, { name: "p", workers: ["producer"] });
  host = await register(zone, { name: "c", workers: ["consumer"] });
  told = [];
  queue = newQueue();
  queue.known(0);
});

afterEach(() => {
  vi.useRealTimers();
});

function newQueue(): InstructionQueue {
  return new InstructionQueue({
    read: (afterSeq) => outboxAfter(zone.eye, host.nodeId, afterSeq),
    acknowledged: async (seq) => {
      told.push(seq);
      await zone.get("acknowledge", { nodeId: host.nodeId, seq });
    },
  });
}

/** Three views that come and go: three closings for the host, as commits push them. */
async function closings(): Promise<OutboxItem[]> {
  const roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  for (let at = 0; at < 3; at += 1) {
    const sessionId = await join(zone, roomId);
    const [view] = await watch(zone, roomId, sessionId);
    const viewIds = [view?.viewId ?? ""];
    await zone.get("releaseViews", { roomId, sessionId, viewIds });
  }
  return zone.committed.flatMap(
    ({ instructions }) => instructions.get(host.nodeId) ?? [],
  );
}

const seqs = (items: OutboxItem[]) => items.map(({ seq }) => seq);
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

test("a poll answer that is lost after the commit is given again, and again until acknowledged", async () => {
  const items = await closings();
  queue.add(items);
  expect(queue.take()).toEqual(items);
  expect(queue.take()).toEqual([]);
  later(2000);
  expect(queue.take()).toEqual(items);
  const last = items.at(-1)?.seq ?? 0;
  await queue.acknowledge(last);
  later(2000);
  expect(queue.take()).toEqual([]);
  expect(told.at(-1)).toBe(last);
  const left = "SELECT count(*) FROM outbox WHERE node_id = ?";
  await expect.poll(() => zone.count(left, host.nodeId)).toBe(0);
});

test("pushes that come twice are given once, those that come out of order in order", async () => {
  const items = await closings();
  expect(items.length).toBeGreaterThan(3);
  queue.add(items.slice(0, 1));
  queue.add(items.slice(0, 1));
  queue.add(items.slice(2));
  expect(seqs(queue.take())).toEqual([1]);
  // The gap is read from the database at the next poll.
  await queue.acknowledge(0);
  later(2000);
  expect(queue.take()).toEqual(items);
});

test("a push that never came is read, by a mailbox that woke without memory too", async () => {
  const items = await closings();
  await queue.acknowledge(0);
  later(30_001);
  await queue.acknowledge(0);
  expect(seqs(queue.take())).toEqual(seqs(items));
  const woken = newQueue();
  woken.add(items.slice(-1));
  await woken.acknowledge(1);
  expect(seqs(woken.take())).toEqual(seqs(items).slice(1));
});

test("a database that is down holds up no poll, and nothing is lost by it", async () => {
  const items = await closings();
  let down = true;
  const blind = new InstructionQueue({
    read: (afterSeq) =>
      down
        ? Promise.reject(new Error("The database is down."))
        : outboxAfter(zone.eye, host.nodeId, afterSeq),
    acknowledged: () => Promise.reject(new Error("The database is down.")),
  });
  await blind.acknowledge(0);
  expect(blind.take()).toEqual([]);
  down = false;
  await blind.acknowledge(0);
  expect(seqs(blind.take())).toEqual(seqs(items));
});

test("an acknowledgement that comes late, or twice, takes nothing back", async () => {
  const items = await closings();
  queue.add(items);
  queue.take();
  await queue.acknowledge(3);
  await queue.acknowledge(1);
  later(2000);
  expect(seqs(queue.take())).toEqual(seqs(items).filter((seq) => seq > 3));
});
