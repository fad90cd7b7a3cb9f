import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memberOf, tryEnter } from "#test/control/api.ts";
import { startNode, type TestNode } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { root } from "#test/harness/root.ts";
import { waitFor } from "#test/harness/wait-for.ts";

interface Ran {
  code: number;
  out: string;
  err: string;
}

let control: Control;
let node: TestNode;
/** A data folder as npm start leaves it. */
let folder: string;

beforeAll(async () => {
  // One host is the whole zone here, and is held back all the same.
  const failing = { incidentMs: 1, heldShareMax: 1 };
  const databases = { readyMs: 1 };
  control = await startControl({ settings: { failing, databases } });
  node = await startNode(control, "host-a", "producer:camera:1,consumer:camera:1");
  folder = mkdtempSync(join(tmpdir(), "weir-cli-"));
  writeFileSync(join(folder, "keys.json"), JSON.stringify(control.keys));
});
afterAll(async () => {
  await node.stop();
  await control.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the tool in a process of its own, with this environment and no other. */
function weir(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const main = join(root, "control/cli/main.ts");
  const { PATH = "", HOME = "" } = process.env;
  const own = { PATH, HOME, WEIR_URL: control.url, WEIR_DATA: folder, ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: own }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

/** Runs it for a program: the answer as JSON. */
async function weirJson(...args: string[]) {
  const { code, out, err } = await weir([...args, "--json"]);
  if (code !== 0) throw new Error(`weir ${args.join(" ")} ended with ${code}: ${err}`);
  return JSON.parse(out);
}

test("an operator makes an account, and its key opens a room that a minted token enters", async () => {
  const made = await weir(["accounts", "create", "Video shop", "--no-every-tier"]);
  expect([made.code, made.err]).toEqual([0, ""]);
  const [, apiKey = ""] = /api key +(\S+)/.exec(made.out) ?? [];
  const [, accountId = ""] = /^id +(\S+)/m.exec(made.out) ?? [];
  expect(made.out).toContain("not shown again");
  const asShop = { WEIR_API_KEY: apiKey };
  const refused = await weir(["rooms", "open", "--tier", "1"], asShop);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/not entitled to this tier.*\(entitlement-missing\)/);
  await weirJson("entitlements", "grant", accountId, "--tier", "1", "--days", "90");
  const opened = await weir(
    ["rooms", "open", "--tier", "1", "--name", "Sale", "--codec", "vp9", "--json"],
    asShop,
  );
  const room = JSON.parse(opened.out);
  expect(room).toMatchObject({ name: "Sale", tier: 1, codec: "vp9" });
  // Minting asks nobody: control need not even be there.
  const alone = { ...asShop, WEIR_URL: "http://127.0.0.1:1" };
  const mint = ["tokens", "mint", "--room", room.id, "--identity", "ana"];
  const useless = await weir([...mint, "--ttl", "90000"], alone);
  expect([useless.code, useless.out]).toEqual([2, ""]);
  expect(useless.err).toMatch(/--ttl: .*86400 seconds at most/);
  const minted = await weir([...mint, "--sources", "camera", "--json"], alone);
  memberOf(await tryEnter(control, room.id, JSON.parse(minted.out).token));

  const { keys } = await weirJson("keys", "list", accountId);
  await weirJson("keys", "revoke", accountId, keys[0].id);
  expect((await weir(["rooms", "list"], asShop)).code).toBe(1);
  const listed = await weir(["rooms", "list", "--account", accountId]);
  expect(listed.out).toMatch(/^ID +NAME +TIER/);
  expect(listed.out).toContain("Sale");
  const closed = await weirJson("rooms", "close", room.id, "--account", accountId);
  expect(closed.state).toBe("closed");
});

test("an account is capped by hand, and sees what it may hold and holds", async () => {
  const made = await weirJson("accounts", "create", "Small shop");
  const shown = await weir(["accounts", "caps", made.id, "--rooms", "1"]);
  expect(shown.out).toMatch(/open rooms +0 used, of 1 \(its own cap\)\n.*no cap/);
  const key = made.key.apiKey;
  const asShop = { WEIR_API_KEY: key };
  await control.call("POST", "/v1/rooms", { key, body: { tier: 0 } });
  const second = await weir(["rooms", "open", "--tier", "0"], asShop);
  expect(second.code).toBe(1);
  expect(second.err).toMatch(/1 open rooms.*1 are in use.*account-cap-exceeded/);
  const own = await weir(["accounts", "own"], asShop);
  expect(own.out).toMatch(/open rooms +1 used, of 1/);
  const freed = await weirJson("accounts", "caps", made.id, "--rooms", "default");
  expect(freed.rooms).toEqual({ max: null, own: false, used: 1 });
  const site = "https://shop.example";
  expect(await weirJson("accounts", "origins", made.id, site)).toEqual([site]);
});

test("hosts are listed, cordoned by their name, and take work again", async () => {
  const stateOf = async () => (await weirJson("nodes", "list")).nodes[0].cordoned;
  expect((await weir(["nodes", "cordon", "host-a"])).code).toBe(0);
  expect(await stateOf()).toBe(true);
  expect((await weir(["nodes", "list"])).out).toContain("cordoned");
  expect((await weir(["nodes", "uncordon", node.id])).code).toBe(0);
  expect(await stateOf()).toBe(false);
  const unknown = await weir(["nodes", "cordon", "nobody"]);
  expect(unknown.code).toBe(1);
});

test("a host is emptied by its name, held against the ledger, and its name let go", async () => {
  const drained = await weirJson("nodes", "drain", "host-a", "--within", "5");
  expect(drained).toMatchObject({ nodeId: node.id, until: expect.any(String) });
  expect((await weir(["nodes", "uncordon", "host-a"])).code).toBe(0);
  const found = await weir(["reconcile"]);
  expect(found.out).toMatch(new RegExp(`${node.id} +yes +0 +0 +0 +0`));
  expect(found.out).toContain("do not add up: 0");
  const bound = () =>
    control.database
      .execute("SELECT public_key FROM node")
      .then(({ rows }) => rows[0]?.public_key);
  expect(await bound()).toBeTruthy();
  expect((await weir(["nodes", "forget-key", "host-a"])).code).toBe(0);
  expect(await bound()).toBeNull();
});

test("status names each database, and a plan needs no key", async () => {
  const keyless = { WEIR_DATA: join(folder, "nothing-here") };
  const status = await weir(["status"], keyless);
  expect([status.code, status.out]).toEqual([0, expect.stringMatching(/sessions +up/)]);
  const plan = await weir(["plan", "--mix", "5:2,1:10", "--json"], keyless);
  expect(JSON.parse(plan.out).workers.total).toBeGreaterThan(60);
  await control.databases.sessions.stop();
  const down = await weir(["status"], keyless);
  await control.databases.sessions.resume();
  expect(down.code).toBe(1);
  expect(down.err).toContain("sessions database does not answer");
});

const wrongly: [
  args: string[],
  env: Record<string, string>,
  code: number,
  said: RegExp,
][] = [
  [["accounts", "create"], {}, 2, /missing required argument 'name'/],
  [["acounts"], {}, 2, /unknown command.*\n*.*accounts/],
  [["entitlements", "grant", "a", "--tier", "high"], {}, 2, /whole number/],
  [["plan"], {}, 2, /--mix/],
  [
    ["accounts", "show", "account_local_nobody"],
    {},
    1,
    /There is no such thing.*not-found/,
  ],
  [["accounts", "show", "shop"], {}, 1, /is not a account id|is not an? account id/],
  [
    ["accounts", "list"],
    { WEIR_OPERATOR_KEY: "wrong-key-wrong-key" },
    1,
    /unauthenticated/,
  ],
  [["accounts", "list"], { WEIR_DATA: "/nowhere" }, 2, /set WEIR_OPERATOR_KEY/],
  [
    ["accounts", "list"],
    { WEIR_URL: "http://127.0.0.1:9" },
    3,
    /cannot be reached.*--url/,
  ],
  [["keys", "list", "account_local_0"], {}, 1, /no such thing/],
  [["accounts", "list"], { WEIR_URL: "weir" }, 2, /http\(s\):\/\/host:port/],
];

test("what is wrong is said in words, and ends with its code", async () => {
  const ran = await Promise.all(wrongly.map(([args, env]) => weir(args, env)));
  for (const [at, [args, , code, said]] of wrongly.entries()) {
    expect(ran[at], args.join(" ")).toMatchObject({ code, out: "" });
    expect(ran[at]?.err, args.join(" ")).toMatch(said);
    expect(ran[at]?.err).not.toContain("    at ");
  }
});

test("help tells every command, and where keys come from", async () => {
  const help = await weir(["--help"]);
  expect(help.code).toBe(0);
  for (const word of ["accounts", "keys", "rooms", "nodes", "plan", "tokens", "status"]) {
    expect(help.out).toContain(word);
  }
  expect(help.out).toMatch(/WEIR_OPERATOR_KEY[\s\S]*Exit codes/);
  const grant = await weir(["entitlements", "grant", "--help"]);
  expect([grant.code, grant.out]).toEqual([0, expect.stringContaining("--days")]);
});

test("a host that is held back is listed with the reason", async () => {
  const life = () => node.agent.pool.lives[0];
  const nodes = async () => (await weir(["nodes", "list"])).out;
  expect(await nodes()).not.toContain("held back");
  for (let deaths = 0; deaths < 2; deaths += 1) {
    const died = life()?.incarnation;
    process.kill(life()?.worker.pid ?? 0, "SIGKILL");
    const followed = () => life() !== undefined && life()?.incarnation !== died;
    await waitFor(followed, { what: "the worker's next life" });
  }
  const listed = async () => (await nodes()).includes("held back: a media worker died");
  await waitFor(listed, { what: "the reason", timeoutMs: 20_000 });
});
