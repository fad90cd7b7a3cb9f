import { type Decision, roomsBeside } from "../decision.ts";
import { isOn } from "../node-state.ts";

/** What a broadcaster is told: the highest layer that anyone watches anywhere. */
export interface LayersTold {
  roomId: string;
  tier: number;
  sessionId: string;
  broadcastId: string;
  /** -1 where nobody sees its picture. */
  spatialLayer: number;
}

/** Of a pipe that nothing was heard of, all layers are taken to be wanted. */
const allLayers = 7;

/**
 * Hears which layers of a broadcast a worker's viewers want. It is kept in memory
 * alone: a broker that forgot it lets too much be sent, never too little.
 */
export const wantLayers: Decision<
  {
    roomId: string;
    broadcastId: string;
    workerId: string;
    spatialLayer: number;
    /** The node that says so, which can do that of its own workers alone. */
    nodeId?: string;
  },
  { told?: LayersTold }
> = {
  rooms: ({ roomId }, state) => roomsBeside(roomId, state),
  decide({ state }, { broadcastId, workerId, spatialLayer, nodeId }) {
    if (!isOn(nodeId, { workerId })) return {};
    const broadcast = state.broadcasts.get(broadcastId);
    const home = broadcast && state.rooms.get(broadcast.row.homeRoomId);
    if (!home) return {};
    broadcast.layersWanted ??= new Map();
    broadcast.layersWanted.set(workerId, spatialLayer);
    const { layersWanted } = broadcast;
    const wanted = state.picture
      .pipesOf(broadcastId)
      .filter(({ state: pipeState }) => pipeState !== "closing")
      .map(({ consumerWorkerId }) => layersWanted.get(consumerWorkerId) ?? allLayers);
    const told = {
      roomId: home.row.id,
      tier: home.row.tier,
      sessionId: broadcast.row.sessionId,
      broadcastId,
      spatialLayer: Math.max(-1, ...wanted),
    };
    return { told };
  },
};
