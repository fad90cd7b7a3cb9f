import { expect, test } from "vitest";
import { inlined, type JsonSchema } from "./json-schema.ts";
import { apiOf } from "./operations.ts";

const file = new URL("../../control/app.ts", import.meta.url).href;
const { createApp } = (await import(file)) as {
  createApp(): { getOpenAPI31Document(about: object): Parameters<typeof apiOf>[0] };
};
const info = { title: "Weir", version: "1" };
const api = apiOf(createApp().getOpenAPI31Document({ openapi: "3.1.0", info }));

/** A string that is one of a few, or of a form that has an end. */
function isBounded({ enum: few, const: one, maxLength, format, pattern }: JsonSchema) {
  const finite = pattern?.endsWith("$") && !/[*+]|,\}/.test(pattern);
  return few || one !== undefined || maxLength !== undefined || format || finite;
}

/** The strings and lists of a schema that have no end, by their place. */
function endless(schema: JsonSchema, place: string): string[] {
  const parts = [
    ...Object.entries(schema.properties ?? {}),
    ...(schema.items ? [["[]", schema.items] as const] : []),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].map(
      (part, at) => [`|${at}`, part] as const,
    ),
  ];
  const own = [schema.type].flat().includes("string") && !isBounded(schema);
  const list = [schema.type].flat().includes("array") && schema.maxItems === undefined;
  return [
    ...(own || list ? [place] : []),
    ...parts.flatMap(([name, part]) => endless(part, `${place}.${name}`)),
  ];
}

test("every string and every list that a route takes has a greatest length", () => {
  const found = api.operations.flatMap(({ name, body, parameters }) => [
    ...(body ? endless(inlined(body.schema, api.schemas), name) : []),
    ...parameters.flatMap((one) => endless(one.schema ?? {}, `${name}?${one.name}`)),
  ]);
  expect(found).toEqual([]);
});
