import fc from "fast-check";
import { z } from "zod";
import { exampleOf, inlined, type JsonSchema, type Known } from "./json-schema.ts";

/** A body, and whether its schema takes it. */
export interface Body {
  text: string | Buffer;
  valid: boolean;
}

/** Values that most fields do not expect. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, "", [], {}, 0, -1, 0.5, 1e308, 2 ** 53),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom(
    "\ud800 lone",
    "\u0000",
    "\u202eright to left",
    "x".repeat(20_000),
    "room_local_0000",
    "' OR 1=1 --",
    "__proto__",
    "../../etc/passwd",
    "9".repeat(400),
  ),
  fc.array(fc.integer(), { maxLength: 5 }),
  fc.constant(Array.from({ length: 300 }, () => "x")),
  fc.constant(nested(400)),
  fc.dictionary(fc.constantFrom("__proto__", "constructor", "a", ""), fc.integer()),
  fc.jsonValue({ maxDepth: 3 }),
);

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

/** Text that is no JSON, or JSON of the kind that breaks parsers. */
const noJson: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom<string | Buffer>(
    "",
    "{",
    "null",
    "[]",
    "0",
    '"text"',
    '{"tier": 1,}',
    "{'tier': 1}",
    '\ufeff{"tier": "1"}',
    '{"tier": 1e999}',
    '{"tier": NaN}',
    '{"__proto__": {"tier": 1}}',
    "[".repeat(50_000),
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
    `{"name": "${"x".repeat(200_000)}"}`,
    Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
  ),
);

/** One change to a value: somewhere in it something else, or nothing. */
interface Change {
  /** Picks the place, modulo the places that there are. */
  at: number;
  how: "replace" | "remove" | "add";
  value: unknown;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(1000),
  how: fc.constantFrom("replace", "replace", "replace", "remove", "add"),
  value: odd,
});

/** All places in a value, outermost first. */
function placesOf(value: unknown): { parent: object; key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { parent: value, key },
    ...placesOf((value as Record<string, unknown>)[key]),
  ]);
}

function changed(example: unknown, changes: Change[]): unknown {
  const copy = structuredClone(example);
  for (const { at, how, value: shared } of changes) {
    const value = structuredClone(shared);
    const places = placesOf(copy);
    const place = places[at % Math.max(places.length, 1)];
    if (!place) return value;
    const parent = place.parent as Record<string, unknown>;
    if (how === "replace") parent[place.key] = value;
    else if (how === "add") parent[`more${at}`] = value;
    else if (Array.isArray(parent)) parent.splice(Number(place.key), 1);
    else delete parent[place.key];
  }
  return copy;
}

/**
 * Bodies that look like what a schema takes and mostly are not, and ones that
 * look like nothing at all.
 */
export function bodiesOf(
  schema: JsonSchema,
  schemas: Record<string, JsonSchema>,
  known: Known,
): fc.Arbitrary<Body> {
  const whole = inlined(schema, schemas);
  const type = z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0]);
  const judged = (text: string | Buffer): Body => {
    try {
      return { text, valid: type.safeParse(JSON.parse(text.toString())).success };
    } catch {
      return { text, valid: false };
    }
  };
  const examples = [false, true].map((all) => exampleOf(whole, {}, known, all));
  const near = fc
    .tuple(fc.constantFrom(...examples), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([example, changes]) => JSON.stringify(changed(example, changes)) ?? "");
  return fc
    .oneof({ arbitrary: near, weight: 4 }, { arbitrary: noJson, weight: 1 })
    .map(judged);
}

/** Text in the place of an id in a path: none of it names anything. */
export const oddSegment: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fv1",
    "%00",
    "%ff%fe",
    "%zz",
    "%",
    "*",
    "{room}",
    ":room",
    "__proto__",
    "room_local_",
    "room__0000",
    "room_elsewhere_0000",
    "node_local_0000",
    "ROOM_LOCAL_0000",
    "room_local_0000%20",
    "room_local_0000;x=1",
    "room_local_0000%0d%0ax:y",
    "'%20OR%201=1--",
    `room_local_${"x".repeat(4000)}`,
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map(encodeURIComponent),
);

/** What may stand behind a parameter's name in a query. */
export const oddQuery: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    "-1",
    "1e309",
    "NaN",
    "0x10",
    "9".repeat(400),
    "%00",
    "%ff",
    "null",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }).map(encodeURIComponent),
);

/** Headers that do not belong, or not like this. */
export const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 6 },
  {
    arbitrary: fc.constantFrom<Record<string, string>>(
      { "content-type": "text/plain" },
      { "content-type": "application/xml" },
      { "content-type": "multipart/form-data" },
      { "content-type": "application/x-www-form-urlencoded" },
      { "content-type": "application/json; charset=utf-16" },
      { "content-type": "application/json".repeat(50) },
      { "content-type": "" },
      { "content-encoding": "gzip" },
      { "idempotency-key": "" },
      { "idempotency-key": "k".repeat(500) },
      { "if-match": '"0"' },
      { origin: "null" },
      { accept: "text/html" },
      { authorization: "Bearer" },
      { authorization: "Basic YTpi" },
      { authorization: `Bearer ${"x".repeat(6000)}` },
      { authorization: "Bearer a.b.c" },
      { authorization: "Bearer \u00e9\u00ff" },
      { "x-forwarded-for": "not an address", "cf-connecting-ip": "999.1.1.1" },
    ),
    weight: 4,
  },
);
