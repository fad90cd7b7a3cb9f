import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { problemCodes } from "#schema/problems.ts";
import { bodyOf, callAs, enter } from "#test/control/api.ts";
import { readyViews, rtpParametersOf, watch, watchBody } from "#test/control/media.ts";
import { digestOf } from "./digest.ts";
import { bodiesOf, oddHeaders, oddQuery, oddSegment } from "./malformed.ts";
import { type Api, filled, type Operation, readApi } from "./operations.ts";
import { RawClient, type RawRequest } from "./raw-http.ts";
import { madeUp } from "./spent.ts";
import { makeWorld, type World } from "./world.ts";

// One seed, so that a run fails or passes whenever it runs; others by hand.
const seed = Number(process.env.WEIR_FUZZ_SEED ?? 1);
const requestsInAll = Number(process.env.WEIR_FUZZ_REQUESTS ?? 5100);
const connections = 12;

let world: World;
let api: Api;
let client: RawClient;

beforeAll(async () => {
  world = await makeWorld({ lobby: "open" });
  api = await readApi(world.control);
  client = new RawClient(world.control.url, connections);
});
afterAll(async () => {
  client.close();
  await world.stop();
});

/** A request, and whether it can be anything but refused. */
interface Attempt extends RawRequest {
  hopeless: boolean;
}

/**
 * Requests to one route, of which none may change anything: what would be a
 * good one is about things that are not there, or comes with a made-up key.
 */
function attemptsAt(operation: Operation): fc.Arbitrary<Attempt> {
  const { method, path, rule, body, parameters } = operation;
  const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, place = ""]) => place);
  const queries = parameters.filter(({ in: where }) => where === "query");
  const harmless = method === "GET";
  return fc
    .record({
      body: bodiesOf(body?.schema ?? {}, api.schemas, world.own),
      // Most bodies are sent where one belongs, few where none does.
      bodied: body ? fc.constant(true) : fc.nat(4).map((one) => one === 0),
      whose: fc.constantFrom("own", "own", "absent", "odd"),
      segment: oddSegment,
      at: fc.nat(9),
      query: fc.array(fc.tuple(fc.nat(9), oddQuery), { maxLength: 3 }),
      headers: oddHeaders,
    })
    .map((made): Attempt => {
      const good = body ? made.body.valid : true;
      const whose = good && made.whose === "own" && !harmless ? "absent" : made.whose;
      const ids = { ...(whose === "own" ? world.own.ids : world.absent.ids) };
      const place = places[made.at % Math.max(places.length, 1)];
      if (whose === "odd" && place) ids[place] = made.segment;
      const actsAnyway = good && !harmless && !place;
      const own = world.holders[rule]?.own;
      const key = own && actsAnyway ? madeUp(path) : own;
      // Where no key is asked for, only a broken body makes a request harmless.
      const broken = !own && actsAnyway;
      const search = made.query.map(([at, value]) => {
        const name = queries[at % Math.max(queries.length, 1)]?.name ?? "x";
        return `${name}=${value}`;
      });
      return {
        method,
        path: filled(path, ids) + (search.length > 0 ? `?${search.join("&")}` : ""),
        headers: {
          ...(made.bodied ? { "content-type": body?.type ?? "application/json" } : {}),
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...made.headers,
        },
        body: broken ? "{" : made.bodied ? made.body.text : undefined,
        hopeless: broken || (body !== undefined && !made.body.valid),
      };
    });
}

/** What is wrong with the answer to an attempt, if anything. */
async function faultOf({ hopeless, ...request }: Attempt): Promise<string | undefined> {
  const { status, contentType, text } = await client.send(request);
  // Whether control is ready is what this one is asked.
  if (status === 503 && request.path.startsWith("/readyz")) return undefined;
  if (status >= 500) return `${status}: ${text.slice(0, 200)}`;
  if (hopeless && status < 400) return `${status}, and its body is not valid`;
  if (status < 400) return undefined;
  if (!contentType.startsWith("application/problem+json")) {
    return `${status} as ${contentType}: ${text.slice(0, 100)}`;
  }
  const { code } = JSON.parse(text);
  return problemCodes.includes(code) ? undefined : `${status} with code ${code}`;
}

function shown({ method, path, headers, body }: Attempt): string {
  const what =
    body === undefined ? "" : ` ${JSON.stringify(body.toString().slice(0, 200))}`;
  return `${method} ${path.slice(0, 200)} ${JSON.stringify(headers)}${what}`;
}

/** Sends attempts over a few connections; answers what was wrong with the answers. */
async function faultsOf(attempts: Attempt[]): Promise<string[]> {
  const queue = [...attempts];
  const faults: string[] = [];
  const lane = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const fault = await faultOf(next);
      if (fault) faults.push(`${shown(next)}\n  -> ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return faults;
}

const slowMs = 240_000;

test("no malformed request is a failure, and none changes a row", {
  timeout: slowMs,
}, async () => {
  const perRoute = Math.ceil(requestsInAll / api.operations.length);
  expect(perRoute * api.operations.length).toBeGreaterThanOrEqual(5000);
  const faults: string[] = [];
  for (const operation of api.operations) {
    const attempts = fc.sample(attemptsAt(operation), { seed, numRuns: perRoute });
    const before = await digestOf(world.control);
    faults.push(...(await faultsOf(attempts)));
    const after = await digestOf(world.control);
    expect.soft(after, `${operation.name} changed nothing`).toEqual(before);
  }
  const told = `${faults.length} faults, seed ${seed}`;
  expect(faults.slice(0, 20), told).toEqual([]);
  const alerts = world.control.logs().filter((line) => line.includes('"alert"'));
  expect(alerts).toEqual([]);
});

test("what no media host takes is the client's mistake, and the host goes on", async () => {
  const { control } = world;
  const eve = await enter(control, world.ann.roomId, "eve");
  const path = `/v1/sessions/${eve.sessionId}/broadcasts`;
  const claim = await callAs(control, eve, "POST", path, { body: { media: "camera" } });
  const { id, transport } = bodyOf(claim, 201);
  const { rtpCapabilities, dtlsParameters } = watchBody(eve);
  const rtpParameters = rtpParametersOf("video");
  const fields = {
    rtpCapabilities,
    dtlsParameters,
    rtpParameters,
    kind: "video",
    source: "camera",
  };
  const known = { ids: world.own.ids, fields };
  const routes: [path: string, filledPath: string][] = [
    ["POST /v1/broadcasts/{broadcast}/tracks", `/v1/broadcasts/${id}/tracks`],
    ["POST /v1/transports/{transport}/connect", `/v1/transports/${transport.id}/connect`],
    ["POST /v1/sessions/{session}/views", `/v1/sessions/${eve.sessionId}/views`],
  ];
  const faults: string[] = [];
  for (const [name, filledPath] of routes) {
    const operation = api.operations.find((one) => one.name === name);
    const bodies = bodiesOf(operation?.body?.schema ?? {}, api.schemas, known);
    const taken = bodies.filter(({ valid }) => valid);
    const attempts = fc.sample(taken, { seed, numRuns: 80 }).map(({ text }) => ({
      method: "POST",
      path: filledPath,
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${eve.key}`,
      },
      body: text,
      hopeless: false,
    }));
    faults.push(...(await faultsOf(attempts)));
  }
  expect(faults.slice(0, 20), `${faults.length} faults, seed ${seed}`).toEqual([]);
  // The host is well: another comes and watches.
  const frank = await enter(control, world.ann.roomId, "frank");
  expect(readyViews(await watch(control, frank)).length).toBeGreaterThan(0);
});
