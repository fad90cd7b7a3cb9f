import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { freePort } from "#control/local/ports.ts";
import { startBrowser } from "#test/browser/browser.ts";
import { waitFor } from "#test/harness/wait-for.ts";

/** Whether Debian's coturn is here. */
export function hasTurnServer(): boolean {
  const folders = (process.env.PATH ?? "").split(":");
  return folders.some((folder) => existsSync(join(folder, "turnserver")));
}

/**
 * A network from which the media hosts cannot be reached: a namespace that has a
 * route to the TURN server's address and to nothing else. Media hosts listen on
 * another address of this machine.
 */
export interface HardNetwork {
  /** Where media hosts listen: out of the namespace's reach. */
  mediaAddress: string;
  /** Where the TURN server listens: all that the namespace reaches. */
  turnAddress: string;
  /** Whether an address can be reached from inside, by its routes. */
  reaches(address: string): boolean;
  /** Starts a browser inside. */
  startBrowser(executablePath: string): Promise<Browser>;
  remove(): void;
}

/** Makes such a network, or answers undefined where this user may not. */
export function makeHardNetwork(): HardNetwork | undefined {
  // Of this process alone, so that runs beside each other do not meet.
  const [high, low] = [64 + ((process.pid >> 8) & 63), process.pid & 255];
  const name = `weir${process.pid}`;
  const [near, far] = [`wo${process.pid}`, `wi${process.pid}`];
  const turnAddress = `10.${high}.${low}.1`;
  const mediaAddress = `10.${high + 64}.${low}.1`;
  const ip = (...args: string[]) => execFileSync("ip", args, { stdio: "pipe" });
  const inside = (...args: string[]) => ip("netns", "exec", name, "ip", ...args);
  const quietly = (act: () => unknown) => {
    try {
      act();
      return true;
    } catch {
      return false;
    }
  };
  const folder = mkdtempSync(join(tmpdir(), "weir-netns-"));
  const remove = () => {
    quietly(() => ip("netns", "del", name));
    quietly(() => ip("link", "del", near));
    quietly(() => ip("addr", "del", `${mediaAddress}/32`, "dev", "lo"));
    rmSync(folder, { recursive: true, force: true });
  };
  const made = quietly(() => {
    ip("netns", "add", name);
    ip("link", "add", near, "type", "veth", "peer", "name", far);
    ip("link", "set", far, "netns", name);
    ip("addr", "add", `${turnAddress}/24`, "dev", near);
    ip("link", "set", near, "up");
    ip("addr", "add", `${mediaAddress}/32`, "dev", "lo");
    inside("addr", "add", `10.${high}.${low}.2/24`, "dev", far);
    inside("link", "set", far, "up");
    inside("link", "set", "lo", "up");
  });
  if (!made) {
    remove();
    return undefined;
  }
  return {
    mediaAddress,
    turnAddress,
    reaches: (address) => quietly(() => inside("route", "get", address)),
    startBrowser(executablePath) {
      const wrapper = join(folder, "browser");
      const line = `exec ip netns exec ${name} '${executablePath}' "$@"`;
      writeFileSync(wrapper, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
      return startBrowser(wrapper);
    },
    remove,
  };
}

/** A running coturn whose passwords come from a shared secret. */
export interface TurnServer {
  url: string;
  /** Its log so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts Debian's coturn on an address of this machine. */
export async function startTurnServer(
  address: string,
  secret: string,
): Promise<TurnServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "weir-turn-"));
  const config = [
    `listening-ip=${address}`,
    `relay-ip=${address}`,
    `listening-port=${port}`,
    "use-auth-secret",
    `static-auth-secret=${secret}`,
    "realm=weir",
    "fingerprint",
    "no-cli",
    "no-tls",
    "no-dtls",
    "verbose",
    "log-file=stdout",
    "simple-log",
    `pidfile=${folder}/pid`,
    `userdb=${folder}/users`,
  ];
  const file = join(folder, "turnserver.conf");
  writeFileSync(file, `${config.join("\n")}\n`, { mode: 0o600 });
  const child = spawn("turnserver", ["-c", file], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const listening = () => text.includes(`${address}:${port}`);
  await waitFor(listening, { what: "coturn to listen" });
  return {
    url: `turn:${address}:${port}?transport=udp`,
    log: () => text,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      process.off("exit", killWithUs);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
