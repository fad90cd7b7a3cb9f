import type { Client } from "@libsql/client/web";
import { waiting } from "#schema/control/views.ts";
import { type DeadlineRow, deadlineKey, type ZoneState } from "../broker/state.ts";
import type { PipeState } from "../placement/picture-rows.ts";
import { readPages } from "./pages.ts";
import { columnsOf, named } from "./rows.ts";

const waitingColumns = columnsOf(waiting);
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

/**
 * Reads what is claimed on workers: broadcasts, slots, pipes, deadlines and who waits;
 * none needs another to be there.
 */
export async function loadClaims(client: Client, state: ZoneState): Promise<void> {
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
