import type { Settings } from "#schema/settings.ts";
import { spreadOf } from "./spread.ts";
import { nominalKbps, pointsOf } from "./weight.ts";

export interface FleetRequest {
  /** How many full rooms of each tier. */
  mix: readonly { tier: number; rooms: number }[];
  settings: Settings;
  /** Cores of a host, one mediasoup worker each. */
  coresPerHost: number;
  /** What a host may send, in kbit/s. */
  hostEgressKbps: number;
  /** Screens shared at once in each room with cameras; 1 unless given. */
  screensPerRoom?: number;
}

/** What a fleet needs to carry full rooms. */
export interface FleetPlan {
  workers: { producer: number; consumer: number; screen: number; total: number };
  hosts: number;
  /** What the number of hosts comes from. */
  bindingLimit: "cores" | "egress";
  points: number;
  /** Consumers of audio and video, 2B(V-1) a room, and screens' beside them. */
  consumers: number;
  /** WebRTC transports: one a broadcaster, and one a viewer and worker. */
  webRtcTransports: number;
  pipes: number;
  legs: number;
  /** Towards viewers and, where every pipe crosses hosts, between hosts. */
  egressMbps: number;
  pipeMbps: number;
  ingressMbps: number;
  terabytesPerDay: number;
}

/** One room's share of a fleet, before anything is rounded to workers. */
export interface RoomNeed {
  points: number;
  screenPoints: number;
  producerWorkers: number;
  /** Broadcasts on producer workers that rooms share. */
  sharedBroadcasts: number;
  consumers: number;
  webRtcTransports: number;
  pipes: number;
  egressKbps: number;
  pipeKbps: number;
  ingressKbps: number;
}

/**
 * What one full room of a tier needs: its V viewers count the B broadcasters,
 * who watch everyone but themselves.
 * @throws RangeError where there is no such tier
 */
export function roomNeed(tier: number, settings: Settings, screens = 0): RoomNeed {
  const size = settings.tiers[tier];
  if (!size) throw new RangeError(`There is no tier ${tier}.`);
  const { broadcasts, viewers } = size;
  const { weight } = settings;
  const spread = spreadOf(size, settings);
  const camera = nominalKbps(settings, "camera");
  const screen = nominalKbps(settings, "screen");
  const shared = broadcasts > 0 ? screens : 0;
  const screenPoints = shared * pointsOf(viewers - 1, weight.seatsPerPoint.screen);
  const screenPipes = Math.ceil(screenPoints / weight.pointsPerWorker);
  const dedicated = size.producer === "dedicated" && broadcasts > 0;
  const second = broadcasts >= weight.secondProducerWorkerFrom;
  const pipes = broadcasts * spread.pipesPerBroadcast;
  const views = broadcasts * (viewers - 1);
  const screenViews = shared * (viewers - 1);
  return {
    points: spread.points,
    screenPoints,
    producerWorkers: dedicated ? (second ? 2 : 1) : 0,
    sharedBroadcasts: dedicated ? 0 : broadcasts,
    consumers: 2 * (views + screenViews),
    webRtcTransports:
      broadcasts + viewers * spread.transportsPerViewer + shared * viewers,
    pipes: pipes + screenPipes,
    egressKbps: views * camera.view + screenViews * screen.view,
    pipeKbps: pipes * camera.leg + screenPipes * screen.leg,
    ingressKbps: broadcasts * camera.leg + shared * screen.leg,
  };
}

/**
 * Works out the fleet that a mix of full rooms needs. Pipes are counted as if
 * every one crossed hosts, which is the most that they can cost.
 * @throws RangeError where the mix names a tier that there is not
 */
export function planFleet(request: FleetRequest): FleetPlan {
  const { settings, coresPerHost, hostEgressKbps } = request;
  const { weight } = settings;
  const screens = request.screensPerRoom ?? 1;
  const sum = { ...nothing };
  let sharedScreens = 0;
  for (const { tier, rooms } of request.mix) {
    const need = roomNeed(tier, settings, screens);
    for (const key of Object.keys(sum) as (keyof RoomNeed)[])
      sum[key] += rooms * need[key];
    if (need.points > 0) sharedScreens += rooms * screens;
  }
  const producer =
    sum.producerWorkers +
    Math.ceil(sum.sharedBroadcasts / weight.broadcastsPerProducerWorker);
  const consumer = Math.ceil(sum.points / weight.pointsPerWorker);
  const screen =
    Math.ceil(sum.screenPoints / weight.pointsPerWorker) +
    Math.ceil(sharedScreens / weight.broadcastsPerProducerWorker);
  const total = producer + consumer + screen;
  const byCores = Math.ceil(total / coresPerHost);
  const byEgress = Math.ceil((sum.egressKbps + sum.pipeKbps) / hostEgressKbps);
  return {
    workers: { producer, consumer, screen, total },
    hosts: Math.max(byCores, byEgress),
    bindingLimit: byEgress > byCores ? "egress" : "cores",
    points: sum.points,
    consumers: sum.consumers,
    webRtcTransports: sum.webRtcTransports,
    pipes: sum.pipes,
    legs: sum.pipes * weight.legsPerPipe,
    egressMbps: sum.egressKbps / 1000,
    pipeMbps: sum.pipeKbps / 1000,
    ingressMbps: sum.ingressKbps / 1000,
    terabytesPerDay: (sum.egressKbps * 86_400) / 8 / 1e9,
  };
}

const nothing: RoomNeed = {
  points: 0,
  screenPoints: 0,
  producerWorkers: 0,
  sharedBroadcasts: 0,
  consumers: 0,
  webRtcTransports: 0,
  pipes: 0,
  egressKbps: 0,
  pipeKbps: 0,
  ingressKbps: 0,
};
