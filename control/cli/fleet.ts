import type { Command } from "commander";
import type { Fleet, NodeInfo, Reconciliation } from "#schema/api/fleet.ts";
import type { PartStates } from "#schema/problems.ts";
import { hashOfKey, makeKeys } from "../local/keys.ts";
import { type Run, type Tools, wholeNumber } from "./run.ts";

/** `weir nodes`, `plan`, `status`, `reconcile` and `secrets`. */
export function addFleetCommands(program: Command, run: Run): void {
  addNodes(program, run);
  addPlan(program, run);
  program
    .command("status")
    .description("whether control serves, and which databases answer")
    .action(
      run(async ({ api, output }) => {
        const ready = await api.call<{ status: string; parts: PartStates }>(
          "anyone",
          "GET",
          "/readyz",
        );
        const version = await api.call<{ version: string }>("anyone", "GET", "/version");
        const answer = { ...ready, version: version.version };
        const { status, parts } = ready;
        output.fields(answer, { version: version.version, status, ...parts });
      }),
    );
  program
    .command("reconcile")
    .description("hold what the hosts have, and all totals, against the ledger")
    .action(
      run(async ({ api, output }) => {
        const path = "/v1/reconcile";
        const found = await api.call<Reconciliation>("operator", "POST", path);
        output.rows(found, found.nodes, {
          HOST: (node) => node.nodeId,
          ANSWERED: (node) => (node.reached ? "yes" : "no"),
          ORPHANS: (node) => node.orphans,
          CLOSED: (node) => node.closed,
          MISSING: (node) => node.missing,
          REPLACED: (node) => node.replaced,
        });
        output.note(`Totals that do not add up: ${found.drift.length}`);
      }),
    );
  program
    .command("secrets")
    .description("make the secrets of a new deployment; nothing is kept here")
    .action(
      run(({ output }) => {
        const { operator, node, secret } = makeKeys("new");
        const made = {
          WEIR_OPERATOR_KEY: operator,
          WEIR_OPERATOR_KEY_HASH: hashOfKey(operator),
          WEIR_NODE_KEY: node,
          WEIR_SECRET_KEY: secret,
        };
        output.fields(made, made);
        output.note("Control gets all but WEIR_OPERATOR_KEY, which is yours to keep.");
      }),
    );
}

function addNodes(program: Command, run: Run): void {
  const nodes = program.command("nodes").description("the hosts of the zone");
  nodes
    .command("list")
    .description("list the hosts and what is used of them")
    .action(
      run(async ({ api, output }) => {
        const fleet = await api.call<Fleet>("operator", "GET", "/v1/nodes");
        output.rows(fleet, fleet.nodes, {
          ID: ({ id }) => id,
          STATE: stateOf,
          WORKERS: ({ workers }) => workers.length,
          OPEN: ({ workers }) => workers.filter((worker) => worker.open).length,
          POINTS: (node) => shareOf(node, "points"),
          BROADCASTS: (node) => shareOf(node, "broadcasts"),
          "EGRESS MBIT/S": ({ egressKbps: { used, total } }) =>
            `${Math.round(used / 1000)}/${Math.round(total / 1000)}`,
          HEARD: ({ heardAt }) => heardAt,
        });
      }),
    );
  const act = (verb: string, description: string, method: string, place: string) =>
    nodes
      .command(verb)
      .description(description)
      .argument("<node>", "the host's id, or its name")
      .action(
        run(async ({ api, output }, [named = ""], { within }) => {
          const id = await idOfNode(api, named);
          const query = within === undefined ? "" : `?withinMs=${within * 1000}`;
          const path = `/v1/nodes/${encodeURIComponent(id)}/${place}${query}`;
          const done = await api.call<Record<string, string>>("operator", method, path);
          output.fields(done, { ...done, done: verb });
        }),
      );
  act("cordon", "give a host nothing new; what is there stays", "POST", "cordon");
  act("uncordon", "give a host new work again; it also ends a drain", "POST", "uncordon");
  act("drain", "move everything off a host while it runs", "POST", "drain").option(
    "--within <seconds>",
    "until what is left is moved without ceremony",
    wholeNumber,
  );
  act("forget-key", "let a host's name be taken by a new machine", "DELETE", "key");
}

/** A host's id, by its id or its name. */
async function idOfNode(api: Tools["api"], named: string): Promise<string> {
  const { nodes } = await api.call<Fleet>("operator", "GET", "/v1/nodes");
  return nodes.find(({ id }) => id === named || id.endsWith(`_${named}`))?.id ?? named;
}

function addPlan(program: Command, run: Run): void {
  program
    .command("plan")
    .description("the fleet that a mix of full rooms takes")
    .requiredOption("--mix <mix>", "rooms by tier, as 5:2,1:200")
    .option("--screens <count>", "screens in each room", wholeNumber, 0)
    .option("--cores <count>", "cores of a host", wholeNumber, 16)
    .option("--egress <mbit/s>", "what a host may send", wholeNumber, 10_000)
    .action(
      run(async ({ api, output }, _, { mix, screens, cores, egress }) => {
        const query = new URLSearchParams({
          mix,
          screensPerRoom: String(screens),
          coresPerHost: String(cores),
          hostEgressMbps: String(egress),
        });
        const plan = await api.call<Record<string, number | Record<string, number>>>(
          "anyone",
          "GET",
          `/v1/plan?${query}`,
        );
        const { workers, ...rest } = plan;
        output.fields(plan, {
          ...(rest as Record<string, number>),
          ...Object.fromEntries(
            Object.entries(workers ?? {}).map(([role, count]) => [
              `${role} workers`,
              count,
            ]),
          ),
        });
      }),
    );
}

function stateOf({ state, cordoned, draining, failure }: NodeInfo): string {
  if (draining) return `${state}, draining`;
  if (cordoned) return `${state}, cordoned`;
  return failure?.heldUntil ? `${state}, held back: ${failure.reason}` : state;
}

function shareOf({ workers }: NodeInfo, what: "points" | "broadcasts"): string {
  const sum = (read: "used" | "total") =>
    workers.reduce((total, worker) => total + worker[what][read], 0);
  return `${sum("used")}/${sum("total")}`;
}
