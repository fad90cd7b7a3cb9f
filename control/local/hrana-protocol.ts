import { z } from "zod";

/*
 * The part of the Hrana 2 protocol (SQL over HTTP, JSON) that libsql's clients
 * speak: one POST carries a pipeline of requests on a stream.
 */

const sqlValue = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }),
  // JSON numbers lose digits beyond 2^53, so integers travel as text.
  z.object({ type: z.literal("integer"), value: z.string().regex(/^-?\d{1,19}$/) }),
  z.object({ type: z.literal("float"), value: z.number() }),
  z.object({ type: z.literal("text"), value: z.string() }),
  z.object({ type: z.literal("blob"), base64: z.string() }),
]);
export type HranaValue = z.infer<typeof sqlValue>;

const sqlSource = { sql: z.string().nullish(), sql_id: z.number().int().nullish() };

const statement = z.object({
  ...sqlSource,
  args: z.array(sqlValue).nullish(),
  named_args: z.array(z.object({ name: z.string(), value: sqlValue })).nullish(),
  want_rows: z.boolean().nullish(),
});
export type HranaStatement = z.infer<typeof statement>;

export type BatchCondition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: BatchCondition }
  | { type: "and" | "or"; conds: BatchCondition[] }
  | { type: "is_autocommit" };

const batchCondition: z.ZodType<BatchCondition> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.object({ type: z.enum(["ok", "error"]), step: z.number().int().nonnegative() }),
    z.object({ type: z.literal("not"), cond: batchCondition }),
    z.object({ type: z.enum(["and", "or"]), conds: z.array(batchCondition) }),
    z.object({ type: z.literal("is_autocommit") }),
  ]),
);

const batch = z.object({
  steps: z.array(z.object({ condition: batchCondition.nullish(), stmt: statement })),
});
export type HranaBatch = z.infer<typeof batch>;

const streamRequest = z.discriminatedUnion("type", [
  z.object({ type: z.literal("close") }),
  z.object({ type: z.literal("execute"), stmt: statement }),
  z.object({ type: z.literal("batch"), batch }),
  z.object({ type: z.literal("sequence"), ...sqlSource }),
  z.object({ type: z.literal("describe"), ...sqlSource }),
  z.object({ type: z.literal("store_sql"), sql_id: z.number().int(), sql: z.string() }),
  z.object({ type: z.literal("close_sql"), sql_id: z.number().int() }),
  z.object({ type: z.literal("get_autocommit") }),
]);
export type StreamRequest = z.infer<typeof streamRequest>;

/** The body of a pipeline. */
export const pipelineBody = z.object({
  baton: z.string().nullish(),
  requests: z.array(streamRequest),
});
export type PipelineBody = z.infer<typeof pipelineBody>;

export interface StatementResult {
  cols: { name: string | null; decltype: string | null }[];
  rows: HranaValue[][];
  affected_row_count: number;
  last_insert_rowid: string | null;
}

export interface BatchResult {
  step_results: (StatementResult | null)[];
  step_errors: ({ message: string; code: string } | null)[];
}

export type StreamResult =
  | { type: "ok"; response: { type: StreamRequest["type"] } & Record<string, unknown> }
  | { type: "error"; error: { message: string; code: string } };

export interface PipelineAnswer {
  baton: string | null;
  base_url: null;
  results: StreamResult[];
}

/** A refusal in the protocol's words: a code that clients can act on, and a text. */
export class HranaError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The protocol's form of whatever was thrown. SQLite's extended codes become the
 * plain ones that sqld sends, so that nothing comes to rely on more than those.
 */
export function toHranaError(thrown: unknown): { message: string; code: string } {
  const error = thrown as { message?: unknown; code?: unknown };
  const message = String(error.message ?? thrown);
  if (thrown instanceof HranaError) return { message, code: thrown.code };
  const plain = /^SQLITE_[A-Z]+/.exec(String(error.code))?.[0];
  if (!plain) return { message, code: "UNKNOWN" };
  return {
    message: `SQLite error: ${message}`,
    code: plain === "SQLITE_ERROR" ? "SQLITE_UNKNOWN" : plain,
  };
}
