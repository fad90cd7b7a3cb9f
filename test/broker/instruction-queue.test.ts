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
let arrived: ReturnType<typeof vi.fn<() => void>>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  zone = await startZone();
  await register(zone, { name: "p", workers: ["producer"] });
  host = await register(zone, { name: "c", workers: ["consumer"] });
  told = [];
  arrived = vi.fn();
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
    arrived,
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
/** What polls are given, until it is as much as is wanted. */
async function taken(of: InstructionQueue, wanted: OutboxItem[]): Promise<OutboxItem[]> {
  const all: OutboxItem[] = [];
  await vi.waitFor(() => {
    all.push(...of.take());
    expect(seqs(all)).toEqual(seqs(wanted));
  });
  return all;
}
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

test("a poll answer that is lost after the commit is given again, and again until acknowledged", async () => {
  const items = await closings();
  queue.push(items);
  expect(queue.take()).toEqual(items);
  expect(queue.take()).toEqual([]);
  later(2000);
  expect(queue.take()).toEqual(items);
  const last = items.at(-1)?.seq ?? 0;
  queue.acknowledge(last);
  later(2000);
  expect(queue.take()).toEqual([]);
  expect(told.at(-1)).toBe(last);
  const left = "SELECT count(*) FROM outbox WHERE node_id = ?";
  await expect.poll(() => zone.count(left, host.nodeId)).toBe(0);
});

test("an answer that is lost is given again though others come after it all the time", async () => {
  const items = await closings();
  queue.push(items.slice(0, 1));
  expect(seqs(queue.take())).toEqual([1]);
  later(1500);
  queue.push(items.slice(1, 2));
  expect(seqs(queue.take())).toEqual([2]);
  later(500);
  queue.push(items.slice(2, 3));
  expect(seqs(queue.take())).toEqual([1, 3]);
});

test("pushes that come twice are given once, what is missing between them is read at once", async () => {
  const items = await closings();
  expect(items.length).toBeGreaterThan(3);
  queue.push(items.slice(0, 1));
  queue.push(items.slice(0, 1));
  queue.push(items.slice(2));
  expect(seqs(queue.take())).toEqual([1]);
  await taken(queue, items.slice(1));
  // The poll that is held is told of what was read, not only of what was pushed.
  expect(arrived).toHaveBeenCalledTimes(4);
});

test("an instruction that a call waits for is read where its push was lost", async () => {
  const items = await closings();
  queue.want(items.at(-1)?.seq ?? 0);
  expect(queue.take()).toEqual([]);
  await taken(queue, items);
});

test("a push that never came is read, by a mailbox that woke without memory too", async () => {
  const items = await closings();
  later(30_001);
  queue.acknowledge(0);
  await taken(queue, items);
  const woken = newQueue();
  woken.push(items.slice(-1));
  woken.acknowledge(1);
  await taken(woken, items.slice(1));
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
    arrived,
  });
  blind.acknowledge(0);
  expect(blind.take()).toEqual([]);
  await vi.waitFor(() => expect(arrived).toHaveBeenCalled());
  down = false;
  blind.acknowledge(0);
  await taken(blind, items);
});

test("an acknowledgement that comes late, or twice, takes nothing back", async () => {
  const items = await closings();
  queue.push(items);
  queue.take();
  queue.acknowledge(3);
  queue.acknowledge(1);
  later(2000);
  expect(seqs(queue.take())).toEqual(seqs(items).filter((seq) => seq > 3));
});
