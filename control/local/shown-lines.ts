import { stripVTControlCharacters } from "node:util";

const levelNumbers: Record<string, number> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
};

/**
 * Makes the filter between an agent's log and the terminal. Agents log JSON, a
 * line each; anything else is a crash and always shown.
 * @param level the least level to show
 */
export function agentLines(level: string): (line: string) => string | undefined {
  const least = levelNumbers[level] ?? 40;
  return (line) => {
    const entry = parseEntry(line);
    if (!entry) return line.trim() ? line : undefined;
    if (entry.level < least) return undefined;
    const name = Object.keys(levelNumbers).findLast(
      (known) => (levelNumbers[known] ?? 0) <= entry.level,
    );
    const { level: _, time: __, pid: ___, hostname: ____, msg, ...rest } = entry;
    const details = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : "";
    return `${name}: ${msg ?? ""}${details}`;
  };
}

/**
 * Makes the filter between wrangler's output and the terminal: warnings, errors
 * and what belongs to them, or all of it from level info down.
 * @param level the least level to show
 */
export function controlLines(level: string): (line: string) => string | undefined {
  const least = levelNumbers[level] ?? 40;
  let inMessage = false;
  return (line) => {
    const plain = stripVTControlCharacters(line).trimEnd();
    if (!plain.trim()) return undefined;
    if (least <= 30) return plain;
    const isError = /✘|\[ERROR\]|^\s*(Uncaught|\w*Error:)/.test(plain);
    // The launcher fires cron, so that warning would mislead.
    const isWarning = /▲|\[WARNING\]/.test(plain) && !/Scheduled Workers/.test(plain);
    // The lines below a message are indented.
    if (isError || (isWarning && least <= 40)) inMessage = true;
    else if (!/^\s/.test(plain)) inMessage = false;
    return inMessage ? plain : undefined;
  };
}

interface Entry {
  level: number;
  msg?: unknown;
  [key: string]: unknown;
}

function parseEntry(line: string): Entry | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const entry = JSON.parse(line) as Entry;
    return typeof entry.level === "number" ? entry : undefined;
  } catch {
    return undefined;
  }
}
