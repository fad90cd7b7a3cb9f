import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import type { Fleet, NodeInfo, PipeInfo, WorkerInfo } from "#schema/api/fleet.ts";
import { asWeirError, type Room } from "../sdk/index.ts";
import { loadFleet } from "./deployment.ts";
import { PipeList } from "./fleet-pipes.ts";
import { workerLabel } from "./tile-numbers.ts";

const refreshMs = 1000;

/** The servers behind the pictures, read anew each second while they are seen. */
export function FleetPanel({ room }: { room?: Room }) {
  const [open, setOpen] = useState(true);
  const fleet = useFleet(open);
  if (!fleet) return null;
  const workers = fleet.nodes.flatMap((node) =>
    node.workers.map((worker) => ({ node, worker })),
  );
  const takesIn = workers.filter(({ worker }) => worker.role === "producer");
  const handsOut = workers.filter(({ worker }) => worker.role === "consumer");
  const nameOf = (broadcastId: string) => room?.broadcasts.get(broadcastId)?.identity;
  return html`<details
    class="fleet"
    open=${open}
    onToggle=${(event: Event) => setOpen((event.target as HTMLDetailsElement).open)}
  >
    <summary>
      <h2>Servers</h2>
      <span class="quiet">${summaryOf(fleet)}</span>
    </summary>
    <div class="fleet-columns">
      <section>
        <h3>Producer workers</h3>
        <ul class="workers">
          ${takesIn.map((one) => html`<${WorkerCard} key=${one.worker.id} ...${one} />`)}
        </ul>
      </section>
      <section>
        <h3>Pipes</h3>
        <${PipeList} pipes=${fleet.pipes} labelOf=${labeller(fleet)} nameOf=${nameOf} />
      </section>
      <section>
        <h3>Consumer workers</h3>
        <ul class="workers">
          ${handsOut.map((one) => html`<${WorkerCard} key=${one.worker.id} ...${one} />`)}
        </ul>
      </section>
    </div>
  </details>`;
}

function WorkerCard({ node, worker }: { node: NodeInfo; worker: WorkerInfo }) {
  const producer = worker.role === "producer";
  const { total, used } = producer ? worker.broadcasts : worker.points;
  const unit = producer ? "broadcasts" : "points";
  const shut = shutReason(node, worker);
  return html`<li
    class="worker"
    data-testid="worker"
    data-worker-id=${worker.id}
    data-role=${worker.role}
    data-points-used=${worker.points.used}
    data-broadcasts-used=${worker.broadcasts.used}
    data-open=${worker.open}
  >
    <p class="worker-head">
      <strong>${workerLabel(worker.id)}</strong>
      ${worker.mediaClass === "screen" && html`<span class="tag">screens</span>`}
      ${shut && html`<span class="tag bad">${shut}</span>`}
    </p>
    <p
      class="cells"
      role="img"
      data-many=${total > 16}
      aria-label=${`${used} of ${total} ${unit} in use`}
    >
      ${Array.from(
        { length: Math.min(total, 64) },
        (_, index) => html`<i key=${index} data-on=${index < used}></i>`,
      )}
    </p>
    <p class="worker-foot">
      <span>${used} of ${total} ${unit}</span>
      <span>
        ${producer ? `${worker.legs.used} legs` : `${worker.views} views`} ·${" "}
        ${Math.round(worker.cpuPercent)} % CPU
      </span>
    </p>
  </li>`;
}

function useFleet(active: boolean): Fleet | undefined {
  const [fleet, setFleet] = useState<Fleet>();
  useEffect(() => {
    if (!active) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    const look = async () => {
      try {
        if (document.visibilityState === "visible") setFleet(await loadFleet());
      } catch (error) {
        // A deployment that does not show its fleet is not asked again.
        if (asWeirError(error).code === "not-found") return setFleet(undefined);
      }
      if (!stopped) timer = setTimeout(look, refreshMs);
    };
    void look();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [active]);
  return fleet;
}

function shutReason(node: NodeInfo, worker: WorkerInfo): string {
  if (node.state !== "ready") return node.state;
  if (node.draining) return "draining";
  if (node.cordoned) return "cordoned";
  return worker.open ? "" : (worker.reason ?? "closed");
}

function summaryOf({ nodes, pipes }: Fleet): string {
  const workers = nodes.reduce((sum, node) => sum + node.workers.length, 0);
  const open = pipes.filter(({ state }: PipeInfo) => state === "open").length;
  const count = (number: number, one: string) =>
    `${number} ${one}${number === 1 ? "" : "s"}`;
  return [
    count(nodes.length, "host"),
    count(workers, "worker"),
    count(open, "open pipe"),
  ].join(", ");
}

function labeller(fleet: Fleet): (workerId: string) => string {
  const known = new Set(
    fleet.nodes.flatMap(({ workers }) => workers.map(({ id }) => id)),
  );
  return (workerId) => (known.has(workerId) ? workerLabel(workerId) : "gone");
}
