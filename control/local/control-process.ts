import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LaunchConfig } from "./config.ts";
import { hashOfKey, type Keys } from "./keys.ts";
import type { Child } from "./processes.ts";
import { startChild } from "./processes.ts";
import { runMark } from "./run-file.ts";
import { controlLines } from "./shown-lines.ts";

export interface ControlOptions {
  /** The repository's folder. */
  root: string;
  config: LaunchConfig;
  keys: Keys;
  zone: string;
  /** With what control finds its databases. */
  databases: Record<string, string>;
  runId: string;
}

/**
 * Starts control as it runs in production, in wrangler's local runtime. Secrets
 * go through a file that only its owner may read, never through arguments.
 */
export async function startControlProcess(options: ControlOptions): Promise<Child> {
  const { root, config } = options;
  const envFile = join(config.dataFolder, "control.env");
  writeFileSync(envFile, environmentFile(options), { mode: 0o600 });
  return startChild({
    name: "control",
    args: [
      join(root, "node_modules/wrangler/bin/wrangler.js"),
      "dev",
      ...["--config", join(root, "wrangler.toml")],
      ...["--ip", config.host],
      ...["--port", String(config.port)],
      ...["--persist-to", join(config.dataFolder, "control")],
      ...["--env-file", envFile],
      ...["--log-level", "log"],
      "--show-interactive-dev-session=false",
    ],
    env: {
      ...process.env,
      [runMark]: options.runId,
      // Without these it calls out at every start.
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      NO_UPDATE_NOTIFIER: "1",
      // Its explorer would show every object's storage to whoever reaches the port.
      X_LOCAL_EXPLORER: "false",
      X_LOCAL_OBSERVABILITY: "false",
      NO_COLOR: "1",
      FORCE_COLOR: undefined,
    },
    cwd: root,
    logFile: join(config.dataFolder, "logs/control.log"),
    show: controlLines(config.logLevel),
  });
}

function environmentFile({ config, keys, zone, databases }: ControlOptions): string {
  const values = {
    WEIR_ZONE: zone,
    ...databases,
    WEIR_OPERATOR_KEY_HASH: hashOfKey(keys.operator),
    WEIR_NODE_KEY_HASH: hashOfKey(keys.node),
    WEIR_SECRET_KEY: keys.secret,
    WEIR_SECRET_KEY_PREVIOUS: config.previousSecret,
    // The agents call from this machine, whatever address browsers send media to.
    WEIR_NODE_ADDRESSES: config.announcedAddress,
    WEIR_STRIPE_WEBHOOK_SECRET: config.stripeWebhookSecret,
    WEIR_LOBBY: config.lobby,
    WEIR_ICE_SERVERS: config.iceServers,
    WEIR_TURN_URLS: config.turnUrls,
    WEIR_TURN_SECRET: config.turnSecret,
    WEIR_SETTINGS: JSON.stringify(config.settingsOverrides),
    WEIR_PUBLIC_URL: config.publicUrl,
  };
  // Single quotes keep a value as it is, so none may be left inside; in JSON the
  // escape reads the same.
  const lines = Object.entries(values).map(
    ([name, value]) => `${name}='${value.replaceAll("'", "\\u0027")}'`,
  );
  return `${lines.join("\n")}\n`;
}
