import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readSettings as readZoneSettings } from "#schema/settings.ts";

/** What was asked cannot be done; the message says why in words. */
export class CommandError extends Error {
  override name = "CommandError";
  /** 1: refused, 2: asked wrongly, 3: control was not reached. */
  readonly exitCode: 1 | 2 | 3;

  constructor(message: string, exitCode: 1 | 2 | 3 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Where control is, and with which keys it is asked. */
export interface Settings {
  url: string;
  /** @throws CommandError where there is none */
  operatorKey(): string;
  /** @throws CommandError where there is none */
  apiKey(): string;
  /**
   * For how many seconds control takes a join token to be good at most, as far as
   * this machine knows its settings.
   * @throws CommandError where WEIR_SETTINGS cannot be read
   */
  tokenMaxSeconds(): number;
}

const keptKeys = z.object({ api: z.string(), operator: z.string() });

/**
 * Finds control and the keys: from the environment, else from the data folder of
 * `npm start`. No key is an argument, as others on the machine can read those.
 * @param given what the command line says
 */
export function readSettings(
  given: { url?: string; data?: string },
  env: Record<string, string | undefined>,
): Settings {
  const folder = resolve(given.data ?? (env.WEIR_DATA || ".weir"));
  const key = (variable: string, kept: "api" | "operator", what: string) => {
    const found = env[variable] || keysIn(folder)?.[kept];
    if (found) return found;
    throw new CommandError(
      `No ${what}: set ${variable}, or WEIR_DATA to the data folder of npm start ` +
        `(there is no keys.json in ${folder})`,
      2,
    );
  };
  return {
    url: given.url ?? (env.WEIR_URL || `http://127.0.0.1:${env.WEIR_PORT || 8787}`),
    operatorKey: () => key("WEIR_OPERATOR_KEY", "operator", "operator key"),
    apiKey: () => key("WEIR_API_KEY", "api", "API key"),
    tokenMaxSeconds: () => {
      try {
        const { tokens } = readZoneSettings(JSON.parse(env.WEIR_SETTINGS || "{}"));
        return tokens.joinTtlMaxMs / 1000;
      } catch (error) {
        throw new CommandError(`WEIR_SETTINGS: ${(error as Error).message}`, 2);
      }
    },
  };
}

function keysIn(folder: string): z.infer<typeof keptKeys> | undefined {
  const file = join(folder, "keys.json");
  if (!existsSync(file)) return undefined;
  try {
    return keptKeys.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new CommandError(`${file} holds no keys`, 2);
  }
}
