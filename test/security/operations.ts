import type { Control } from "#test/harness/control.ts";
import type { JsonSchema } from "./json-schema.ts";

interface Parameter {
  name: string;
  in: "path" | "query" | "header" | "cookie";
  required?: boolean;
  schema?: JsonSchema;
}

/** What the OpenAPI document says of one call, as far as these tests read it. */
interface Described {
  "x-access"?: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: JsonSchema }> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

/** One route of the running control. */
export interface Operation {
  /** As `POST /v1/rooms/{room}/tokens`. */
  name: string;
  method: string;
  path: string;
  rule: string;
  security: Described["security"];
  parameters: Parameter[];
  /** The body by its content type, where the call takes one. */
  body?: { type: string; schema: JsonSchema };
  responses: Described["responses"];
}

/** A document's operations, and the schemas to which they point. */
export interface Api {
  operations: Operation[];
  schemas: Record<string, JsonSchema>;
}

/** Reads what the running control says of itself. */
export async function readApi(control: Control): Promise<Api> {
  const { status, body } = await control.call("GET", "/openapi.json");
  if (status !== 200) throw new Error(`/openapi.json answers ${status}`);
  return apiOf(body);
}

/** The operations of an OpenAPI document. */
export function apiOf(document: {
  paths: Record<string, Record<string, Described>>;
  components?: { schemas?: Record<string, JsonSchema> };
}): Api {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([key, described]): Operation => {
      const method = key.toUpperCase();
      const [content] = Object.entries(described.requestBody?.content ?? {});
      return {
        name: `${method} ${path}`,
        method,
        path,
        rule: described["x-access"] ?? "",
        security: described.security,
        parameters: described.parameters ?? [],
        body: content && { type: content[0], schema: content[1].schema ?? {} },
        responses: described.responses,
      };
    }),
  );
  return { operations, schemas: document.components?.schemas ?? {} };
}

/**
 * Puts ids in the places of a path.
 * @throws Error for a place that the ids do not have: what should stand there?
 */
export function filled(path: string, ids: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, place: string) => {
    const id = ids[place];
    if (id === undefined) throw new Error(`No id is known for {${place}} of ${path}`);
    return id;
  });
}
