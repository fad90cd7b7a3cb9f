import type { Client } from "@libsql/client/web";
import { accountUse } from "#schema/control/accounts.ts";
import { node, worker } from "#schema/control/fleet.ts";
import type { Settings } from "#schema/settings.ts";
import { refreshPicture } from "../broker/node-state.ts";
import { closedReasonOf, type NodeRow, ZoneState } from "../broker/state.ts";
import type { ReservationPicture } from "../placement/picture-rows.ts";
import { countAccounts } from "./account-use.ts";
import { loadClaims } from "./load-claims.ts";
import { readPages } from "./pages.ts";
import { columnsOf, named, numberOrNull, type Row } from "./rows.ts";

/**
 * Raises the zone's generation, making the zone on first use. From then on the
 * database refuses every commit of an earlier generation, late ones included.
 * @param expected the generation under which the caller wrote last
 * @returns the generation as it is now; undefined where another broker has raised it
 *   since, in which case it stays as that one left it
 */
export async function fenceZone(
  client: Client,
  zoneId: string,
  expected?: number,
): Promise<number | undefined> {
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
  return Number(row.generation);
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

const nodeColumns = columnsOf(node);
const workerColumns = columnsOf(worker);
const accountColumns = columnsOf(accountUse);

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
