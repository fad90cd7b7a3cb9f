import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeKey } from "#agent/node-key.ts";
import type { NodeInfo } from "#schema/api/fleet.ts";
import { bodyOf, enter, openRoom } from "#test/control/api.ts";
import { goLive, watch } from "#test/control/media.ts";
import {
  proofOf,
  registerPaper,
  registrationOf,
  startNode,
  type TestNode,
  times,
} from "#test/control/node.ts";
import { type CallAnswer, type Control, startControl } from "#test/harness/control.ts";
import { digestOf } from "./digest.ts";

const consumers = times(1, { role: "consumer", mediaClass: "camera" });
const paper = registrationOf("paper", consumers);
const previousKey = "nk_the-key-before-the-present-one";

let control: Control;
let node: TestNode;

beforeAll(async () => {
  control = await startControl({
    previousNodeKey: previousKey,
    nodeAddresses: "198.51.100.0/24,media.example.org",
    // What a host fails to bring is told in the answer, however busy the machine.
    settings: { timing: { viewsAnswerMs: 60_000 } },
  });
  node = await startNode(control, "source", "producer:camera:2");
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});

async function challenge(name: string) {
  const key = control.keys.node;
  const body = { name };
  return bodyOf(await control.call("POST", "/v1/agent/challenge", { key, body }), 200);
}

async function register(body: object): Promise<CallAnswer> {
  const { rows } = await control.database.execute("SELECT codecs_hash FROM zone");
  return control.call("POST", "/v1/agent/register", {
    key: control.keys.node,
    body: { ...body, codecsHash: rows[0]?.codecs_hash },
  });
}

async function nodeCalled(name: string): Promise<NodeInfo | undefined> {
  const key = control.keys.operator;
  const { nodes } = bodyOf(await control.call("GET", "/v1/nodes", { key }), 200);
  return nodes.find(({ id }: NodeInfo) => id === `node_local_${name}`);
}

const refused = ({ status, body }: CallAnswer) => [status, body?.code];

describe("a node", () => {
  test("is bound to its host's key: the zone's key alone does not seize it", async () => {
    const { credential, epoch } = bodyOf(await registerPaper(control, paper), 200);
    const thief = await registerPaper(control, paper, { host: "thief" });
    expect(refused(thief)).toEqual([403, "node-key-mismatch"]);
    expect(thief.body.detail).toContain("DELETE /v1/nodes/node_local_paper/key");
    expect((await nodeCalled("paper"))?.epoch).toBe(epoch);
    // The host itself has noticed nothing.
    const beat = { workers: [], egressKbps: 0, ingressKbps: 0, draining: false };
    const heard = await control.call("POST", "/v1/agent/heartbeat", {
      key: credential,
      body: beat,
    });
    expect(heard.status).toBe(200);
    const again = bodyOf(await registerPaper(control, paper), 200);
    expect(again.epoch).toBe(epoch + 1);
    const stolen = await control.call("POST", "/v1/agent/heartbeat", {
      key: credential,
      body: beat,
    });
    expect(refused(stolen)).toEqual([409, "node-fenced"]);
  });

  test("whose host was installed anew registers once the operator lets go of its key", async () => {
    const body = registrationOf("anew", consumers);
    bodyOf(await registerPaper(control, body), 200);
    const { publicKey } = proofOf(await challenge("anew"), "anew");
    expect((await nodeCalled("anew"))?.publicKey).toBe(publicKey);
    const path = "/v1/nodes/node_local_anew/key";
    bodyOf(await control.call("DELETE", path, { key: control.keys.operator }), 200);
    expect((await nodeCalled("anew"))?.publicKey).toBeUndefined();
    bodyOf(await registerPaper(control, body, { host: "another" }), 200);
    const old = await registerPaper(control, body);
    expect(refused(old)).toEqual([403, "node-key-mismatch"]);
  });

  test("registers with the present node key and with the one before it", async () => {
    const body = registrationOf("rotated", consumers);
    bodyOf(await registerPaper(control, body, { key: previousKey }), 200);
    bodyOf(await registerPaper(control, body), 200);
    const unknown = await registerPaper(control, body, { key: `${previousKey}x` });
    expect(refused(unknown)).toEqual([401, "unauthenticated"]);
  });
});

describe("a challenge", () => {
  const body = registrationOf("asked", consumers);
  const challengeRefused = [409, "challenge-refused"];

  test("is good once", async () => {
    const proof = proofOf(await challenge("asked"), "asked");
    const unused = proofOf(await challenge("asked"), "asked");
    bodyOf(await register({ ...body, ...proof }), 200);
    expect(refused(await register({ ...body, ...proof }))).toEqual(challengeRefused);
    // One that was given before somebody registered is void too.
    expect(refused(await register({ ...body, ...unused }))).toEqual(challengeRefused);
  });

  test("of another node, too old or not signed by the key is refused", async () => {
    const asked = await challenge("asked");
    const other = proofOf(await challenge("other"), "asked");
    const old = await new SignJWT({ epoch: (await nodeCalled("asked"))?.epoch })
      .setProtectedHeader({ alg: "HS256" })
      .setAudience("node-challenge")
      .setSubject("node_local_asked")
      .setExpirationTime(Math.floor(Date.now() / 1000) - 1)
      .sign(new TextEncoder().encode(control.keys.secret));
    const own = proofOf(asked, "asked");
    const others = proofOf(asked, "thief");
    const elsewhere = proofOf({ ...asked, zone: "elsewhere" }, "asked");
    for (const proof of [
      other,
      proofOf({ ...asked, challenge: old }, "asked"),
      { ...own, signature: others.signature },
      { ...own, signature: "A".repeat(86) },
      { ...own, publicKey: "A".repeat(43) },
      { ...own, challenge: "a.b.c" },
      elsewhere,
    ]) {
      expect(refused(await register({ ...body, ...proof }))).toEqual(challengeRefused);
    }
  });
});

describe("a host announces", () => {
  const announcing = (addresses: { pipe: string; media?: string }) =>
    registerPaper(control, { ...registrationOf("address", consumers), addresses });

  test("the address that it calls from, or one that the operator allows", async () => {
    for (const addresses of [
      { pipe: "127.0.0.1" },
      { pipe: "127.0.0.2", media: "127.0.0.1" },
      { pipe: "198.51.100.20", media: "media.example.org" },
    ]) {
      bodyOf(await announcing(addresses), 200);
    }
  });

  test("no other: the answer names the address and what to do", async () => {
    for (const addresses of [
      { pipe: "203.0.113.9" },
      { pipe: "198.51.101.1" },
      { pipe: "127.0.0.1", media: "victim.example.org" },
      { pipe: "2001:db8::1" },
      { pipe: "not an address" },
    ]) {
      const answer = await announcing(addresses);
      expect(refused(answer)).toEqual([403, "address-refused"]);
      expect(answer.body.detail).toContain(addresses.media ?? addresses.pipe);
      expect(answer.body.detail).toContain("WEIR_NODE_ADDRESSES");
    }
  });

  test("nothing else later: a pipe is never sent where a host did not register", async () => {
    // The hosts of the other tests take no viewers.
    const key = control.keys.operator;
    for (const { id } of (await control.call("GET", "/v1/nodes", { key })).body.nodes) {
      if (id !== node.id) await control.call("POST", `/v1/nodes/${id}/cordon`, { key });
    }
    const liar = registrationOf("liar", consumers);
    const { credential } = bodyOf(await registerPaper(control, liar), 200);
    const room = await openRoom(control);
    const ann = await enter(control, room.id, "ann");
    await goLive(control, ann);
    const bob = await enter(control, room.id, "bob");
    const lying = lie(credential, { ip: "203.0.113.9", port: 5000 });
    const { views } = await watch(control, bob);
    expect(views).toMatchObject([{ status: "refused" }]);
    expect(await lying).toBeGreaterThan(0);
    const pairs = node.agent.registration?.media.pairs.all ?? [];
    for (const pair of pairs) expect(pair.remote).toBeUndefined();
  });
});

test("a node speaks for nothing that is on another", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const broadcastId = await goLive(control, ann);
  const key = bodyOf(await registerPaper(control, paper), 200).credential;
  const { rows } = await control.database.execute({
    sql: "SELECT transport_id FROM broadcast WHERE id = ?",
    args: [broadcastId],
  });
  const lost = {
    kind: "transport-lost",
    roomId: room.id,
    sessionId: ann.sessionId,
    transportId: rows[0]?.transport_id,
    direction: "send",
    broadcastId,
    viewIds: [],
    reason: "a lie",
  };
  const body = { ackSeq: 0, answers: [], events: [lost] };
  const before = await digestOf(control);
  bodyOf(await control.call("POST", "/v1/agent/report", { key, body }), 200);
  expect(await digestOf(control)).toEqual(before);
});

/** Polls like an agent and answers that pipes should go to a victim. */
async function lie(key: string, endpoint: { ip: string; port: number }) {
  for (;;) {
    const body = { ackSeq: 0 };
    const { body: work } = await control.call("POST", "/v1/agent/poll", { key, body });
    const asked = (work?.calls ?? []).filter(
      (call: { request: { op: string } }) => call.request.op === "open-pairs",
    );
    if (asked.length === 0) continue;
    const answers = asked.map(({ callId }: { callId: string }) => ({
      callId,
      ok: true,
      result: { endpoints: [endpoint] },
    }));
    const report = { ackSeq: 0, answers, events: [] };
    await control.call("POST", "/v1/agent/report", { key, body: report });
    return asked.length as number;
  }
}

test("a host's key stays: only its owner may read it", () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-node-key-"));
  try {
    const first = NodeKey.load(folder, "one");
    expect(NodeKey.load(folder, "one").publicKey).toBe(first.publicKey);
    expect(NodeKey.load(folder, "two").publicKey).not.toBe(first.publicKey);
    const file = join(folder, "one.node-key.pem");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    expect(() => NodeKey.load(folder, "one")).toThrow(/WEIR_STATE .* chmod 600/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
