import { firstAccountId } from "#schema/ids.ts";
import {
  bodyOf,
  callAs,
  enter,
  leave,
  type Member,
  openRoom,
  tokenFor,
} from "#test/control/api.ts";
import { goLive, readyViews, watch } from "#test/control/media.ts";
import { registerPaper, registrationOf, startNode, times } from "#test/control/node.ts";
import {
  type Control,
  type ControlOptions,
  startControl,
} from "#test/harness/control.ts";
import type { Known } from "./json-schema.ts";
import { expiredSession, expiredStreamKey, expiredToken } from "./spent.ts";

/** The credentials that one access rule knows, good and bad. */
export interface Holders {
  /** Of whoever the world's things belong to. */
  own: string;
  /** Good ones of somebody else, by who that is. */
  others: Record<string, string>;
  /** Ones that were good once, and the code with which they are refused now. */
  over: Record<string, { credential: string; code: string }>;
  /** Other rules whose credentials this one takes too. */
  alsoTakes?: string[];
}

/** A running zone in which there is one of everything, and people around it. */
export interface World {
  control: Control;
  ann: Member;
  /** By access rule. A rule that is not here has no test, which fails. */
  holders: Record<string, Holders>;
  /** What is ann's or her account's, by the place in a path where it stands. */
  own: Known;
  /** The same for things that are not there. */
  absent: Known;
  /** Good session credentials that ann's room must not take. */
  strangers: { expired: string; ended: string; elsewhere: string };
  stop(): Promise<void>;
}

// Nobody in the world opens a channel or connects: nothing is to end by itself.
const longMs = 3_600_000;
const settings = {
  timing: {
    sessionAttachMs: longMs,
    viewClaimMs: longMs,
    pipeLingerMs: longMs,
    // The node on paper is never heard of.
    nodeSuspectMs: longMs,
    nodeLeaseMs: longMs,
    // A poll that is as good as any other is not to hold up the rest.
    pollHoldMs: 200,
  },
};

/** Makes the world. Its lobby is closed unless told otherwise. */
export async function makeWorld(
  options: Pick<ControlOptions, "lobby"> = {},
): Promise<World> {
  const control = await startControl({ ...options, settings });
  const node = await startNode(control, "one", "producer:camera:2,consumer:camera:2");
  const room = await openRoom(control);
  const other = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  const carl = await enter(control, room.id, "carl");
  const dora = await enter(control, other.id, "dora");
  const gone = await enter(control, room.id, "gone");
  await leave(control, gone);
  const broadcast = await goLive(control, ann);
  await goLive(control, bob);
  const watched = await watch(control, ann);
  const key = control.keys.api;
  const hook = { url: "https://example.org/hook" };
  const webhook = await control.call("POST", "/v1/webhooks", { key, body: hook });
  const track = await control.database.execute({
    sql: "SELECT id FROM track WHERE broadcast_id = ? AND kind = 'video'",
    args: [broadcast],
  });
  const token = await tokenFor(control, room.id, "ann");
  const elsewhere = await tokenFor(control, other.id, "ann");
  const paper = await registerTwice(control);
  const expired = await expiredSession(control, ann);
  const stranger = await addAccount(control);
  const operator = { key: control.keys.operator };
  const granted = await control.call(
    "POST",
    `/v1/accounts/${firstAccountId(control.zone)}/entitlements`,
    { ...operator, body: { tier: 1 } },
  );
  const ids = {
    account: firstAccountId(control.zone),
    key: key.split(".")[0] ?? "",
    entitlement: bodyOf(granted, 201).id as string,
    room: room.id,
    channel: room.id,
    session: ann.sessionId,
    broadcast,
    track: String(track.rows[0]?.id),
    view: readyViews(watched)[0] ?? "",
    transport: watched.transports[0]?.id ?? "",
    node: node.id,
    webhook: bodyOf(webhook, 201).id as string,
  };
  const missing = Object.keys(ids).map((kind) => {
    const rest = kind === "transport" ? "one_0000" : "0000";
    return [kind, `${kind === "channel" ? "room" : kind}_${control.zone}_${rest}`];
  });
  const keys = `/v1/sessions/${ann.sessionId}/stream-keys`;
  const streamKey = bodyOf(await callAs(control, ann, "POST", keys), 201).key as string;
  const alone = (own: string): Holders => ({ own, others: {}, over: {} });
  return {
    control,
    ann,
    holders: {
      apiKey: {
        own: key,
        others: { "of another account": stranger.key },
        over: { revoked: { credential: stranger.revoked, code: "unauthenticated" } },
      },
      operator: alone(control.keys.operator),
      nodeKey: alone(control.keys.node),
      node: {
        ...alone(paper.credential),
        over: {
          "of an earlier registration": {
            credential: paper.earlier,
            code: "node-fenced",
          },
        },
      },
      joinToken: {
        own: token,
        // Who was in comes back with the credential of that session.
        alsoTakes: ["session", "reader"],
        others: { "of another room": elsewhere },
        over: {
          expired: {
            credential: await expiredToken(control, room.id),
            code: "unauthenticated",
          },
        },
      },
      encoder: {
        own: streamKey,
        alsoTakes: ["joinToken"],
        others: { "of another room": elsewhere },
        over: {
          "an expired join token": {
            credential: await expiredToken(control, room.id),
            code: "unauthenticated",
          },
          "an expired stream key": {
            credential: await expiredStreamKey(control, room.id),
            code: "unauthenticated",
          },
        },
      },
      reader: {
        own: ann.key,
        alsoTakes: ["apiKey", "session"],
        others: {
          "of another in the room": carl.key,
          "of another room": dora.key,
          "of another account": stranger.key,
        },
        over: {
          expired: { credential: expired, code: "unauthenticated" },
          "of a session that ended": { credential: gone.key, code: "not-found" },
        },
      },
      session: {
        own: ann.key,
        // The same credential: a participant is a reader too.
        alsoTakes: ["reader"],
        others: { "of another in the room": carl.key, "of another room": dora.key },
        over: {
          expired: { credential: expired, code: "unauthenticated" },
          "of a session that ended": { credential: gone.key, code: "not-found" },
        },
      },
    },
    own: { ids, fields: { token: elsewhere } },
    absent: { ids: Object.fromEntries(missing), fields: { token: elsewhere } },
    strangers: { expired, ended: gone.key, elsewhere: dora.key },
    async stop() {
      await node.stop();
      await control.stop();
    },
  };
}

/** Another account, with a key and one that was revoked. */
async function addAccount(control: Control): Promise<{ key: string; revoked: string }> {
  const key = control.keys.operator;
  const body = { name: "stranger", everyTier: true };
  const added = bodyOf(await control.call("POST", "/v1/accounts", { key, body }), 201);
  const path = `/v1/accounts/${added.id}/keys`;
  const made = bodyOf(await control.call("POST", path, { key, body: {} }), 201);
  bodyOf(await control.call("DELETE", `${path}/${made.id}`, { key }), 200);
  return { key: added.key.apiKey, revoked: made.apiKey };
}

/** A node that is there on paper only: no agent says anything of it by itself. */
async function registerTwice(control: Control) {
  const workers = times(1, { role: "consumer", mediaClass: "screen" });
  const body = registrationOf("paper", workers);
  const register = async () => {
    return bodyOf(await registerPaper(control, body), 200).credential as string;
  };
  const earlier = await register();
  return { earlier, credential: await register() };
}
