import { Picture } from "#control/placement/picture.ts";
import type { WorkerPicture } from "#control/placement/picture-rows.ts";
import type { MediaClass, Settings, WorkerRole } from "#schema/settings.ts";

/** A fleet of equal hosts; cores of each kind are filled host by host. */
export interface FleetShape {
  cameraConsumers: number;
  screenConsumers?: number;
  cameraProducers: number;
  screenProducers?: number;
  coresPerNode?: number;
  /** A host's budget in each direction; ample by default. */
  nodeKbps?: number;
  /** Points of each camera consumer worker, where they are not the settings'. */
  pointsPerWorker?: number;
}

const ampleKbps = 400_000_000;

/** A picture of an empty fleet with everything open. */
export function openFleet(settings: Settings, shape: FleetShape): Picture {
  const picture = new Picture(settings);
  const coresPerNode = shape.coresPerNode ?? 8;
  const kbps = shape.nodeKbps ?? ampleKbps;
  let core = 0;
  const addWorkers = (role: WorkerRole, mediaClass: MediaClass, count: number) => {
    // Roles do not share hosts here, so that "an 8-core node" means one thing.
    core = Math.ceil(core / coresPerNode) * coresPerNode;
    for (let made = 0; made < count; made += 1, core += 1) {
      const nodeId = `node_sim_${Math.floor(core / coresPerNode)}`;
      if (core % coresPerNode === 0) {
        picture.putNode({
          id: nodeId,
          open: true,
          egressKbps: kbps,
          egressUsedKbps: 0,
          ingressKbps: kbps,
          ingressUsedKbps: 0,
        });
      }
      const id = `worker_sim_${Math.floor(core / coresPerNode)}_${core % coresPerNode}`;
      const points = shape.pointsPerWorker ?? settings.weight.pointsPerWorker;
      picture.putWorker(newWorker(settings, id, nodeId, role, mediaClass, points));
    }
  };
  addWorkers("consumer", "camera", shape.cameraConsumers);
  addWorkers("consumer", "screen", shape.screenConsumers ?? 0);
  addWorkers("producer", "camera", shape.cameraProducers);
  addWorkers("producer", "screen", shape.screenProducers ?? 0);
  return picture;
}

/** An open worker with nothing on it. */
export function newWorker(
  settings: Settings,
  id: string,
  nodeId: string,
  role: WorkerRole,
  mediaClass: MediaClass,
  points: number = settings.weight.pointsPerWorker,
): WorkerPicture {
  const consumes = role === "consumer";
  const { broadcastsPerProducerWorker, legsPerProducerWorker } = settings.weight;
  return {
    id,
    nodeId,
    role,
    mediaClass,
    incarnation: `${id}.1`,
    open: true,
    pointsTotal: consumes ? points : 0,
    pointsUsed: 0,
    broadcastsTotal: consumes ? 0 : broadcastsPerProducerWorker,
    broadcastsUsed: 0,
    legsTotal: consumes ? 0 : legsPerProducerWorker,
    legsUsed: 0,
  };
}
