import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  bodyOf,
  callAs,
  enter,
  type Member,
  openRoom,
  tokenFor,
  tryEnter,
} from "#test/control/api.ts";
import { type CallAnswer, type Control, startControl } from "#test/harness/control.ts";
import { RawClient } from "./raw-http.ts";

/** What the broker's object counts with; Workers' types have no place in a test. */
const file = new URL("../../control/objects/claim-limits.ts", import.meta.url).href;
const { ClaimLimits } = (await import(file)) as {
  ClaimLimits: new (
    limits: object,
  ) => {
    refusalOf(
      name: string,
      input: object,
      nowMs: number,
    ): { refusal: string } | undefined;
  };
};

const few = { burst: 20, perSecond: 0.2 };

/** Calls until one is refused, at most so often; how many were let through. */
async function flood(call: () => Promise<CallAnswer>, most = 60) {
  const answers = await Promise.all(Array.from({ length: most }, call));
  const refused = answers.filter(({ status }) => status === 429);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({ code: "rate-limited", status: 429 });
    expect(body.detail).toContain("go slower");
    expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(Number(headers.get("retry-after"))).toBe(body.retryAfter);
  }
  return { passed: answers.length - refused.length, refused: refused.length };
}

describe("what comes too fast is told to wait", () => {
  let control: Control;
  let ann: Member;
  let bob: Member;

  beforeAll(async () => {
    // One limit at a time: the others are far away.
    const limits = { identity: few, session: few, claim: { burst: 5, perSecond: 0.2 } };
    control = await startControl({ settings: { limits } });
    const room = await openRoom(control);
    ann = await enter(control, room.id, "ann");
    bob = await enter(control, room.id, "bob");
  });
  afterAll(() => control.stop());

  test("claims of one session, exactly; another's are served", async () => {
    const claim = (member: Member) =>
      callAs(control, member, "POST", `/v1/sessions/${member.sessionId}/broadcasts`, {
        body: { media: "camera" },
      });
    expect(await flood(() => claim(ann), 15)).toEqual({ passed: 5, refused: 10 });
    // There is no host, which is another matter.
    expect((await claim(bob)).body.code).toBe("no-producer-capacity");
  });

  test("calls of one session; another's are served", async () => {
    const renew = (member: Member) =>
      callAs(control, member, "POST", `/v1/sessions/${member.sessionId}/credential`);
    const { passed, refused } = await flood(() => renew(ann));
    expect(passed).toBeLessThanOrEqual(few.burst + 2);
    expect(refused).toBeGreaterThan(30);
    bodyOf(await renew(bob), 201);
  });

  test("one person who enters again and again", async () => {
    const { roomId } = ann;
    const token = await tokenFor(control, roomId, "again");
    const { refused } = await flood(() => tryEnter(control, roomId, token));
    expect(refused).toBeGreaterThan(30);
  });
});

test("whoever enters, publishes or plays in a room is counted against it, and another room is served", () => {
  const limits = new ClaimLimits({ claim: few, room: { burst: 1, perSecond: 0.001 } });
  for (const name of ["enterRoom", "startIngest", "startPlayback"] as const) {
    const enter = (roomId: string) => limits.refusalOf(name, { roomId }, 0)?.refusal;
    const rooms = [`one for ${name}`, `another for ${name}`];
    expect(rooms.map(enter), name).toEqual([undefined, undefined]);
    expect(rooms.map(enter), name).toEqual(["rate-limited", "rate-limited"]);
  }
});

describe("one address that calls too fast", () => {
  let control: Control;
  /** Requests that any of the databases had. */
  let asked = 0;

  beforeAll(async () => {
    const limits = { address: few, open: few, entry: few, register: few };
    const counting = {
      faults: async () => {
        asked += 1;
        return "none" as const;
      },
    };
    control = await startControl({
      settings: { limits, databases: { readyMs: 600_000 } },
      stripeSecret: "whsec_test",
      database: counting,
      databases: { accounts: counting, sessions: counting, premium: counting },
    });
  });
  afterAll(() => control.stop());

  const floods: [what: string, method: string, path: string, body?: unknown][] = [
    ["registrations", "POST", "/v1/agent/challenge", { name: "a" }],
    ["entries", "POST", "/v1/rooms/room_local_0000/sessions", {}],
    ["open calls", "GET", "/v1/zones"],
    ["the API's document", "GET", "/openapi.json"],
    ["calls with a key", "GET", "/v1/rooms"],
  ];

  test.each(floods)("is told to wait: %s", async (_, method, path, body) => {
    const before = asked;
    const { refused } = await flood(() =>
      control.call(method, path, { key: "key_local_none.none", body }),
    );
    expect(refused).toBeGreaterThan(30);
    // Nothing of it reaches a database, however wrong its credential is.
    expect(asked - before).toBeLessThan(few.burst + 5);
  });

  test("is told to wait from whatever page it says to be", async () => {
    const before = asked;
    let pages = 0;
    const { refused } = await flood(() => {
      pages += 1;
      const headers = { origin: `https://page-${pages}.example` };
      return control.call("GET", "/v1/rooms", { key: "key_local_none.none", headers });
    });
    expect(refused).toBeGreaterThan(30);
    expect(asked - before).toBeLessThan(few.burst + 5);
  });

  test("asks in vain whether control is ready: the databases are looked at once in a while", async () => {
    const elsewhere = new RawClient(control.url, 8, "127.0.0.10");
    const ready = { method: "GET", path: "/readyz", headers: {} };
    expect((await elsewhere.send(ready)).status).toBe(200);
    const before = asked;
    const answers = Array.from({ length: few.burst - 1 }, () => elsewhere.send(ready));
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    elsewhere.close();
    expect(asked - before).toBeLessThan(5);
  });

  test("another address is served meanwhile", async () => {
    const { refused } = await flood(() => control.call("GET", "/v1/zones"));
    expect(refused).toBeGreaterThan(0);
    const elsewhere = new RawClient(control.url, 1, "127.0.0.9");
    const request = { method: "GET", path: "/v1/zones", headers: {} };
    expect((await elsewhere.send(request)).status).toBe(200);
    elsewhere.close();
  });
});
