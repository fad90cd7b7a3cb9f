import { readAccountUse } from "./decide/accounts.ts";
import {
  addTrack,
  changeTrack,
  claimBroadcast,
  locateBroadcast,
  stopBroadcast,
} from "./decide/broadcasts.ts";
import {
  carrySession,
  locateCarried,
  mayPublish,
  startIngest,
  startPlayback,
} from "./decide/carried.ts";
import { explainView } from "./decide/explain.ts";
import { failViews } from "./decide/fail-views.ts";
import { readCodecs, readFleet, readPlacement } from "./decide/fleet.ts";
import { nodeHeard } from "./decide/heartbeat.ts";
import { wantLayers } from "./decide/layers.ts";
import { mayBroadcast } from "./decide/may-broadcast.ts";
import { openPipes, transportLost, viewLost } from "./decide/media.ts";
import { workerOfMedia } from "./decide/media-worker.ts";
import { ban, kick, unban } from "./decide/moderation.ts";
import { nodeLeft, nodeSilent, workerDied } from "./decide/node-ends.ts";
import { forgetNodeKey, readNodeEpoch } from "./decide/node-keys.ts";
import { acknowledge, cordonNode, drainNode, registerNode } from "./decide/nodes.ts";
import { pairsDry } from "./decide/pairs-dry.ts";
import { reconcileNode } from "./decide/reconcile.ts";
import { locateTrack, resumeBroadcast, resumeTrack } from "./decide/resume.ts";
import { changeRoom } from "./decide/retier.ts";
import { closeRoom, createRoom, readRoom } from "./decide/rooms.ts";
import {
  attachSession,
  detachSession,
  endIdentity,
  enterRoom,
  leaveRoom,
  listSessions,
  readRoomState,
} from "./decide/sessions.ts";
import { showBroadcast, unshowBroadcast } from "./decide/shown.ts";
import { tick } from "./decide/tick.ts";
import { activateViews, claimViews, locateViews, releaseViews } from "./decide/views.ts";
import { vouchFor } from "./decide/vouch.ts";
import {
  addWebhook,
  removeWebhook,
  resealWebhook,
  tellAccount,
} from "./decide/webhooks.ts";
import type { Decision } from "./decision.ts";

/** Everything that a broker can be asked, by name. */
const decisions = {
  acknowledge,
  activateViews,
  addTrack,
  addWebhook,
  attachSession,
  ban,
  carrySession,
  changeRoom,
  changeTrack,
  claimBroadcast,
  claimViews,
  closeRoom,
  cordonNode,
  createRoom,
  detachSession,
  drainNode,
  endIdentity,
  enterRoom,
  explainView,
  failViews,
  forgetNodeKey,
  kick,
  leaveRoom,
  listSessions,
  locateBroadcast,
  locateCarried,
  locateTrack,
  locateViews,
  mayBroadcast,
  mayPublish,
  nodeHeard,
  nodeLeft,
  nodeSilent,
  openPipes,
  pairsDry,
  readAccountUse,
  readCodecs,
  readFleet,
  readNodeEpoch,
  readPlacement,
  readRoom,
  readRoomState,
  reconcileNode,
  registerNode,
  releaseViews,
  removeWebhook,
  resealWebhook,
  resumeBroadcast,
  resumeTrack,
  showBroadcast,
  startIngest,
  startPlayback,
  stopBroadcast,
  tellAccount,
  tick,
  transportLost,
  unban,
  unshowBroadcast,
  viewLost,
  vouchFor,
  wantLayers,
  workerDied,
  workerOfMedia,
};

export type DecisionName = keyof typeof decisions;
export type DecisionInput<Name extends DecisionName> = Parameters<
  (typeof decisions)[Name]["decide"]
>[1];
export type DecisionOutput<Name extends DecisionName> =
  (typeof decisions)[Name] extends Decision<never, infer Output> ? Output : never;

export function decisionOf(name: DecisionName): Decision<unknown, unknown> {
  return decisions[name] as Decision<unknown, unknown>;
}
