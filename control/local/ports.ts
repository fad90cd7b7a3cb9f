import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { LaunchError } from "./config.ts";

/** A process that has just ended may still be giving its ports back. */
const patienceMs = 1500;

/** A port that has to be free, and the setting that moves it. */
export interface WantedPort {
  port: number;
  address: string;
  protocol: "tcp" | "udp";
  what: string;
  setting: string;
}

/**
 * Checks that nobody has the ports, before anything is started.
 * @throws LaunchError naming the first taken port and the setting that moves it
 */
export async function requirePorts(wanted: WantedPort[]): Promise<void> {
  const untilMs = Date.now() + patienceMs;
  for (const { port, address, protocol, what, setting } of wanted) {
    const taken = await takenUntil(untilMs, () =>
      (protocol === "tcp" ? tryTcp : tryUdp)(port, address),
    );
    if (!taken) continue;
    if (taken === "EADDRNOTAVAIL") {
      throw new LaunchError(
        `${address} is no address of this machine: change ${setting}`,
      );
    }
    throw new LaunchError(
      `Port ${port}/${protocol} on ${address} (${what}) cannot be had (${taken}): ` +
        `stop who has it, or set ${setting} to another`,
    );
  }
}

/** Tries again until the port is free or the patience is over. */
async function takenUntil(
  untilMs: number,
  tryPort: () => Promise<string | undefined>,
): Promise<string | undefined> {
  for (;;) {
    const taken = await tryPort();
    if (taken !== "EADDRINUSE" || Date.now() > untilMs) return taken;
    await delay(100);
  }
}

/** Finds a free TCP port on the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No TCP port");
  return address.port;
}

function tryTcp(port: number, address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code ?? "error"),
    );
    server.listen(port, address, () => server.close(() => resolve(undefined)));
  });
}

function tryUdp(port: number, address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code ?? "error"),
    );
    socket.bind(port, address, () => socket.close(() => resolve(undefined)));
  });
}
