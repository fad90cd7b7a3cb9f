import type { CallResult } from "#schema/agent/call-results.ts";
import { zoneOf } from "#schema/ids.ts";
import type { Joining } from "../auth/join-tokens.ts";
import type { ClaimedView } from "../broker/decide/views.ts";
import type { Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import { enteringBySdp, type Negotiated } from "./ingest.ts";
import { requireUnrevoked } from "./revocations.ts";
import { type Bringing, callConsumer, openLegs, type Unpaired } from "./watch-calls.ts";

interface Playing extends Pick<Bringing, "env" | "afterSeq"> {
  session: { roomId: string; sessionId: string };
  offer: string;
  /** The best spatial layer that is wanted; all of them unless given. */
  layer?: number;
}

/**
 * Lets a player in and brings it one broadcast: a session and a seat in one
 * commit, then the calls of any view. What fails gives all of it back.
 * @param later runs work that nobody waits for
 */
export async function play(
  env: Env,
  joining: Joining,
  broadcastId: string,
  { offer, layer }: { offer: string; layer?: number },
  later: (work: Promise<unknown>) => void,
): Promise<Negotiated> {
  await requireUnrevoked(env, joining);
  const input = enteringBySdp(joining);
  const { roomId } = input;
  const zone = zoneOf(roomId) ?? "";
  const started = await ask(env, zone, "startPlayback", { ...input, broadcastId });
  const { sessionId, view, afterSeq } = started;
  const session = { roomId, sessionId };
  try {
    const playing = { env, session, offer, layer, afterSeq };
    let played = await callPlay(playing, view, !view.pipeOpen);
    const missed = played.status === "failed" && played.code === "no-pipe";
    // A pipe that the ledger holds open may have died with its host's agent.
    if (missed && view.pipeOpen) played = await callPlay(playing, view, true);
    if (played.status === "failed") {
      const code =
        played.code === "cannot-consume" ? "validation-failed" : "media-failed";
      throw new Problem(code, { detail: played.reason });
    }
    const { consumer, generation } = view;
    const pipes = [{ broadcastId, workerId: consumer.workerId, generation }];
    later(ask(env, zone, "openPipes", { pipes }));
    return { sessionId, answer: played.answer, etag: played.etag };
  } catch (error) {
    await ask(env, zone, "leaveRoom", session);
    throw error;
  }
}

async function callPlay(
  { env, session, offer, layer, afterSeq }: Playing,
  { consumer, transportId, producer, ...view }: ClaimedView,
  open: boolean,
): Promise<CallResult<"play">> {
  const claimed = [{ consumer, transportId, producer, ...view }];
  const opened = open ? await openLegs({ env, afterSeq }, consumer, claimed) : undefined;
  const { viewId, broadcastId, generation } = view;
  const sourceless = opened?.sourceless.get(broadcastId);
  if (sourceless) throw sourceless;
  const request: Unpaired<"play"> = {
    op: "play",
    ...session,
    worker: consumer,
    transportId,
    view: {
      viewId,
      broadcastId,
      generation,
      producer,
      legs: opened?.legs.get(broadcastId),
      kinds: ["audio", "video"],
      preferredLayers: layer === undefined ? undefined : { spatialLayer: layer },
      paused: false,
    },
    offer,
  };
  return callConsumer({ env, afterSeq }, request, opened?.pairs ?? []);
}
