import type { Client } from "@libsql/client/web";
import { getTableColumns } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { accountUse } from "#schema/control/accounts.ts";
import { node, worker } from "#schema/control/fleet.ts";
import { waiting } from "#schema/control/rooms.ts";
import type { Settings } from "#schema/settings.ts";
import { refreshPicture } from "../broker/node-state.ts";
import {
  closedReasonOf,
  type DeadlineRow,
  deadlineKey,
  type NodeRow,
  ZoneState,
} from "../broker/state.ts";
import type { PipeState, ReservationPicture } from "../placement/picture-rows.ts";
import { countAccounts } from "./account-use.ts";
import { readPages } from "./pages.ts";

/** What taking over the zone tells. */
export interface Fence {
  generation: number;
  /** The last commit that landed, now that none under a lower generation can. */
  commitSeq: number;
}

/**
 * Raises the zone's generation, making the zone on first use. From then on the
 * database refuses every commit of an earlier generation, late ones included.
 * @param expected the generation under which the caller wrote last
 * @returns undefined where another broker has raised it since, in which case it
 *   stays as that one left it
 */
export async function fenceZone(
  client: Client,
  zoneId: string,
  expected?: number,
): Promise<Fence | undefined> {
  const results = await client.batch(
    [
      {
        sql: "INSERT INTO zone (id) VALUES (?) ON CONFLICT (id) DO NOTHING",
        args: [zoneId],
      },
      {
        sql: `UPDATE zone SET generation = generation + 1
          WHERE id = ? AND generation = coalesce(?, generation)
          RETURNING generation, commit_seq, counted_seq`,
        args: [zoneId, expected ?? null],
      },
    ],
    "write",
  );
  const row = results[1]?.rows[0];
  if (!row) return undefined;
  if (row.counted_seq !== row.commit_seq) await countAccounts(client, zoneId);
  return { generation: Number(row.generation), commitSeq: Number(row.commit_seq) };
}

/** Reads the zone's picture anew; rooms are left to be loaded when touched. */
export async function loadZone(
  client: Client,
  zoneId: string,
  settings: Settings,
): Promise<ZoneState> {
  const state = new ZoneState(settings);
  const reservations: ReservationPicture[] = [];
  const [[zone, reserved, webhooks]] = await Promise.all([
    client.batch(
      [
        { sql: "SELECT * FROM zone WHERE id = ?", args: [zoneId] },
        "SELECT id FROM room WHERE reserve AND state = 'open' AND broadcasts_max > 0",
        "SELECT id, account_id FROM webhook",
      ],
      "read",
    ),
    readPages(client, "node", nodeColumns, (values) =>
      putNode(state, named(nodeColumns, values)),
    ),
    readPages(client, "worker", workerColumns, (values) =>
      putWorker(state, named(workerColumns, values)),
    ),
    readPages(client, "account_use", accountColumns, (values) =>
      putAccount(state, named(accountColumns, values)),
    ),
    readPages(client, "reservation", ["room_id", "worker_id", "points"], (row) =>
      reservations.push({
        roomId: String(row[0]),
        workerId: String(row[1]),
        points: Number(row[2]),
      }),
    ),
  ]);
  const head = zone?.rows[0];
  state.generation = Number(head?.generation);
  state.commitSeq = Number(head?.commit_seq);
  state.pipeGeneration = Number(head?.pipe_generation);
  if (head?.codecs_hash) {
    const routerRtpCapabilities: unknown = JSON.parse(
      String(head.router_rtp_capabilities),
    );
    state.codecs = { hash: String(head.codecs_hash), routerRtpCapabilities };
  }
  for (const kept of reservations) state.picture.setReservation(kept);
  for (const { id } of reserved?.rows ?? []) state.reservedRooms.add(String(id));
  for (const { id, account_id } of webhooks?.rows ?? []) {
    state.webhooks.set(String(id), String(account_id));
  }
  await loadClaims(client, state);
  // Whether a quota is spoken for depends on what was just read.
  for (const nodeId of state.nodes.keys()) refreshPicture(state, nodeId);
  return state;
}

type Row = Record<string, unknown>;

function named(columns: readonly string[], values: readonly unknown[]): Row {
  return Object.fromEntries(columns.map((column, at) => [column, values[at]]));
}

const nodeColumns = columnsOf(node);
const workerColumns = columnsOf(worker);
const waitingColumns = columnsOf(waiting);
const accountColumns = columnsOf(accountUse);

function columnsOf(table: SQLiteTable): string[] {
  return Object.values(getTableColumns(table)).map((column) => column.name);
}

function numberOrNull(value: unknown): number | null {
  return value === null ? null : Number(value);
}

function putNode(state: ZoneState, row: Row): void {
  const known: NodeRow = {
    id: String(row.id),
    epoch: Number(row.epoch),
    state: row.state as NodeRow["state"],
    cordoned: Boolean(row.cordoned),
    draining: Boolean(row.draining),
    emptying: Boolean(row.emptying),
    drainUntilMs: numberOrNull(row.drain_until_ms),
    failure: row.failure === null ? null : String(row.failure),
    failedAtMs: Number(row.failed_at_ms),
    holds: Number(row.holds),
    heldUntilMs: numberOrNull(row.held_until_ms),
    publicKey: row.public_key === null ? null : String(row.public_key),
    agentVersion: String(row.agent_version),
    egressKbps: Number(row.egress_kbps),
    egressUsedKbps: Number(row.egress_used_kbps),
    ingressKbps: Number(row.ingress_kbps),
    ingressUsedKbps: Number(row.ingress_used_kbps),
    egressQuotaGb: numberOrNull(row.egress_quota_gb),
    sentMonth: String(row.sent_month),
    sentMb: Number(row.sent_mb),
    egressWarned: Boolean(row.egress_warned),
    quotaWarned: Boolean(row.quota_warned),
    outboxSeq: Number(row.outbox_seq),
    eventSeq: Number(row.event_seq),
  };
  state.nodes.set(known.id, known);
  const closedReason = closedReasonOf(known);
  // What is used is counted again below, from the rows that use it.
  state.picture.putNode({
    id: known.id,
    open: closedReason === undefined,
    closedReason,
    egressKbps: known.egressKbps,
    egressUsedKbps: 0,
    ingressKbps: known.ingressKbps,
    ingressUsedKbps: 0,
  });
}

function putAccount(state: ZoneState, row: Row): void {
  state.accounts.set(String(row.account_id), {
    accountId: String(row.account_id),
    roomsOpen: Number(row.rooms_open),
    sessionsPresent: Number(row.sessions_present),
    pointsReserved: Number(row.points_reserved),
    camerasWatched: Number(row.cameras_watched),
    screensWatched: Number(row.screens_watched),
    roomsMax: numberOrNull(row.rooms_max),
    sessionsMax: numberOrNull(row.sessions_max),
    pointsMax: numberOrNull(row.points_max),
    egressMaxKbps: numberOrNull(row.egress_max_kbps),
    capsVersion: Number(row.caps_version),
  });
}

function putWorker(state: ZoneState, row: Row): void {
  const present = Boolean(row.present);
  state.picture.putWorker({
    id: String(row.id),
    nodeId: String(row.node_id),
    role: row.role as "producer" | "consumer",
    mediaClass: row.media_class as "camera" | "screen",
    incarnation: String(row.incarnation),
    open: present,
    closedReason: present ? undefined : "absent",
    pointsTotal: Number(row.points_total),
    pointsUsed: 0,
    broadcastsTotal: Number(row.broadcasts_total),
    broadcastsUsed: 0,
    legsTotal: Number(row.legs_total),
    legsUsed: 0,
    dedicatedTo: row.dedicated_to === null ? undefined : String(row.dedicated_to),
  });
}

/** Broadcasts, slots, pipes and deadlines; none needs another to be there. */
async function loadClaims(client: Client, state: ZoneState): Promise<void> {
  const { picture } = state;
  // Ids repeat a lot: keeping one string of each saves most of the memory.
  const strings = new Map<string, string>();
  const intern = (text: unknown): string => {
    const id = String(text);
    const known = strings.get(id);
    if (known !== undefined) return known;
    strings.set(id, id);
    return id;
  };
  const broadcastColumns = [
    "id",
    "home_room_id",
    "worker_id",
    "media_class",
    "other_worker_id",
  ];
  const slotColumns = ["room_id", "broadcast_id", "worker_id", "viewers"];
  await Promise.all([
    readPages(client, "broadcast", broadcastColumns, (row) => {
      picture.addBroadcast({
        id: intern(row[0]),
        homeRoomId: intern(row[1]),
        producerWorkerId: intern(row[2]),
        mediaClass: row[3] as "camera" | "screen",
        otherWorkerId: row[4] === null ? undefined : intern(row[4]),
      });
    }),
    readPages(client, "slot", slotColumns, (row) => {
      picture.changeSeats(intern(row[0]), intern(row[1]), intern(row[2]), Number(row[3]));
    }),
    readPages(client, "pipe", pipeColumns, (row) => {
      picture.putPipe({
        broadcastId: intern(row[0]),
        producerWorkerId: intern(row[1]),
        consumerWorkerId: intern(row[2]),
        state: row[3] as PipeState,
        generation: Number(row[4]),
        legs: Number(row[5]),
        oldGeneration: row[6] === null ? undefined : Number(row[6]),
        oldProducerWorkerId: row[7] === null ? undefined : intern(row[7]),
      });
    }),
    readPages(client, "deadline", ["kind", "key", "room_id", "due_at_ms"], (row) => {
      const kind = row[0] as DeadlineRow["kind"];
      const key = String(row[1]);
      const dueAtMs = Number(row[3]);
      const roomId = intern(row[2]);
      state.deadlines.set(deadlineKey(kind, key), { kind, key, roomId, dueAtMs });
    }),
    readPages(client, "waiting", waitingColumns, (values) => {
      const row = named(waitingColumns, values);
      state.waiting.put({
        sessionId: String(row.session_id),
        broadcastId: String(row.broadcast_id),
        roomId: String(row.room_id),
        viewId: String(row.view_id),
        reason: String(row.reason),
        oldRunsMs: Number(row.old_runs_ms),
        told: Boolean(row.told),
        avoidNodeId: row.avoid_node_id === null ? null : String(row.avoid_node_id),
        tries: Number(row.tries),
        rank: Number(row.rank),
        presentSinceMs: Number(row.present_since_ms),
      });
    }),
  ]);
}

const pipeColumns = [
  "broadcast_id",
  "producer_worker_id",
  "consumer_worker_id",
  "state",
  "generation",
  "legs",
  "old_generation",
  "old_producer_worker_id",
];
