import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeIdOfWorker } from "#schema/ids.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { accountId, enter, entry, openRoom, register } from "./people.ts";

/* Sessions without a channel: an encoder is there by its transport alone. */

let zone: Zone;
let roomId: string;

beforeEach(async () => {
  zone = await startZone();
  await register(zone);
  roomId = await openRoom(zone);
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
});

const ingest = (identity = "ana", media: "camera" | "screen" = "camera") =>
  zone.get("startIngest", { ...entry(roomId, identity), media });

const sessions = () => zone.count("SELECT count(*) FROM session");
const broadcasts = () => zone.count("SELECT count(*) FROM broadcast");

test("an encoder enters and claims its place in one commit", async () => {
  const commits = zone.committed.length;
  await ingest();
  expect(zone.committed.length - commits).toBe(1);
  expect([await sessions(), await broadcasts()]).toEqual([1, 1]);
});

test("one whose transport never comes up is gone after the time to attach", async () => {
  await ingest();
  await zone.advance(zone.settings.timing.sessionAttachMs);
  expect([await sessions(), await broadcasts()]).toEqual([0, 0]);
});

test("one whose transport is up lives on without a channel, through a change of tier", async () => {
  const { sessionId } = await ingest();
  await zone.get("carrySession", { roomId, sessionId });
  await zone.advance(2 * zone.settings.timing.sessionAttachMs);
  await zone.get("changeRoom", { roomId, accountId, tier: 2 });
  await zone.advance(2 * zone.settings.timing.sessionAttachMs);
  expect([await sessions(), await broadcasts()]).toEqual([1, 1]);
});

test("only the host that has its transport can say that an encoder is there", async () => {
  await register(zone, { name: "b", workers: ["consumer"] });
  const { sessionId, worker } = await ingest();
  const nodeId = nodeIdOfWorker(worker.workerId);
  const lie = { roomId, sessionId, nodeId: nodeId.replace(/_a$/, "_b") };
  await zone.get("carrySession", lie);
  await zone.advance(zone.settings.timing.sessionAttachMs);
  expect(await sessions()).toBe(0);
  const second = (await ingest()).sessionId;
  await zone.get("carrySession", { roomId, sessionId: second, nodeId });
  await zone.advance(zone.settings.timing.sessionAttachMs);
  expect(await sessions()).toBe(1);
});

test("a lost transport ends the session with its broadcast, once", async () => {
  const { sessionId, broadcastId, transportId } = await ingest();
  const lost = {
    roomId,
    sessionId,
    broadcastId,
    transportId,
    direction: "send" as const,
  };
  await zone.get("transportLost", { ...lost, viewIds: [], reason: "gone" });
  expect([await sessions(), await broadcasts()]).toEqual([0, 0]);
  await zone.ask("transportLost", { ...lost, viewIds: [], reason: "gone" });
  const left = zone.told(roomId).filter(({ event }) => event.type === "session.left");
  expect(left).toHaveLength(1);
});

test("an encoder whose host is lost ends with it, and is not waited for", async () => {
  const { sessionId, worker } = await ingest();
  await zone.get("carrySession", { roomId, sessionId });
  const nodeId = nodeIdOfWorker(worker.workerId);
  await zone.get("nodeSilent", { nodeId, epoch: 1, state: "gone" });
  expect([await sessions(), await broadcasts()]).toEqual([0, 0]);
});

test("an encoder that comes again takes its own earlier place, and nobody else's", async () => {
  const first = await ingest("ana");
  const other = await ingest("bob");
  const again = await ingest("ana");
  const { sessions: present } = await zone.get("listSessions", { roomId });
  const ids = present.map(({ id }) => id);
  expect(ids.toSorted()).toEqual([other.sessionId, again.sessionId].toSorted());
  expect(ids).not.toContain(first.sessionId);
});

test("what is refused leaves no session behind", async () => {
  const may = { ...entry(roomId, "ana"), media: "camera" as const };
  const forbidden = await zone.refused("startIngest", { ...may, canPublish: false });
  expect(forbidden.refusal).toBe("forbidden");
  const screen = await zone.refused("startIngest", {
    ...may,
    canPublish: true,
    media: "screen",
  });
  expect(screen.refusal).toBe("no-screen-capacity");
  expect([await sessions(), await broadcasts()]).toEqual([0, 0]);
});

test("only its own identity finds an encoder's transport", async () => {
  const { sessionId, transportId } = await ingest("ana");
  const at = { roomId, sessionId, carrier: "whip" as const };
  const found = await zone.get("locateCarried", { ...at, identity: "ana" });
  expect(found).toEqual({ transportId });
  const { refusal } = await zone.refused("locateCarried", { ...at, identity: "bob" });
  expect(refusal).toBe("not-found");
  const channel = { roomId, sessionId: await enter(zone, roomId) };
  const usual = { ...channel, identity: "somebody", carrier: "whip" as const };
  expect((await zone.refused("locateCarried", usual)).refusal).toBe("not-found");
});
