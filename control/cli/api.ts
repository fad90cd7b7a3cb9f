import type { ProblemBody } from "#schema/problems.ts";
import { CommandError, type Settings } from "./settings.ts";

const timeoutMs = 30_000;

/** As whom control is asked. */
export type Caller = "operator" | "application" | "anyone";

/** Control's HTTP API, as the commands use it. */
export class Api {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Makes a call.
   * @throws CommandError with what control says, or that it cannot be reached
   */
  async call<T>(
    caller: Caller,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const { url } = this.#settings;
    const headers: Record<string, string> = {};
    if (caller === "operator")
      headers.authorization = `Bearer ${this.#settings.operatorKey()}`;
    if (caller === "application")
      headers.authorization = `Bearer ${this.#settings.apiKey()}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await this.#fetch(new URL(path, url), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await parsed(response);
    if (response.ok) return answer as T;
    throw new CommandError(textOf(answer as Partial<ProblemBody>, response.status));
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      const { name, message, cause } = error as Error;
      const { code, message: reason } = (cause ?? {}) as {
        code?: string;
        message?: string;
      };
      const why = name === "TimeoutError" ? "no answer" : (code ?? reason ?? message);
      throw new CommandError(
        `Control cannot be reached at ${url.origin} (${why}): is it running? ` +
          "WEIR_URL or --url say where it is",
        3,
      );
    }
  }
}

async function parsed(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { detail: `Control answers ${response.status}, and no JSON` };
  }
}

/** A problem in words: what is wrong, where, and when to try again. */
function textOf(problem: Partial<ProblemBody>, status: number): string {
  const { title, detail, code, errors = [], retryAfter } = problem;
  const fields = errors.map(({ path, message }) => `${path}: ${message}`);
  const said = [title, detail, ...fields].filter((part) => part !== undefined);
  const again = retryAfter === undefined ? "" : ` Try again in ${retryAfter} s.`;
  const text = said.length > 0 ? said.join(" ") : `Control answers ${status}.`;
  return `${text}${again}${code ? ` (${code})` : ""}`;
}
