import type { Client, InStatement } from "@libsql/client/web";
import { getSupportedRtpCapabilities } from "mediasoup";
import { mediaCodecs } from "#agent/media/codecs.ts";
import { countAccounts } from "#control/ledger/account-use.ts";
import { rowWriter } from "#control/ledger/statements.ts";
import * as fleet from "#schema/control/fleet.ts";
import * as people from "#schema/control/rooms.ts";
import { view } from "#schema/control/views.ts";
import { nodeIdOf, workerIdOf } from "#schema/ids.ts";
import type { Settings } from "#schema/settings.ts";

/** A fleet in the database with rooms on it, so that placement has a choice to make. */
export interface FleetShape {
  zone: string;
  settings: Settings;
  /** Consumer workers; a multiple of four. */
  consumers: number;
  /** Producer workers, those of the rooms on the fleet included. */
  producers: number;
  /** Points that are in use of each consumer worker, by its number. */
  pointsUsed: (worker: number) => number;
}

const workersPerNode = 8;
/** A room in the fleet has as many broadcasts as a worker has points. */
const workersPerRoom = 4;
const roomsPerProducer = 2;
const budgetKbps = 10_000_000;
const atMs = 1_700_000_000_000;
/** Rows of one statement: keeps requests far below what servers take. */
const chunkRows = 20_000;

const tables = {
  nodes: fleet.node,
  workers: fleet.worker,
  rooms: people.room,
  sessions: people.session,
  broadcasts: people.broadcast,
  shown: people.broadcastRoom,
  tracks: people.track,
  slots: fleet.slot,
  pipes: fleet.pipe,
  views: view,
};

/** A table's row: what may be null may be left out, and all else has to be there. */
type RowOf<Row> = Partial<Row> & {
  [Column in keyof Row as null extends Row[Column] ? never : Column]: Row[Column];
};
type Rows = {
  [Name in keyof typeof tables]: RowOf<(typeof tables)[Name]["$inferSelect"]>[];
};

/**
 * Writes a fleet and the rooms on it: every slot with one viewer and its pipe,
 * every total equal to the sum of its rows. What is there already stays, so a
 * database can grow from one size to the next.
 */
export async function writeFleet(client: Client, shape: FleetShape): Promise<void> {
  const rows = Object.fromEntries(
    Object.keys(tables).map((table) => [table, []]),
  ) as unknown as Rows;
  putWorkers(rows, shape, "consumer", shape.consumers);
  putWorkers(rows, shape, "producer", shape.producers);
  const roomCount = Math.ceil(shape.consumers / workersPerRoom);
  for (let at = 0; at < roomCount; at += 1) putRoom(rows, shape, at);
  for (const [table, all] of Object.entries(rows)) {
    const writer = rowWriter(
      tables[table as keyof Rows] as typeof fleet.node,
    ) as unknown as {
      upsert(rows: Record<string, unknown>[]): InStatement;
    };
    for (let from = 0; from < all.length; from += chunkRows) {
      await client.batch([writer.upsert(all.slice(from, from + chunkRows))], "write");
    }
  }
  // As the first host's registration sets it: everyone who enters is sent it.
  const supported = getSupportedRtpCapabilities();
  const isUsed = (mimeType: string) =>
    mediaCodecs.some((one) => one.mimeType === mimeType);
  const codecs = supported.codecs?.filter((codec) => isUsed(codec.mimeType));
  const rtpCapabilities = { ...supported, codecs };
  await client.execute({
    sql: `INSERT INTO zone (id, codecs_hash, router_rtp_capabilities) VALUES (?, ?, ?)`,
    args: [shape.zone, "0".repeat(64), JSON.stringify(rtpCapabilities)],
  });
  await countAccounts(client, shape.zone);
}

function workerAt(zone: string, role: "consumer" | "producer", at: number): string {
  const nodeId = nodeIdOf(zone, `${role}-${Math.floor(at / workersPerNode)}`);
  return workerIdOf(nodeId, at % workersPerNode);
}

function putWorkers(
  rows: Rows,
  { zone, settings, pointsUsed, consumers }: FleetShape,
  role: "consumer" | "producer",
  count: number,
): void {
  const { pointsPerWorker, broadcastsPerProducerWorker, legsPerProducerWorker } =
    settings.weight;
  const { view, leg } = settings.nominalKbps.camera;
  const consumes = role === "consumer";
  for (let at = 0; at < count; at += 1) {
    const nodeId = nodeIdOf(zone, `${role}-${Math.floor(at / workersPerNode)}`);
    if (at % workersPerNode === 0) rows.nodes.push(nodeRow(nodeId));
    const node = rows.nodes.at(-1) as Rows["nodes"][number];
    const legs = consumes ? pointsUsed(at) : legsOf(at, consumers, pointsUsed);
    const broadcasts = consumes ? 0 : roomsOf(at, consumers).length * pointsPerWorker;
    // Roles do not share hosts, so every leg is charged at both of its ends.
    node.egressUsedKbps = (node.egressUsedKbps ?? 0) + legs * (consumes ? view : leg);
    node.ingressUsedKbps =
      (node.ingressUsedKbps ?? 0) + (consumes ? legs : broadcasts) * leg;
    rows.workers.push({
      id: workerAt(zone, role, at),
      nodeId,
      incarnation: `${at}.1`,
      role,
      mediaClass: "camera",
      present: true,
      pointsTotal: consumes ? pointsPerWorker : 0,
      pointsUsed: consumes ? pointsUsed(at) : 0,
      broadcastsTotal: consumes ? 0 : broadcastsPerProducerWorker,
      broadcastsUsed: broadcasts,
      legsTotal: consumes ? 0 : legsPerProducerWorker,
      legsUsed: consumes ? 0 : legs * settings.weight.legsPerPipe,
      dedicatedTo: null,
    });
  }
}

function nodeRow(id: string): Rows["nodes"][number] {
  return {
    id,
    epoch: 1,
    state: "ready",
    cordoned: false,
    draining: false,
    emptying: false,
    failedAtMs: 0,
    holds: 0,
    publicKey: null,
    agentVersion: "bench",
    egressKbps: budgetKbps,
    egressUsedKbps: 0,
    ingressKbps: budgetKbps,
    ingressUsedKbps: 0,
    egressQuotaGb: null,
    sentMonth: "",
    sentMb: 0,
    egressWarned: false,
    quotaWarned: false,
    outboxSeq: 0,
    eventSeq: 0,
  };
}

/** The rooms whose broadcasts a producer worker has. */
function roomsOf(producer: number, consumers: number): number[] {
  const first = producer * roomsPerProducer;
  const rooms = Array.from({ length: roomsPerProducer }, (_, at) => first + at);
  return rooms.filter((room) => room * workersPerRoom < consumers);
}

/** Pipes that leave a producer worker. */
function legsOf(
  producer: number,
  consumers: number,
  pointsUsed: FleetShape["pointsUsed"],
): number {
  const workers = roomsOf(producer, consumers).flatMap(workersOf);
  return workers.reduce((sum, worker) => sum + pointsUsed(worker), 0);
}

/** The consumer workers that a room is on. */
function workersOf(room: number): number[] {
  return Array.from({ length: workersPerRoom }, (_, at) => room * workersPerRoom + at);
}

/** A room whose host shows all broadcasts; each of its workers has one viewer. */
function putRoom(rows: Rows, { zone, settings, pointsUsed }: FleetShape, at: number) {
  const roomId = `room_${zone}_fleet${at}`;
  const producerWorkerId = workerAt(zone, "producer", Math.floor(at / roomsPerProducer));
  const { pointsPerWorker, seatsPerPoint, legsPerPipe } = settings.weight;
  const host = `session_${zone}_fleet${at}`;
  const broadcastIds = Array.from(
    { length: pointsPerWorker },
    (_, number) => `broadcast_${zone}_fleet${at}x${number}`,
  );
  rows.rooms.push({
    id: roomId,
    accountId: "account_bench",
    name: roomId,
    tier: 3,
    codec: "vp8",
    state: "open",
    epoch: 1,
    reserve: false,
    createdAtMs: atMs,
    eventSeq: 0,
    broadcastsMax: pointsPerWorker,
    broadcastsLive: pointsPerWorker,
    sessionsMax: 48,
    sessionsPresent: 1 + workersPerRoom,
  });
  rows.sessions.push(sessionRow(host, roomId));
  for (const broadcastId of broadcastIds) {
    rows.broadcasts.push({
      id: broadcastId,
      homeRoomId: roomId,
      sessionId: host,
      identity: host,
      mediaClass: "camera",
      workerId: producerWorkerId,
      transportId: `transport_${broadcastId}`,
      state: "live",
      trackVersion: 0,
      claimedAtMs: atMs,
    });
    rows.shown.push({ broadcastId, roomId, counted: true });
    rows.tracks.push({
      id: `track_${broadcastId}`,
      broadcastId,
      transportId: `transport_${broadcastId}`,
      kind: "video",
      source: "camera",
      paused: false,
    });
  }
  for (const number of workersOf(at)) {
    const workerId = workerAt(zone, "consumer", number);
    const sessionId = `session_${zone}_viewer${number}`;
    rows.sessions.push(sessionRow(sessionId, roomId));
    for (const broadcastId of broadcastIds.slice(0, pointsUsed(number))) {
      const seats = seatsPerPoint.camera;
      rows.slots.push({ roomId, broadcastId, workerId, viewers: 1, seats, points: 1 });
      rows.pipes.push({
        broadcastId,
        consumerWorkerId: workerId,
        producerWorkerId,
        state: "open",
        generation: 1,
        legs: legsPerPipe,
      });
      rows.views.push({
        id: `view_${zone}_${number}x${broadcastId.split("x")[1]}`,
        roomId,
        sessionId,
        broadcastId,
        workerId,
        state: "active",
        transportId: `transport_${sessionId}`,
        newest: true,
        tries: 0,
        grounds: {},
        claimedAtMs: atMs,
      });
    }
  }
}

function sessionRow(id: string, roomId: string): Rows["sessions"][number] {
  return {
    id,
    roomId,
    identity: id,
    canPublish: true,
    canSubscribe: true,
    roomAdmin: false,
    carrier: "channel",
    attached: true,
    enteredAtMs: atMs,
    eventSeq: 0,
  };
}
