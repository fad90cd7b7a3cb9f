import { randomInt } from "node:crypto";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { requirePorts } from "#control/local/ports.ts";

/** Ports for one agent, which nobody else's test takes at the same time. */
export interface PortBlock {
  mediaPort: number;
  pipePorts: { min: number; max: number };
  /** Gives the block to others. */
  release(): Promise<void>;
}

// Below the range from which the kernel picks ports for outgoing connections.
const firstBlock = 20_000;
const blocks = 180;
const blockSize = 64;
const mediaPorts = 15;

/**
 * Finds a block whose ports are free. Its first port is kept open while it is
 * used, which tells other test processes to look elsewhere.
 * @throws Error where no block is free
 */
export async function takePortBlock(): Promise<PortBlock> {
  for (let tries = 0; tries < 50; tries++) {
    const base = firstBlock + randomInt(blocks) * blockSize;
    const guard = await listenOn(base);
    if (!guard) continue;
    const release = () => new Promise<void>((done) => guard.close(() => done()));
    if (await areFree(base + 1)) {
      return {
        mediaPort: base + 1,
        pipePorts: { min: base + 1 + mediaPorts, max: base + blockSize - 1 },
        release,
      };
    }
    await release();
  }
  throw new Error("No block of ports is free");
}

async function areFree(mediaPort: number): Promise<boolean> {
  const wanted = Array.from({ length: mediaPorts }, (_, at) => mediaPort + at).flatMap(
    (port) =>
      (["udp", "tcp"] as const).map((protocol) => ({
        port,
        address: "127.0.0.1",
        protocol,
        what: "media",
        setting: "the block",
      })),
  );
  return requirePorts(wanted).then(
    () => true,
    () => false,
  );
}

function listenOn(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
