import type { Logger } from "pino";
import type { NodeEvent } from "#schema/agent/control.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import { workerIdOf } from "#schema/ids.ts";
import { gone } from "../calls/call-error.ts";
import type { AgentConfig } from "../config.ts";
import type { Generations } from "../instructions/generations.ts";
import type { Timing } from "../timing.ts";
import type { WorkerLife, WorkerPool } from "./worker-pool.ts";

/** What all parts of one registration's media share. */
export interface MediaContext {
  nodeId: string;
  config: AgentConfig;
  timing: Timing;
  /** A source that stays over its bitrate by this factor is closed. */
  overBitrateFactor: number;
  log: Logger;
  pool: WorkerPool;
  generations: Generations;
  /** Reports what happened by itself. */
  emit: (event: NodeEvent) => void;
}

/** The id of one of this node's workers. */
export function workerIdFor(context: MediaContext, life: WorkerLife): string {
  return workerIdOf(context.nodeId, life.ordinal);
}

/** How a worker's life is named on the wire. */
export function refOf(context: MediaContext, life: WorkerLife): WorkerRef {
  return { workerId: workerIdFor(context, life), incarnation: life.incarnation };
}

/**
 * Finds the life that a call names.
 * @throws CallError `gone` where the worker is another's or has a new life
 */
export function findLife(context: MediaContext, ref: WorkerRef): WorkerLife {
  const life = context.pool.lives.find(
    (candidate) =>
      candidate.incarnation === ref.incarnation &&
      workerIdFor(context, candidate) === ref.workerId,
  );
  if (!life) throw gone(`Worker ${ref.workerId} in its life ${ref.incarnation}`);
  return life;
}
