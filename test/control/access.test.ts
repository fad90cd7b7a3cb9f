import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf, enter, openRoom, tokenFor } from "./api.ts";

/** An operation of the OpenAPI document, as far as these tests read it. */
interface Operation {
  "x-access"?: string;
  security?: Record<string, string[]>[];
  responses: Record<string, { content?: Record<string, unknown> }>;
}

/** The security scheme that each access rule has to name. */
const schemes: Record<string, string | undefined> = {
  anyone: undefined,
  lobby: undefined,
  apiKey: "apiKey",
  joinToken: "joinToken",
  node: "nodeCredential",
  nodeKey: "nodeKey",
  operator: "operatorKey",
  session: "sessionCredential",
};

let control: Control;
let operations: { name: string; method: string; path: string; operation: Operation }[];
/** A good credential for each rule. */
let credentials: Record<string, string>;

beforeAll(async () => {
  control = await startControl();
  const { paths } = bodyOf(await control.call("GET", "/openapi.json"), 200) as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`;
      return { name, method: method.toUpperCase(), path: filled(path), operation };
    }),
  );
  const room = await openRoom(control);
  const member = await enter(control, room.id, "ann");
  const registered = await control.call("POST", "/v1/agent/register", {
    key: control.keys.node,
    body: registration("a1"),
  });
  credentials = {
    apiKey: control.keys.api,
    joinToken: await tokenFor(control, room.id, "ann"),
    node: bodyOf(registered, 200).credential,
    nodeKey: control.keys.node,
    operator: control.keys.operator,
    session: member.key,
  };
});
afterAll(() => control.stop());

/** A path with ids that are well-formed and name nothing. */
function filled(path: string): string {
  return path
    .replace("{channel}", "{room}")
    .replace(/\{(\w+)\}/g, (_, kind) =>
      kind === "transport"
        ? `transport_${control.zone}_absent_0000`
        : `${kind}_${control.zone}_0000`,
    );
}

function registration(name: string) {
  return {
    name,
    agentVersion: "test",
    workers: [{ ordinal: 0, incarnation: "one", role: "consumer", mediaClass: "camera" }],
    egressKbps: 1000,
    ingressKbps: 1000,
    codecsHash: "0".repeat(64),
    routerRtpCapabilities: { codecs: [] },
  };
}

async function countRows(): Promise<number> {
  const tables = ["node", "room", "session", "broadcast", "view", "event", "outbox"];
  const sum = tables.map((table) => `(SELECT count(*) FROM "${table}")`).join(" + ");
  const { rows } = await control.database.execute(`SELECT ${sum} AS total`);
  return Number(rows[0]?.total);
}

test("every operation says who may call it, in the rule and in its security", () => {
  expect(operations.length).toBeGreaterThan(30);
  for (const { name, operation } of operations) {
    const rule = operation["x-access"] ?? "";
    expect(Object.keys(schemes), `${name} has a rule`).toContain(rule);
    const scheme = schemes[rule];
    const expected = scheme ? [{ [scheme]: [] }] : undefined;
    expect(operation.security, `${name} names its scheme`).toEqual(expected);
    if (!scheme) continue;
    const { content } = operation.responses["401"] ?? {};
    expect(content, `${name} documents 401`).toHaveProperty(["application/problem+json"]);
  }
});

test("no route exists that the document does not show", async () => {
  const file = new URL("../../control/app.ts", import.meta.url).href;
  const { createApp } = (await import(file)) as {
    createApp(): { routes: { method: string; path: string }[] };
  };
  const known = new Set(operations.map(({ name }) => name));
  const hidden = createApp()
    .routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`)
    .filter((name) => !known.has(name));
  expect(new Set(hidden)).toEqual(new Set(["GET /openapi.json"]));
});

describe("a route that asks for a credential", () => {
  const guarded = () => operations.filter(({ operation }) => operation.security);

  test("refuses a call without one, whatever its body, and changes nothing", async () => {
    const before = await countRows();
    for (const { name, method, path } of guarded()) {
      const body = method === "GET" ? undefined : { nonsense: true };
      const answer = await control.call(method, path, { body });
      expect(answer, name).toMatchObject({
        status: 401,
        body: { code: "unauthenticated", status: 401, title: expect.any(String) },
      });
      expect(answer.headers.get("content-type"), name).toBe("application/problem+json");
      expect(answer.headers.get("www-authenticate"), name).toMatch(/^Bearer/);
    }
    expect(await countRows()).toBe(before);
  });

  test("refuses every credential of another kind, and one that was tampered with", async () => {
    const before = await countRows();
    for (const { name, method, path, operation } of guarded()) {
      const rule = operation["x-access"] ?? "";
      const own = credentials[rule] ?? "";
      const wrong = Object.entries(credentials).filter(([other]) => other !== rule);
      wrong.push(["tampered", `${own.slice(0, -4)}AAAA`], ["empty", " "]);
      const answers = await Promise.all(
        wrong.map(([, key]) =>
          control.call(method, path, { key, body: bodyFor(method) }),
        ),
      );
      for (const [at, { status }] of answers.entries()) {
        expect(status, `${name} with ${wrong[at]?.[0]}`).toBe(401);
      }
    }
    expect(await countRows()).toBe(before);
  });

  test("lets its own credential through to what it does", async () => {
    for (const { name, method, path, operation } of guarded()) {
      const key = credentials[operation["x-access"] ?? ""];
      // A held poll would only wait: its sibling routes show the rule.
      if (path === "/v1/agent/poll") continue;
      const { status } = await control.call(method, path, { key, body: bodyFor(method) });
      expect([401, 500], name).not.toContain(status);
    }
  });
});

test("a route for anyone needs no credential", async () => {
  const open = operations.filter(({ operation }) => operation["x-access"] === "anyone");
  expect(open.length).toBeGreaterThan(3);
  for (const { name, method, path } of open) {
    const { status } = await control.call(method, path);
    expect([401, 403, 500], name).not.toContain(status);
  }
});

test("a closed lobby is not there", async () => {
  const lobby = operations.filter(({ operation }) => operation["x-access"] === "lobby");
  expect(lobby.length).toBeGreaterThan(2);
  for (const { name, method, path } of lobby) {
    const answer = await control.call(method, path, { body: bodyFor(method) });
    expect(answer.body?.code, name).toBe("not-found");
    expect(answer.status, name).toBe(404);
  }
});

function bodyFor(method: string): unknown {
  return method === "GET" ? undefined : {};
}
