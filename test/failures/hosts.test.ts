import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Host } from "#test/chaos/fleet.ts";
import { signalIfThere } from "#test/harness/children.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { SmallZone, suspectMs } from "./small-zone.ts";

let small: SmallZone;

beforeAll(async () => {
  small = await SmallZone.start();
});
afterAll(async () => {
  await small.stop();
});
/** Workers that a test holds still. */
const held: number[] = [];
// Whatever a test has done to a host: the next one finds all three well.
afterEach(async () => {
  for (const pid of held.splice(0)) signalIfThere(pid, "SIGCONT");
  for (const host of small.zone.fleet.hosts) {
    host.thaw();
    host.link.cut(false);
    if (!host.agent) await host.start();
  }
  await small.zone.fleet.healthy(60_000);
  await small.isWell();
});

async function pidOf(host: Host, role: "producer" | "consumer"): Promise<number> {
  const state = await host.state();
  const pid = state?.workers.find((worker) => worker.role === role)?.pid;
  if (!pid) throw new Error(`${host.name} has no ${role}`);
  return pid;
}

// First, as hosts that failed of late are held back, and could take nobody in.
test("an agent that is asked to leave is left by all first, and ends well", async () => {
  const host = await small.hostWith("views");
  expect(await host.drain()).toEqual({ code: 0, claims: 0 });
  // Its goodbye came: nobody waited for its lease.
  expect((await small.nodeOf(host))?.state).toBe("gone");
});

test.each([
  ["a worker that serves viewers", "views", "consumer"],
  ["a worker that takes cameras in", "broadcasts", "producer"],
] as const)("%s dies: everybody sees everybody again", async (_, has, role) => {
  const host = await small.hostWith(has);
  const died = await pidOf(host, role);
  process.kill(died, "SIGKILL");
  const followed = async () => (await pidOf(host, role)) !== died;
  await waitFor(followed, { what: "the worker that takes its place" });
  await small.isWell();
});

test("viewers whose host answers control and sends them nothing are moved on their word", async () => {
  const host = await small.hostWith("views");
  const { epoch } = (await small.nodeOf(host)) ?? {};
  const pid = await pidOf(host, "consumer");
  process.kill(pid, "SIGSTOP");
  held.push(pid);
  await small.isWell();
  // Nothing but their word spoke against it.
  const node = await small.nodeOf(host);
  expect([node?.epoch, node?.state === "gone"]).toEqual([epoch, false]);
}, 120_000);

test("who loses every connection goes on in the same session, watching and sending", async () => {
  const { remote } = small.zone.crowd;
  const [seen = ""] = Object.keys(await remote.pictures());
  const both = seen.split(" ");
  const sessions = () => Promise.all(both.map((identity) => remote.sessionOf(identity)));
  const before = await sessions();
  const views = await small.control.count("view");
  for (const identity of both) await remote.breakTransports(identity);
  await small.isWell();
  expect(await sessions()).toEqual(before);
  expect(await small.control.count("view")).toBe(views);
});

test("an agent that is killed and started again has nothing of its former life", async () => {
  const host = await small.hostWith("views");
  const { epoch = 0 } = (await small.nodeOf(host)) ?? {};
  await host.kill();
  await host.start();
  const again = async () => ((await small.nodeOf(host))?.epoch ?? 0) > epoch;
  await waitFor(again, { what: "its registration", timeoutMs: 30_000 });
  await small.isWell();
});

test("a control path that is cut for less than the lease interrupts nothing", async () => {
  const host = await small.hostWith("views");
  const before = await small.interruptions();
  host.link.cut(true);
  await small.becomes(host, "suspect");
  host.link.cut(false);
  await small.becomes(host, "ready");
  await small.isWell();
  // The cut lasted for longer than that.
  expect(await small.longestSince(before)).toBeLessThan(suspectMs);
});

test("a host that is cut off for longer than its lease is fenced, and nothing counts twice", async () => {
  const host = await small.hostWith("views");
  const { epoch = 0 } = (await small.nodeOf(host)) ?? {};
  host.link.cut(true);
  await small.becomes(host, "gone");
  // Its media is as healthy as before, and others have its viewers meanwhile.
  await small.isWell();
  host.link.cut(false);
  await small.becomes(host, "ready");
  expect((await small.nodeOf(host))?.epoch).toBeGreaterThan(epoch);
  await small.isWell();
});

test("a host that is cut off with its media for longer than its lease comes back without what it had", async () => {
  const host = await small.hostWith("views");
  const { epoch = 0 } = (await small.nodeOf(host)) ?? {};
  host.freeze();
  await small.becomes(host, "gone");
  // Others show what it showed, and have what it had taken in sent to them.
  await small.isWell();
  host.thaw();
  await small.becomes(host, "ready");
  expect((await small.nodeOf(host))?.epoch).toBeGreaterThan(epoch);
  await small.isWell();
});

test("most of a zone that falls silent at once loses nothing, and the operator is told", async () => {
  const hosts = small.zone.fleet.hosts.slice(1);
  const epochs = () => Promise.all(hosts.map(async (host) => small.nodeOf(host)));
  const before = (await epochs()).map((node) => node?.epoch);
  const shown = await small.interruptions();
  const alerts = async () =>
    (await small.control.complaints()).filter((line) => line.includes("leases-paused"));
  const { length } = await alerts();
  for (const { link } of hosts) link.cut(true);
  const told = async () => (await alerts()).length > length;
  await waitFor(told, { what: "the alert that leases wait", timeoutMs: 60_000 });
  for (const host of hosts) await small.becomes(host, "suspect");
  for (const { link } of hosts) link.cut(false);
  for (const host of hosts) await small.becomes(host, "ready");
  expect((await epochs()).map((node) => node?.epoch)).toEqual(before);
  await small.isWell();
  expect(await small.longestSince(shown)).toBeLessThan(suspectMs);
});

test("hosts whose clocks are a minute apart serve as others do", async () => {
  const [early, late] = small.zone.fleet.hosts;
  if (!early || !late) throw new Error("no hosts");
  await Promise.all([early.kill(), late.kill()]);
  await Promise.all([early.start(-60_000), late.start(60_000)]);
  await small.zone.fleet.healthy(60_000);
  await small.newcomerSees();
  await delay(suspectMs);
  for (const host of [early, late]) await small.becomes(host, "ready");
  await small.isWell();
}, 120_000);

test.each(["lose", "double", "late", "shuffle"] as const)(
  "poll answers that come to harm (%s) leave nothing behind and nothing out",
  async (fate) => {
    for (const host of small.zone.fleet.hosts) host.link.disturb(fate, 4);
    for (const camera of [false, true, false]) {
      await small.zone.population.change(camera);
    }
    await small.isWell();
  },
);

test("what a viewer and a broadcaster who vanished held comes back", async () => {
  const before = await small.control.count("session");
  const { population } = small.zone;
  await Promise.all([population.vanish(false, 0), population.vanish(true, 0)]);
  // Those who follow are counted beside until the others' end is noticed.
  const followed = async () => (await small.control.count("session")) === before + 2;
  await waitFor(followed, { what: "the followers" });
  const settled = async () => (await small.control.count("session")) === before;
  await waitFor(settled, { what: "the sessions' end", timeoutMs: 60_000 });
  await small.isWell();
}, 120_000);

test("after everybody has left nothing is held anywhere", async () => {
  await small.isEmptyAfterAll();
}, 150_000);
