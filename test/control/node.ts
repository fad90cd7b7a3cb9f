import { pino } from "pino";
import { Agent } from "#agent/agent.ts";
import { readConfig } from "#agent/config.ts";
import { NodeKey } from "#agent/node-key.ts";
import type { Timing } from "#agent/timing.ts";
import type { ChallengeResponse } from "#schema/agent/control.ts";
import { stateFolder } from "#test/harness/agent.ts";
import type { CallAnswer, Control } from "#test/harness/control.ts";
import { takePortBlock } from "#test/harness/port-block.ts";
import { waitFor } from "#test/harness/wait-for.ts";

/** A real agent in the test's own process, registered with a real control. */
export interface TestNode {
  readonly id: string;
  readonly agent: Agent;
  stop(): Promise<void>;
}

/**
 * Starts an agent with real mediasoup workers and waits until control knows it.
 * @param workers as in WEIR_WORKERS; the last number is a worker's points
 * @param timing the agent's delays; nobody has to connect DTLS unless it says so
 * @param env more of the agent's environment
 */
export async function startNode(
  control: Control,
  name: string,
  workers: string,
  timing: Partial<Timing> = {},
  env: Record<string, string> = {},
): Promise<TestNode> {
  const ports = await takePortBlock();
  const config = readConfig({
    WEIR_CONTROL_URL: control.url,
    WEIR_NODE_KEY: control.keys.node,
    WEIR_NODE_NAME: name,
    WEIR_STATE: stateFolder,
    WEIR_WORKERS: workers,
    WEIR_LISTEN_IP: "127.0.0.1",
    WEIR_MEDIA_PORT: String(ports.mediaPort),
    WEIR_PIPE_PORTS: `${ports.pipePorts.min}-${ports.pipePorts.max}`,
    WEIR_LOG_LEVEL: process.env.WEIR_TEST_LOG ?? "silent",
    ...env,
  });
  const log = pino({ level: config.logLevel, base: { node: name } });
  const patient = { dtlsConnectMs: 600_000, backoffMinMs: 20, backoffMaxMs: 200 };
  const agent = new Agent(config, log, { ...patient, ...timing });
  await agent.start();
  await waitFor(() => agent.registration, { what: `registration of ${name}` });
  let stopped: Promise<void> | undefined;
  return {
    id: `node_${control.zone}_${name}`,
    agent,
    stop() {
      stopped ??= agent.leave(0).then(() => ports.release());
      return stopped;
    },
  };
}

/**
 * Registers a host that only exists on paper, as its agent would.
 * @param key the zone's node key. Default the present one
 * @param host whose key pair signs. Default the one of the name
 */
export async function registerPaper(
  control: Control,
  body: ReturnType<typeof registrationOf>,
  { key = control.keys.node, host = body.name } = {},
): Promise<CallAnswer> {
  const { name } = body;
  const { rows } = await control.database.execute("SELECT codecs_hash FROM zone");
  const known = rows[0]?.codecs_hash;
  // A host on paper has whatever codecs the zone's first real one brought.
  const codecsHash = body.codecsHash === anyCodecs && known ? known : body.codecsHash;
  const asked = await control.call("POST", "/v1/agent/challenge", {
    key,
    body: { name },
  });
  if (asked.status !== 200) return asked;
  return control.call("POST", "/v1/agent/register", {
    key,
    body: { ...body, codecsHash, ...proofOf(asked.body, host) },
  });
}

/** What a host's key pair makes of a challenge. */
export function proofOf(asked: ChallengeResponse, host: string) {
  const nodeKey = NodeKey.load(stateFolder, host);
  const { challenge } = asked;
  return { publicKey: nodeKey.publicKey, challenge, signature: nodeKey.sign(asked) };
}

/** A worker that no mediasoup runs behind: enough for what is decided in control. */
export interface DeclaredWorker {
  role: "producer" | "consumer";
  mediaClass: "camera" | "screen";
  points?: number;
}

const anyCodecs = "0".repeat(64);

/** A registration's body for a host that only exists on paper. */
export function registrationOf(
  name: string,
  workers: DeclaredWorker[],
  budget: { egressKbps?: number; ingressKbps?: number } = {},
) {
  return {
    name,
    agentVersion: "test",
    workers: workers.map((worker, ordinal) => ({
      ordinal,
      incarnation: `${name}-${ordinal}-first`,
      ...worker,
    })),
    egressKbps: budget.egressKbps ?? 10_000_000,
    ingressKbps: budget.ingressKbps ?? 10_000_000,
    addresses: { pipe: "127.0.0.1" },
    codecsHash: anyCodecs,
    routerRtpCapabilities: { codecs: [] },
  };
}

/** Several workers alike. */
export function times(count: number, worker: DeclaredWorker): DeclaredWorker[] {
  return Array.from({ length: count }, () => worker);
}
