import { get } from "node:http";

/** An answer is waited for so long; the next firing waits for it, too. */
const answerMs = 30_000;

/**
 * Fires control's scheduled handler each minute, which the local runtime never
 * does by itself.
 * @param controlUrl where control listens
 * @param say told once when firing begins to fail, and once when it works again
 * @param everyMs how often. Default a minute, as in production
 * @returns what ends it
 */
export function startCron(
  controlUrl: string,
  say: (text: string) => void,
  everyMs = 60_000,
): () => void {
  const url = new URL("/cdn-cgi/local/scheduled", controlUrl);
  url.searchParams.set("cron", "* * * * *");
  let failing = false;
  let firing = false;
  const fire = async (): Promise<void> => {
    if (firing) return;
    firing = true;
    const problem = await firedProblem(url);
    firing = false;
    if (problem && !failing) say(`cron does not reach control: ${problem}`);
    if (!problem && failing) say("cron reaches control again");
    failing = problem !== undefined;
  };
  const timer = setInterval(() => void fire(), everyMs);
  return () => clearInterval(timer);
}

function firedProblem(url: URL): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(
      url,
      // The local runtime takes this path from its own machine only, by name;
      // fetch would send another.
      { headers: { host: "localhost" }, signal: AbortSignal.timeout(answerMs) },
      (response) => {
        response.resume();
        const { statusCode } = response;
        resolve(statusCode === 200 ? undefined : `status ${statusCode}`);
      },
    );
    request.on("error", (error) => resolve(error.message));
  });
}
