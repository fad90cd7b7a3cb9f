import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf, callAs, enter, enterMany, leave, type Member, openRoom } from "./api.ts";
import { holdings, nothing, pointsByWorker } from "./ledger.ts";
import { claimBroadcast, goLive, readyViews, refusedCodes, watch } from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

/*
 * Two consumer workers of two points with six seats: 24 views exist, no more.
 * Two producer workers of three places: six broadcasts.
 */
const points = 4;
const seats = 24;
const places = 6;

let control: Control;
let node: TestNode;

beforeAll(async () => {
  control = await startControl({
    settings: {
      tiers: [
        { broadcasts: 40, viewers: 128, producer: "shared" },
        { broadcasts: 1, viewers: 128, producer: "shared" },
      ],
      weight: { broadcastsPerProducerWorker: 3 },
      timing: {
        pipeLingerMs: 50,
        viewClaimMs: 600_000,
        sessionAttachMs: 600_000,
        callDeadlineMs: 20_000,
        // What is only answered later would be held and not counted as granted.
        viewsAnswerMs: 20_000,
      },
      // A hundred come at once on a machine that may be busy with other tests.
      databases: { sessions: { timeoutMs: 20_000 } },
    },
  });
  node = await startNode(control, "small", "producer:camera:2,consumer:camera:2:2");
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});

let people: Member[] = [];
afterEach(async () => {
  await Promise.all(people.map((member) => leave(control, member)));
  people = [];
  // The linger of the last pipes is a deadline of the broker.
  await expect.poll(() => holdings(control)).toEqual(nothing);
});

async function crowd(count: number): Promise<Member[]> {
  const room = await openRoom(control, { tier: 0 });
  const members = await enterMany(control, room.id, count);
  people.push(...members);
  return members;
}

describe("a hundred viewers at once", () => {
  test("of one broadcast get exactly the seats that exist", async () => {
    const [broadcaster, ...viewers] = await crowd(101);
    if (!broadcaster) throw new Error("nobody came");
    const broadcastId = await goLive(control, broadcaster);
    const answers = await Promise.all(viewers.map((viewer) => watch(control, viewer)));
    expect(answers.flatMap(readyViews)).toHaveLength(seats);
    const refused = answers.flatMap(refusedCodes);
    expect(refused).toHaveLength(viewers.length - seats);
    expect(new Set(refused)).toEqual(new Set(["no-consumer-capacity"]));
    expect(await holdings(control)).toMatchObject({ views: seats, points, slots: 2 });
    expect(await pointsByWorker(control)).toEqual([2, 2]);

    // One seat comes free, and is given once.
    const seated = viewers.filter((_, at) => readyViews(answers[at] as never).length > 0);
    const standing = viewers.filter((viewer) => !seated.includes(viewer));
    const viewId = readyViews(answers[viewers.indexOf(seated[0] as Member)] as never)[0];
    const path = `/v1/views/${viewId}`;
    const first = await callAs(control, seated[0] as Member, "DELETE", path);
    expect(bodyOf(first, 200)).toEqual({ released: 1 });
    const again = await callAs(control, seated[0] as Member, "DELETE", path);
    expect(bodyOf(again, 200)).toEqual({ released: 0 });
    const late = await Promise.all(
      standing.slice(0, 10).map((viewer) => watch(control, viewer, [broadcastId])),
    );
    expect(late.flatMap(readyViews)).toHaveLength(1);
    expect(await holdings(control)).toMatchObject({ views: seats, points });
  });

  test("who leave in the middle of it hold nothing, whatever was answered", async () => {
    const [broadcaster, ...viewers] = await crowd(101);
    if (!broadcaster) throw new Error("nobody came");
    await goLive(control, broadcaster);
    await Promise.all(
      viewers.flatMap((viewer) => {
        const path = `/v1/sessions/${viewer.sessionId}/views`;
        const body = { broadcasts: "all", rtpCapabilities: {}, dtlsParameters: {} };
        const bad = callAs(control, viewer, "POST", path, { body });
        const good = watch(control, viewer).catch(() => undefined);
        return [bad, good, leave(control, viewer)];
      }),
    );
    await waitFor(async () => (await holdings(control)).views === 0, { what: "no view" });
    expect(await holdings(control)).toMatchObject({
      sessions: 1,
      points: 0,
      slots: 0,
      places: 1,
    });
  });

  test("of several broadcasts never have more points than there are", async () => {
    const members = await crowd(100);
    const broadcasters = members.slice(0, 5);
    await Promise.all(broadcasters.map((member) => goLive(control, member)));
    const answers = await Promise.all(members.map((viewer) => watch(control, viewer)));
    const granted = answers.flatMap(readyViews).length;
    const held = await holdings(control);
    // A point belongs to one broadcast: five share four points.
    expect(held).toMatchObject({ views: granted, points });
    expect(granted).toBe(seats);
    const refused = answers.flatMap(refusedCodes);
    expect(refused).toHaveLength(5 * 99 - granted);
    expect(new Set(refused)).toEqual(new Set(["no-consumer-capacity"]));
  });
});

describe("thirty broadcasters at once", () => {
  test("get exactly the producer places that exist, each once", async () => {
    const members = await crowd(30);
    const answers = await Promise.all(
      members.flatMap((member) => [
        claimBroadcast(control, member),
        claimBroadcast(control, member),
      ]),
    );
    const codes = answers.map(({ status, body }) => (status === 201 ? "yes" : body.code));
    const granted = codes.filter((code) => code === "yes");
    expect(granted).toHaveLength(places);
    expect(new Set(codes)).toEqual(
      new Set(["yes", "already-broadcasting", "no-producer-capacity"]),
    );
    const refusal = answers.find(({ body }) => body.code === "no-producer-capacity");
    expect(refusal?.headers.get("retry-after")).toBeTruthy();
    const held = await holdings(control);
    expect(held).toMatchObject({
      broadcasts: places,
      places,
      live: places,
      shown: places,
    });
  });

  test("in a room for one broadcast are refused but one, by the room's tier", async () => {
    const room = await openRoom(control, { tier: 1 });
    people = await enterMany(control, room.id, 30);
    const answers = await Promise.all(people.map((one) => claimBroadcast(control, one)));
    const granted = answers.filter(({ status }) => status === 201);
    expect(granted).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 201);
    for (const { status, body } of others) {
      expect([status, body.code]).toEqual([409, "tier-broadcasts-exceeded"]);
    }
    // The place comes back with the broadcast, and the next one gets it.
    const holder = people[answers.findIndex(({ status }) => status === 201)];
    const [first] = granted;
    const path = `/v1/broadcasts/${first?.body.id}`;
    const stopped = await callAs(control, holder as Member, "DELETE", path);
    expect(bodyOf(stopped, 200)).toEqual({ stopped: true });
    const other = people.find((member) => member !== holder) as Member;
    expect((await claimBroadcast(control, other)).status).toBe(201);
  });
});

test("a view's explanation names the rule and why others were passed over", async () => {
  const [broadcaster, first, second] = await crowd(3);
  if (!broadcaster || !first || !second) throw new Error("nobody came");
  await goLive(control, broadcaster);
  const [firstView] = readyViews(await watch(control, first));
  const [secondView] = readyViews(await watch(control, second));
  const explained = async (viewId: string | undefined) => {
    const path = `/v1/views/${viewId}/explain`;
    return bodyOf(await control.call("GET", path, { key: control.keys.api }), 200);
  };
  const opened = await explained(firstView);
  expect(opened).toMatchObject({
    rule: "point-most-room",
    points: 1,
    openedPipe: true,
    considered: 2,
    sentences: expect.arrayContaining([expect.stringContaining("most room")]),
  });
  const seated = await explained(secondView);
  expect(seated).toMatchObject({ rule: "free-seat", points: 0, openedPipe: false });
  expect(seated.workerId).toBe(opened.workerId);
  expect(seated.sentences.length).toBeGreaterThan(0);
  const stranger = await enter(control, broadcaster.roomId, "stranger");
  people.push(stranger);
  const path = `/v1/views/${firstView}/explain`;
  expect((await callAs(control, stranger, "GET", path)).status).toBe(401);
});
