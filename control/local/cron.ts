const everyMs = 60_000;

/**
 * Fires control's scheduled handler each minute, which the local runtime never
 * does by itself.
 * @param controlUrl where control listens
 * @param say told once when firing begins to fail, and once when it works again
 * @returns what ends it
 */
export function startCron(controlUrl: string, say: (text: string) => void): () => void {
  const url = new URL("/cdn-cgi/local/scheduled", controlUrl);
  url.searchParams.set("cron", "* * * * *");
  let failing = false;
  const fire = async (): Promise<void> => {
    const problem = await firedProblem(url);
    if (problem && !failing) say(`cron does not reach control: ${problem}`);
    if (!problem && failing) say("cron reaches control again");
    failing = problem !== undefined;
  };
  const timer = setInterval(() => void fire(), everyMs);
  return () => clearInterval(timer);
}

async function firedProblem(url: URL): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(everyMs / 2) });
    await response.text();
    return response.ok ? undefined : `status ${response.status}`;
  } catch (error) {
    return (error as Error).message;
  }
}
