import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveEmptyPage } from "./bare-page.ts";

/** Where Firefox is, or undefined where the machine has none. */
export function findFirefox(): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  return ["firefox-esr", "firefox"]
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** A Firefox with one empty page, driven by WebDriver BiDi. */
export interface Firefox {
  /** Runs a function of the page and waits for what it promises, as JSON. */
  run<Result>(source: string, ...args: unknown[]): Promise<Result>;
  stop(): Promise<void>;
}

// Media hosts of tests are on the loopback address, which Firefox leaves out.
const preferences = {
  "media.peerconnection.ice.loopback": true,
  "media.autoplay.default": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "app.update.auto": false,
};

interface Reply {
  id?: number;
  error?: string;
  message?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own result.
  result?: any;
}

/** Starts Firefox without a window. */
export async function startFirefox(executablePath: string): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), "weir-firefox-"));
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
  );
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const args = ["--headless", "--no-remote", "--profile", profile];
  const child = spawn(executablePath, [...args, "--remote-debugging-port", "0"], {
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.once("exit", (code) =>
      reject(new Error(`Firefox ended with ${code}: ${text}`)),
    );
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(text)?.[1];
      if (found) resolve(found);
    });
  });
  const socket = new WebSocket(`${address}/session`);
  await once(socket as unknown as NodeJS.EventEmitter, "open");
  const waiting = new Map<number, (reply: Reply) => void>();
  socket.addEventListener("message", ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
  });
  let serial = 0;
  const command = async (method: string, params: unknown) => {
    serial += 1;
    const id = serial;
    const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { error, message, result } = await replied;
    if (error) throw new Error(`${method}: ${error}: ${message}`);
    return result;
  };
  await command("session.new", { capabilities: {} });
  const { contexts } = await command("browsingContext.getTree", {});
  const context = contexts[0].context as string;
  const { url, close } = await serveEmptyPage();
  await command("browsingContext.navigate", { context, url, wait: "complete" });
  return {
    async run(source, ...values) {
      const { result, exceptionDetails } = await command("script.callFunction", {
        functionDeclaration: `async () => JSON.stringify(await (${source})(...${JSON.stringify(values)}) ?? null)`,
        awaitPromise: true,
        target: { context },
      });
      if (exceptionDetails) throw new Error(exceptionDetails.text);
      return JSON.parse(result.value);
    },
    async stop() {
      close();
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      process.off("exit", killWithUs);
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
