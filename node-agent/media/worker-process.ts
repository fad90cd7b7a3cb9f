import { once } from "node:events";
import { createWorker, type types } from "mediasoup";
import type { Logger } from "pino";
import type { AgentConfig } from "../config.ts";
import { socketBufferBytes } from "./socket-buffers.ts";

/** A mediasoup worker process and the server on which all its clients arrive. */
export interface WorkerProcess {
  worker: types.Worker;
  webRtcServer: types.WebRtcServer;
  /** Closes the worker and waits for its process, killing it after `patienceMs`. */
  stop: (patienceMs: number) => Promise<void>;
}

/**
 * mediasoup closes its workers by itself on SIGINT and SIGTERM. A draining
 * agent has to keep them, so its own handler alone decides what a signal means.
 */
function keepThroughSignals(worker: types.Worker): void {
  const handler = (worker as { onSignal?: NodeJS.SignalsListener }).onSignal;
  if (typeof handler !== "function") return;
  process.off("SIGINT", handler);
  process.off("SIGTERM", handler);
}

/** Kills a worker's process; one that has ended already is fine. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function stopProcess(worker: types.Worker, patienceMs: number): Promise<void> {
  if (worker.subprocessClosed) return;
  const ended = once(worker, "subprocessclose");
  const timer = setTimeout(() => killProcess(worker.pid), patienceMs);
  worker.close();
  await ended;
  clearTimeout(timer);
}

/**
 * Starts one mediasoup worker with its WebRtcServer.
 * @param port of the WebRtcServer, UDP and TCP
 * @throws Error where the process does not start or the port is taken
 */
export async function spawnWorker(
  config: AgentConfig,
  port: number,
  log: Logger,
): Promise<WorkerProcess> {
  const worker = await createWorker({ logLevel: "warn" });
  keepThroughSignals(worker);
  const stop = (patienceMs: number) => stopProcess(worker, patienceMs);
  const address = {
    ip: config.listenIp,
    announcedAddress: config.announcedAddress,
    port,
  };
  const buffers = {
    sendBufferSize: socketBufferBytes,
    recvBufferSize: socketBufferBytes,
  };
  try {
    const webRtcServer = await worker.createWebRtcServer({
      listenInfos: [
        { protocol: "udp", ...address, ...buffers },
        { protocol: "tcp", ...address },
      ],
    });
    log.info({ pid: worker.pid, port }, "worker started");
    return { worker, webRtcServer, stop };
  } catch (error) {
    await stop(0);
    throw error;
  }
}
