import { type Client, type InStatement, LibsqlBatchError } from "@libsql/client/web";
import { accountStatements } from "./account-use.ts";
import { auditStatements } from "./audit.ts";
import type { Changes } from "./changes.ts";

/** What became of a commit. */
export type CommitOutcome =
  | { outcome: "done" }
  /** Another broker has taken over; this one must not write again. */
  | { outcome: "fenced" }
  /** The database refused a row: nothing landed, and something is wrong here. */
  | { outcome: "refused"; statement: string; reason: string }
  /** No answer, or none that says: it may have landed, or land yet. */
  | { outcome: "unknown"; reason: string };

export interface CommitHead {
  zoneId: string;
  /** The generation under which this broker writes. */
  generation: number;
  /** This commit's number. */
  commitSeq: number;
  pipeGeneration: number;
}

const guardSql =
  "INSERT INTO batch_guard (ok) SELECT coalesce((SELECT generation = ? FROM zone WHERE id = ?), 0)";

/** One commit's batch: the guard first, then releases, then claims, then audits. */
export function commitStatements(head: CommitHead, changes: Changes): InStatement[] {
  const accounts = accountStatements(changes);
  return [
    { sql: guardSql, args: [head.generation, head.zoneId] },
    "DELETE FROM batch_guard",
    {
      sql: "UPDATE zone SET commit_seq = ?1, counted_seq = ?1, pipe_generation = ?2 WHERE id = ?3",
      args: [head.commitSeq, head.pipeGeneration, head.zoneId],
    },
    ...(changes.codecs
      ? [
          {
            sql: "UPDATE zone SET codecs_hash = ?, router_rtp_capabilities = ? WHERE id = ?",
            args: [
              changes.codecs.hash,
              JSON.stringify(changes.codecs.routerRtpCapabilities),
              head.zoneId,
            ],
          },
        ]
      : []),
    ...[...changes.acknowledged].map(([nodeId, seq]) => ({
      sql: "DELETE FROM outbox WHERE node_id = ? AND seq <= ?",
      args: [nodeId, seq],
    })),
    ...accounts.before,
    ...changes.statements(),
    ...accounts.after,
    ...auditStatements(changes),
  ];
}

/** Writes one commit: one round trip, all of it or nothing. */
export async function commit(
  client: Client,
  head: CommitHead,
  changes: Changes,
): Promise<CommitOutcome> {
  const statements = commitStatements(head, changes);
  try {
    await client.batch(statements, "write");
    return { outcome: "done" };
  } catch (error) {
    return outcomeOf(error, statements);
  }
}

function outcomeOf(error: unknown, statements: InStatement[]): CommitOutcome {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof LibsqlBatchError && error.code?.startsWith("SQLITE_CONSTRAINT")) {
    if (error.statementIndex === 0) return { outcome: "fenced" };
    const at = statements[error.statementIndex];
    const statement = (typeof at === "object" && "sql" in at ? at.sql : String(at)).slice(
      0,
      80,
    );
    return { outcome: "refused", statement, reason };
  }
  return { outcome: "unknown", reason };
}
