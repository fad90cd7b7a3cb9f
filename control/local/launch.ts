import { randomBytes } from "node:crypto";
import { accessSync, chmodSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Agent } from "./agents.ts";
import { mediaPorts, planHosts, startAgent } from "./agents.ts";
import type { LaunchConfig } from "./config.ts";
import { LaunchError } from "./config.ts";
import { startControlProcess } from "./control-process.ts";
import { startCron } from "./cron.ts";
import type { Databases } from "./databases.ts";
import {
  DatabaseStartError,
  databaseEnvironment,
  startDatabases,
  stopDatabases,
} from "./databases.ts";
import type { Keys } from "./keys.ts";
import { loadKeys, replaceApiKey } from "./keys.ts";
import { requirePorts } from "./ports.ts";
import type { Child } from "./processes.ts";
import { provisionFirstAccount } from "./provision.ts";
import { waitUntilReady } from "./readiness.ts";
import type { Run } from "./run-file.ts";
import { claimRun } from "./run-file.ts";

const zone = "local";
const controlStartMs = 60_000;
const controlTries = 3;
const agentStartMs = 30_000;
// Together they stay below the five seconds within which a stop is over.
const agentGraceMs = 2000;
const controlGraceMs = 1500;

export interface LaunchOptions {
  /** The repository's folder. */
  root: string;
  config: LaunchConfig;
  say: (text: string) => void;
}

/** Everything that runs on one machine: databases, control and two hosts. */
export class Launch {
  /** What the data folder keeps; a revoked API key is replaced at the start. */
  keys: Keys;
  readonly #options: LaunchOptions;
  readonly #run: Run;
  readonly #agents: Agent[] = [];
  #databases: Databases | undefined;
  #control: Child | undefined;
  #stopCron: (() => void) | undefined;
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  readonly #told = Promise.withResolvers<string>();
  /** Settles when control ends by itself, with how it ended. */
  readonly failed: Promise<string>;
  readonly #fail: (how: string) => void;

  private constructor(options: LaunchOptions, run: Run, keys: Keys) {
    this.#options = options;
    this.#run = run;
    this.keys = keys;
    const failed = Promise.withResolvers<string>();
    this.failed = failed.promise;
    this.#fail = failed.resolve;
  }

  /**
   * Claims the data folder and reads the keys; nothing is started yet.
   * @throws LaunchError where the folder is not to be had
   */
  static async claim(options: LaunchOptions): Promise<Launch> {
    const folder = options.config.dataFolder;
    prepareFolder(folder);
    const run = await claimRun(folder, options.say);
    try {
      return new Launch(options, run, loadKeys(folder, zone, options.config.givenKeys));
    } catch (error) {
      await run.end();
      throw error;
    }
  }

  /**
   * Starts all parts, each when the one before it is ready.
   * @throws LaunchError where one cannot start; `stop` clears away the others
   */
  start(): Promise<void> {
    this.#starting ??= this.#startAll();
    return this.#starting;
  }

  /** Ends agents, control and databases, in this order, and leaves no process. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #startAll(): Promise<void> {
    const { root, config, say } = this.#options;
    const hosts = planHosts(config);
    requireTools(root);
    await requirePorts([
      {
        port: config.port,
        address: config.host,
        protocol: "tcp",
        what: "control",
        setting: "WEIR_PORT",
      },
      ...hosts.flatMap((host) => mediaPorts(config, host)),
    ]);
    const databases = await this.#startDatabases();
    say("control: starting");
    await this.#startControl(databases);
    this.#stopCron = startCron(config.controlUrl, say);
    for (const host of hosts) {
      say(`${host.name}: starting ${host.workerCount} mediasoup workers`);
      const { runId } = this.#run;
      const nodeKey = this.keys.node;
      this.#agents.push(await startAgent({ root, config, nodeKey, runId, host, say }));
    }
    await Promise.all(this.#agents.map((agent) => this.#waitForAgent(agent)));
  }

  async #stopAll(): Promise<void> {
    // What is being started has to be known before it can be stopped.
    this.#told.resolve("was told to stop");
    await this.#starting?.catch(() => {});
    this.#stopCron?.();
    await Promise.all(this.#agents.map((agent) => agent.stop(agentGraceMs)));
    await this.#control?.stop("SIGTERM", controlGraceMs);
    if (this.#databases) await stopDatabases(this.#databases);
    await this.#run.end();
  }

  /**
   * Starts control. Its runtime picks an inner port by itself, and now and then
   * one that somebody else has just taken: then it starts again.
   */
  async #startControl(databases: Record<string, string>): Promise<void> {
    const { root, config, say } = this.#options;
    const { runId } = this.#run;
    for (let tries = 1; ; tries += 1) {
      const options = { root, config, keys: this.keys, zone, databases, runId };
      const control = await startControlProcess(options);
      this.#control = control;
      let hasEnded = false;
      void control.ended.then(() => {
        hasEnded = true;
      });
      try {
        await waitUntilReady({
          url: `${config.controlUrl}/readyz`,
          what: "control",
          timeoutMs: controlStartMs,
          failed: Promise.race([control.ended, this.#told.promise]),
          logFile: join(config.dataFolder, "logs/control.log"),
        });
        void control.ended.then((how) => {
          if (!this.#stopped) this.#fail(how);
        });
        return;
      } catch (error) {
        if (!hasEnded || this.#stopped || tries === controlTries) throw error;
        say("control: ended at its start, trying again");
      }
    }
  }

  /** @returns the environment with which control finds them */
  async #startDatabases(): Promise<Record<string, string>> {
    const { root, config, say } = this.#options;
    say("databases: opening and migrating");
    const token = randomBytes(24).toString("base64url");
    const folder = join(config.dataFolder, "databases");
    try {
      this.#databases = await startDatabases({ root, folder, token });
    } catch (error) {
      if (!(error instanceof DatabaseStartError)) throw error;
      throw new LaunchError(
        `The database ${error.file} cannot be migrated (${error.message}): ` +
          "it was written by another version; set WEIR_DATA to another folder",
      );
    }
    await this.#provision(this.#databases, token);
    return databaseEnvironment(this.#databases, token);
  }

  /** The first account and its key; one that was revoked makes room for another. */
  async #provision({ accounts }: Databases, token: string): Promise<void> {
    if (await provisionFirstAccount(accounts, token, zone, this.keys)) return;
    const { config, say } = this.#options;
    if (config.givenKeys.api) {
      throw new LaunchError("WEIR_API_KEY was revoked: leave it out and one is made");
    }
    say("the API key of the data folder was revoked: making another");
    this.keys = replaceApiKey(config.dataFolder, zone, this.keys);
    await provisionFirstAccount(accounts, token, zone, this.keys);
  }

  async #waitForAgent({ host, healthUrl }: Agent): Promise<void> {
    await waitUntilReady({
      url: healthUrl,
      what: host.name,
      timeoutMs: agentStartMs,
      failed: Promise.race([this.failed, this.#told.promise]),
      logFile: join(this.#options.config.dataFolder, "logs", `${host.name}.log`),
    });
    this.#options.say(`${host.name}: registered`);
  }
}

function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
    makeFolder(join(folder, "logs"));
    chmodSync(folder, 0o700);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new LaunchError(
      `The data folder ${folder} cannot be written (${code}): set WEIR_DATA to one that can`,
    );
  }
}

/** Like mkdir -p. Node's own never returns for a folder below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

function requireTools(root: string): void {
  const needed = [
    ["node_modules/wrangler/bin/wrangler.js", "wrangler"],
    ["node_modules/mediasoup/worker/out/Release/mediasoup-worker", "mediasoup's worker"],
    ["control/web/dist/index.html", "the built page"],
  ];
  for (const [path = "", what] of needed) {
    if (path.includes("mediasoup") && process.env.MEDIASOUP_WORKER_BIN) continue;
    if (existsSync(join(root, path))) continue;
    throw new LaunchError(`${what} is missing (${path}): run npm run setup`);
  }
}
