import type { ProblemCode } from "#schema/problems.ts";
import type { MediaClass } from "#schema/settings.ts";

/** What one session of a room wants to watch. */
export interface ViewRequest {
  roomId: string;
  sessionId: string;
  /** Consumer workers on which the session already has views. */
  sessionWorkers: ReadonlySet<string>;
  /** Broadcasts wanted, none twice, none that the session watches already. */
  broadcastIds: readonly string[];
  /**
   * What the room's tier allows. A room is spread so that pipes and transports
   * stay in balance at this size; without it, so that each slot can grow once.
   */
  roomSize?: RoomSize;
  /** Workers that are no choice, though they may be open. */
  avoid?: ReadonlySet<string>;
}

export interface RoomSize {
  broadcasts: number;
  viewers: number;
}

/** Why workers were passed over, as reason -> how many. */
export type PassedOver = Readonly<Record<string, number>>;

/** A decision's grounds, kept with the claim for `explain`. */
export interface Grounds {
  /** The rule that made the decision. */
  rule: string;
  /** Workers that could have served, the chosen one included. */
  considered: number;
  passedOver: PassedOver;
}

export interface PlacedView extends Grounds {
  broadcastId: string;
  workerId: string;
  /** Points that this view adds on the worker: 0 in a free seat. */
  points: number;
  /** Whether the broadcast had no usable pipe to the worker before. */
  opensPipe: boolean;
}

export interface RefusedView {
  broadcastId: string;
  code: ProblemCode;
  considered: number;
  passedOver: PassedOver;
}

export interface ViewPlacement {
  placed: PlacedView[];
  refused: RefusedView[];
}

/** A room that needs a place to produce one more broadcast. */
export interface BroadcastRequest {
  roomId: string;
  mediaClass: MediaClass;
  /** Whether the room's tier wants producer workers of its own. */
  dedicated: boolean;
  /** How many dedicated producer workers the room may have. */
  producerWorkersMax: number;
  /** The nodes to which a broadcast that moves has pipes already, one each. */
  pipedTo?: readonly string[];
  /** Workers that are no choice, though they may be open. */
  avoid?: ReadonlySet<string>;
}

export type BroadcastPlacement =
  | (Grounds & {
      workerId: string;
      /** The worker becomes the room's own. */
      dedicates: boolean;
    })
  | { code: ProblemCode; considered: number; passedOver: PassedOver };
