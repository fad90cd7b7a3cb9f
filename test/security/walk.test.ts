import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CallAnswer } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { digestOf } from "./digest.ts";
import { exampleOf, type Known } from "./json-schema.ts";
import { type Api, filled, type Operation, readApi } from "./operations.ts";
import { madeUp, unsigned } from "./spent.ts";
import { type Holders, makeWorld, type World } from "./world.ts";

/** The security scheme that each access rule has to name; none asks for nothing. */
const schemes: Record<string, string | undefined> = {
  anyone: undefined,
  lobby: undefined,
  apiKey: "apiKey",
  encoder: "streamKey",
  joinToken: "joinToken",
  node: "nodeCredential",
  nodeKey: "nodeKey",
  operator: "operatorKey",
  // Stripe's signature is over the body: its own tests show who is refused.
  payments: undefined,
  reader: "sessionCredential",
  session: "sessionCredential",
};

/** Bodies that are no JSON, as good ones begin. */
const texts: Record<string, string> = {
  "application/sdp":
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:a\r\na=fingerprint:sha-256 AB\r\n",
  "application/trickle-ice-sdpfrag": "a=mid:0\r\n",
};

let world: World;
let api: Api;
let guarded: Operation[];

beforeAll(async () => {
  world = await makeWorld();
  api = await readApi(world.control);
  guarded = api.operations.filter(({ security }) => security);
});
afterAll(() => world.stop());

function holdersOf({ name, rule }: Operation): Holders {
  const holders = world.holders[rule];
  if (!holders) throw new Error(`${name}: the world has no credentials for "${rule}"`);
  return holders;
}

/** Calls a route as its document says, about what is known. */
async function attempt(
  operation: Operation,
  known: Known,
  key: string | undefined,
): Promise<CallAnswer> {
  const { method, path, body, parameters, responses, name } = operation;
  const example =
    body && (texts[body.type] ?? exampleOf(body.schema, api.schemas, known));
  const query = parameters.flatMap(({ in: where, required, schema = {}, name: field }) =>
    where === "query" && required
      ? `${field}=${exampleOf(schema, api.schemas, known, false, field)}`
      : [],
  );
  const search = query.length > 0 ? `?${query.join("&")}` : "";
  const answer = await world.control.call(method, filled(path, known.ids) + search, {
    key,
    body: example,
    headers: body && { "content-type": body.type },
  });
  const documented = Object.keys(responses);
  expect(documented, `${name} documents its ${answer.status}`).toContain(
    String(answer.status),
  );
  return answer;
}

/** Runs what must not change anything, and sees that it did not. */
async function changingNothing(run: () => Promise<void>): Promise<void> {
  const before = await digestOf(world.control);
  await run();
  expect(await digestOf(world.control)).toEqual(before);
}

test("every operation says who may call it, in the rule and in its security", () => {
  expect(api.operations.length).toBeGreaterThan(40);
  for (const { name, rule, security, responses } of api.operations) {
    expect(Object.keys(schemes), `${name} has a rule that is known here`).toContain(rule);
    const scheme = schemes[rule];
    const expected = scheme ? [{ [scheme]: [] }] : undefined;
    expect(security, `${name} names its scheme`).toEqual(expected);
    if (!scheme) continue;
    const { content } = responses["401"] ?? {};
    expect(content, `${name} documents 401`).toHaveProperty(["application/problem+json"]);
  }
});

test("no route exists that the document does not show", async () => {
  const file = new URL("../../control/app.ts", import.meta.url).href;
  const { createApp } = (await import(file)) as {
    createApp(): { routes: { method: string; path: string }[] };
  };
  const known = new Set(api.operations.map(({ name }) => name));
  const hidden = createApp()
    .routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`)
    .filter((name) => !known.has(name));
  expect(new Set(hidden)).toEqual(new Set(["GET /openapi.json"]));
});

describe("a route that asks for a credential", () => {
  test("refuses a call without one, whatever its body, and changes nothing", async () => {
    await changingNothing(async () => {
      for (const operation of guarded) {
        const { name, method, path } = operation;
        const good = await attempt(operation, world.own, undefined);
        const nonsense = await world.control.call(method, filled(path, world.own.ids), {
          body: method === "GET" ? undefined : { nonsense: true },
        });
        for (const answer of [good, nonsense]) {
          expect(answer, name).toMatchObject({
            status: 401,
            body: { code: "unauthenticated", status: 401, title: expect.any(String) },
          });
          const { headers } = answer;
          expect(headers.get("content-type"), name).toBe("application/problem+json");
          expect(headers.get("www-authenticate"), name).toMatch(/^Bearer/);
        }
      }
    });
  });

  test("refuses a wrong one: another role's, a forged or a mangled one", async () => {
    await changingNothing(async () => {
      for (const operation of guarded) {
        const { own, alsoTakes = [] } = holdersOf(operation);
        // Two rules may take the same credential: a session's reads and speaks.
        const good = [own, ...alsoTakes.map((rule) => world.holders[rule]?.own)];
        const roles = Object.entries(world.holders).filter(
          ([, holders]) => !good.includes(holders.own),
        );
        const wrong = {
          ...Object.fromEntries(roles.map(([rule, holders]) => [rule, holders.own])),
          tampered: `${own.slice(0, -6)}AAAAAA`,
          cut: own.slice(0, own.length / 2),
          empty: " ",
          "made up": madeUp(operation.name),
          unsigned: unsigned({
            sub: world.ann.sessionId,
            aud: "session",
            room: world.ann.roomId,
            identity: "ann",
          }),
        };
        const answers = await Promise.all(
          Object.entries(wrong).map(
            async ([what, key]) =>
              [what, (await attempt(operation, world.own, key)).status] as const,
          ),
        );
        const refused = Object.keys(wrong).map((what) => [what, 401]);
        expect(answers, operation.name).toEqual(refused);
      }
    });
  });

  test("refuses one that was good once, as it is documented", async () => {
    let tried = 0;
    await changingNothing(async () => {
      for (const operation of guarded) {
        const { over } = holdersOf(operation);
        for (const [what, { credential, code }] of Object.entries(over)) {
          const { status, body } = await attempt(operation, world.own, credential);
          const about = `${operation.name}, ${what}`;
          expect(status, about).toBeLessThan(500);
          // Ending what has ended already is no error, and ends nothing.
          if (operation.method === "DELETE" && status === 200) {
            expect(Object.values(body), about).not.toContain(true);
          } else expect(body?.code, about).toBe(code);
          tried += 1;
        }
      }
    });
    expect(tried).toBeGreaterThan(30);
  });

  test("answers about another's thing as about one that is not there", async () => {
    let tried = 0;
    await changingNothing(async () => {
      for (const operation of guarded.filter(({ path }) => path.includes("{"))) {
        for (const [who, key] of Object.entries(holdersOf(operation).others)) {
          const real = await attempt(operation, world.own, key);
          const absent = await attempt(operation, world.absent, key);
          const about = `${operation.name}, ${who}`;
          const told = ({ status, body }: CallAnswer) =>
            status < 300 ? [status, body] : [status, body?.code];
          expect(told(real), about).toEqual(told(absent));
          if (operation.method !== "DELETE") expect(real.status, about).toBe(404);
          tried += 1;
        }
      }
    });
    expect(tried).toBeGreaterThan(30);
  });

  test("lets its own credential through to what it does", async () => {
    for (const operation of guarded) {
      const { own } = holdersOf(operation);
      const { status } = await attempt(operation, world.absent, own);
      expect([401, 403, 500], operation.name).not.toContain(status);
    }
  });
});

test("a route for anyone needs no credential", async () => {
  const open = api.operations.filter(({ rule }) => rule === "anyone");
  expect(open.length).toBeGreaterThan(3);
  for (const operation of open) {
    const { status } = await attempt(operation, world.own, undefined);
    expect([401, 403, 500], operation.name).not.toContain(status);
  }
});

test("a closed lobby is not there", async () => {
  const lobby = api.operations.filter(({ rule }) => rule === "lobby");
  expect(lobby.length).toBeGreaterThan(2);
  for (const operation of lobby) {
    const { status, body } = await attempt(operation, world.own, undefined);
    expect([status, body?.code], operation.name).toEqual([404, "not-found"]);
  }
});

describe("a socket", () => {
  test("tells nothing to whoever is not of its room", async () => {
    const sockets = api.operations.filter(({ responses }) => responses["101"]);
    expect(sockets.length).toBeGreaterThan(0);
    // Some rules take a session's credential too, which is ann's own here.
    const roles = Object.entries(world.holders).filter(
      ([, { own }]) => own !== world.ann.key,
    );
    const wrong = {
      ...Object.fromEntries(roles.map(([rule, { own }]) => [rule, own])),
      ...world.strangers,
      tampered: `${world.ann.key.slice(0, -6)}AAAAAA`,
      "made up": madeUp("socket"),
    };
    const sent: [what: string, message: unknown][] = [
      ...Object.entries(wrong).map(([what, credential]): [string, unknown] => [
        what,
        { type: "hello", credential, afterSeq: 0 },
      ]),
      ["no hello", { type: "chat.send", clientId: "a", text: "hello" }],
      ["no message of its own", { type: "nonsense" }],
      ["nothing", undefined],
    ];
    for (const { name, path } of sockets) {
      const url = new URL(filled(path, world.own.ids), world.control.url);
      const outcomes = await Promise.all(
        sent.map(async ([what, message]) => [what, await toldOn(url, message)] as const),
      );
      for (const [what, types] of outcomes) {
        const told = types.filter((type) => type !== "refused");
        expect(told, `${name}, ${what}`).toEqual([]);
      }
    }
  });
});

/** Opens a socket, sends one message, and waits until the other side closes. */
async function toldOn(url: URL, message: unknown): Promise<string[]> {
  const socket = new WebSocket(url);
  const types: string[] = [];
  socket.addEventListener("open", () => {
    if (message !== undefined) socket.send(JSON.stringify(message));
  });
  socket.addEventListener("message", ({ data }) => types.push(JSON.parse(data).type));
  const closing = () => socket.readyState >= WebSocket.CLOSING;
  await waitFor(closing, { what: "the other side to close the socket" });
  return types;
}
