import type { Client, InStatement, ResultSet } from "@libsql/client/web";
import type { Settings } from "#schema/settings.ts";
import {
  closedReasonOf,
  type DeadlineRow,
  type NodeRow,
  ZoneState,
} from "../broker/state.ts";
import type { PipeState } from "../placement/picture-rows.ts";

/** Rows of a page: keeps every answer far below the 4 MB that servers allow. */
const pageRows = 8192;

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
          RETURNING generation, commit_seq`,
        args: [zoneId, expected ?? null],
      },
    ],
    "write",
  );
  const row = results[1]?.rows[0];
  if (!row) return undefined;
  return { generation: Number(row.generation), commitSeq: Number(row.commit_seq) };
}

/** Reads the zone's picture anew; rooms are left to be loaded when touched. */
export async function loadZone(
  client: Client,
  zoneId: string,
  settings: Settings,
): Promise<ZoneState> {
  const state = new ZoneState(settings);
  const [zone, nodes, workers, reservations, reserved, webhooks] = await client.batch(
    [
      { sql: "SELECT * FROM zone WHERE id = ?", args: [zoneId] },
      "SELECT * FROM node",
      "SELECT * FROM worker ORDER BY id",
      "SELECT room_id, worker_id, points FROM reservation",
      "SELECT id FROM room WHERE reserve AND state = 'open' AND broadcasts_max > 0",
      "SELECT id, account_id FROM webhook",
    ],
    "read",
  );
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
  for (const row of nodes?.rows ?? []) putNode(state, row);
  for (const row of workers?.rows ?? []) putWorker(state, row);
  for (const { room_id, worker_id, points } of reservations?.rows ?? []) {
    state.picture.setReservation({
      roomId: String(room_id),
      workerId: String(worker_id),
      points: Number(points),
    });
  }
  for (const { id } of reserved?.rows ?? []) state.reservedRooms.add(String(id));
  for (const { id, account_id } of webhooks?.rows ?? []) {
    state.webhooks.set(String(id), String(account_id));
  }
  await loadClaims(client, state);
  return state;
}

type Row = ResultSet["rows"][number];

function putNode(state: ZoneState, row: Row): void {
  const node: NodeRow = {
    id: String(row.id),
    epoch: Number(row.epoch),
    state: row.state as NodeRow["state"],
    cordoned: Boolean(row.cordoned),
    draining: Boolean(row.draining),
    agentVersion: String(row.agent_version),
    egressKbps: Number(row.egress_kbps),
    egressUsedKbps: Number(row.egress_used_kbps),
    ingressKbps: Number(row.ingress_kbps),
    ingressUsedKbps: Number(row.ingress_used_kbps),
    egressQuotaGb: row.egress_quota_gb === null ? null : Number(row.egress_quota_gb),
    sentMonth: String(row.sent_month),
    sentMb: Number(row.sent_mb),
    egressWarned: Boolean(row.egress_warned),
    quotaWarned: Boolean(row.quota_warned),
    outboxSeq: Number(row.outbox_seq),
    eventSeq: Number(row.event_seq),
  };
  state.nodes.set(node.id, node);
  const closedReason = closedReasonOf(node);
  // What is used is counted again below, from the rows that use it.
  state.picture.putNode({
    id: node.id,
    open: closedReason === undefined,
    closedReason,
    egressKbps: node.egressKbps,
    egressUsedKbps: 0,
    ingressKbps: node.ingressKbps,
    ingressUsedKbps: 0,
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

/** Broadcasts, slots, pipes and deadlines, packed per worker and read in pages. */
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
  await pages(client, "broadcast", "id, home_room_id, worker_id, media_class", (row) => {
    picture.addBroadcast({
      id: intern(row[0]),
      homeRoomId: intern(row[1]),
      producerWorkerId: intern(row[2]),
      mediaClass: row[3] as "camera" | "screen",
    });
  });
  await pages(client, "slot", "room_id, broadcast_id, worker_id, viewers", (row) => {
    picture.changeSeats(intern(row[0]), intern(row[1]), intern(row[2]), Number(row[3]));
  });
  const pipeColumns =
    "broadcast_id, producer_worker_id, consumer_worker_id, state, generation, legs";
  await pages(client, "pipe", pipeColumns, (row) => {
    picture.putPipe({
      broadcastId: intern(row[0]),
      producerWorkerId: intern(row[1]),
      consumerWorkerId: intern(row[2]),
      state: row[3] as PipeState,
      generation: Number(row[4]),
      legs: Number(row[5]),
    });
  });
  await pages(client, "deadline", "kind, key, room_id, due_at_ms", (row) => {
    const kind = row[0] as DeadlineRow["kind"];
    const key = String(row[1]);
    const dueAtMs = Number(row[3]);
    state.deadlines.set(`${kind}|${key}`, { kind, key, roomId: intern(row[2]), dueAtMs });
  });
}

/**
 * Reads a whole table in pages, each packed into one JSON text by the database:
 * a cell of its own for every value would be five times the bytes.
 */
async function pages(
  client: Client,
  table: string,
  columns: string,
  each: (row: unknown[]) => void,
): Promise<void> {
  for (let after = 0; ; ) {
    const statement: InStatement = {
      sql: `SELECT json_group_array(json_array(${columns})) AS packed, max(rowid) AS last
        FROM (SELECT rowid, * FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${pageRows})`,
      args: [after],
    };
    const row = (await client.execute(statement)).rows[0];
    if (row?.last == null) return;
    for (const values of JSON.parse(String(row.packed)) as unknown[][]) each(values);
    after = Number(row.last);
  }
}
