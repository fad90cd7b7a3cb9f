import type { InStatement } from "@libsql/client/web";
import type { InferInsertModel } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import * as fleet from "#schema/control/fleet.ts";
import * as journal from "#schema/control/journal.ts";
import * as rooms from "#schema/control/rooms.ts";
import * as views from "#schema/control/views.ts";
import { webhook } from "#schema/control/webhooks.ts";
import type { AccountUse } from "./account-use.ts";
import { type RowWriter, rowWriter } from "./statements.ts";

/** The final state of one table's changed rows, by key. */
export class TableChanges<T extends SQLiteTable> {
  readonly #writer: RowWriter<T>;
  readonly #puts = new Map<string, InferInsertModel<T>>();
  readonly #removals = new Map<string, string[]>();

  constructor(table: T, keys?: readonly string[]) {
    this.#writer = writerOf(table, keys);
  }

  get size(): number {
    return this.#puts.size + this.#removals.size;
  }

  put(row: InferInsertModel<T>): void {
    const key = this.#writer.keyOf(row).join("|");
    this.#removals.delete(key);
    this.#puts.set(key, row);
  }

  remove(...key: string[]): void {
    this.#puts.delete(key.join("|"));
    this.#removals.set(key.join("|"), key);
  }

  keysPut(): string[][] {
    return [...this.#puts.values()].map((row) => this.#writer.keyOf(row));
  }

  keysRemoved(): string[][] {
    return [...this.#removals.values()];
  }

  rowsPut(): Iterable<InferInsertModel<T>> {
    return this.#puts.values();
  }

  removal(): InStatement[] {
    if (this.#removals.size === 0) return [];
    return [this.#writer.remove(this.#removals.values())];
  }

  upsert(): InStatement[] {
    if (this.#puts.size === 0) return [];
    return [this.#writer.upsert(this.#puts.values())];
  }
}

// Building a writer reads the whole schema of its table: once is enough.
const writers = new Map<SQLiteTable, RowWriter<SQLiteTable>>();

function writerOf<T extends SQLiteTable>(
  table: T,
  keys?: readonly string[],
): RowWriter<T> {
  const known = writers.get(table);
  if (known) return known as RowWriter<T>;
  const writer = rowWriter(table, keys);
  writers.set(table, writer as unknown as RowWriter<SQLiteTable>);
  return writer;
}

/**
 * Everything that one commit changes. Rows hold final states: whatever happened
 * to a row within the group, it is written once. Tables stand in the order in
 * which they refer to each other, parents first.
 */
export class Changes {
  readonly nodes = new TableChanges(fleet.node);
  readonly workers = new TableChanges(fleet.worker);
  readonly rooms = new TableChanges(rooms.room);
  readonly sessions = new TableChanges(rooms.session);
  readonly bans = new TableChanges(rooms.ban);
  readonly broadcasts = new TableChanges(rooms.broadcast);
  readonly broadcastRooms = new TableChanges(rooms.broadcastRoom);
  readonly tracks = new TableChanges(rooms.track);
  readonly slots = new TableChanges(fleet.slot);
  readonly reservations = new TableChanges(fleet.reservation);
  readonly pipes = new TableChanges(fleet.pipe);
  readonly views = new TableChanges(views.view);
  readonly moves = new TableChanges(views.move);
  readonly waiting = new TableChanges(views.waiting);
  readonly deadlines = new TableChanges(journal.deadline);
  readonly idempotency = new TableChanges(journal.idempotency);
  readonly webhooks = new TableChanges(webhook);
  readonly outbox = new TableChanges(journal.outbox);
  readonly events = new TableChanges(journal.event, ["streamId", "seq"]);
  /** Accounts whose counters or caps changed, as the broker counts them. */
  readonly accounts = new Map<string, AccountUse>();
  /** Set by a node's registration. */
  codecs: { hash: string; routerRtpCapabilities: unknown } | undefined;
  /** Outbox rows up to these sequence numbers are no longer needed. */
  readonly acknowledged = new Map<string, number>();

  get rows(): number {
    return this.#tables().reduce((sum, table) => sum + table.size, this.accounts.size);
  }

  get empty(): boolean {
    return this.rows === 0 && this.acknowledged.size === 0 && !this.codecs;
  }

  #tables(): TableChanges<SQLiteTable>[] {
    return [
      this.nodes,
      this.workers,
      this.rooms,
      this.sessions,
      this.bans,
      this.broadcasts,
      this.broadcastRooms,
      this.tracks,
      this.slots,
      this.reservations,
      this.pipes,
      this.views,
      this.moves,
      this.waiting,
      this.deadlines,
      this.idempotency,
      this.webhooks,
      this.outbox,
      this.events,
    ] as unknown as TableChanges<SQLiteTable>[];
  }

  /** Children go before their parents, then parents come before their children. */
  statements(): InStatement[] {
    const tables = this.#tables();
    return [
      ...tables.toReversed().flatMap((table) => table.removal()),
      ...tables.flatMap((table) => table.upsert()),
    ];
  }
}
