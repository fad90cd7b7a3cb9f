/** A JSON Schema as it stands in the OpenAPI document. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** A schema by itself: what it points to stands in it. */
export function inlined(
  schema: JsonSchema,
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const text = JSON.stringify(schema, (_, part) =>
    part && typeof part === "object" && "$ref" in part
      ? inlined(resolved(part, schemas), schemas)
      : part,
  );
  return JSON.parse(text);
}

/** Follows a reference into the document's schemas. */
export function resolved(
  schema: JsonSchema,
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (schemas[name] ?? {});
}

/** What stands in a field whose schema does not tell what would be right. */
export interface Known {
  /** By kind, for strings that have to be ids: `room` -> `room_local_…`. */
  ids: Record<string, string>;
  /** By the field's name, such as `token`. */
  fields: Record<string, unknown>;
}

/**
 * The smallest value that a schema takes, about what is known where it names
 * something.
 * @param whole also what may be left out. Default false
 * @throws Error where no such value can be worked out
 */
export function exampleOf(
  schema: JsonSchema,
  schemas: Record<string, JsonSchema>,
  known: Known,
  whole = false,
  field = "",
): unknown {
  const own = resolved(schema, schemas);
  const again = (part: JsonSchema, name = field) =>
    exampleOf(part, schemas, known, whole, name);
  if (field in known.fields) return known.fields[field];
  if (own.const !== undefined) return own.const;
  if (own.enum) return own.enum[0];
  const choice = (own.anyOf ?? own.oneOf)?.[0];
  if (choice) return again(choice);
  if (own.allOf) return Object.assign({}, ...own.allOf.map((part) => again(part)));
  switch ([own.type].flat()[0]) {
    case "object":
      return Object.fromEntries(
        (whole ? Object.keys(own.properties ?? {}) : (own.required ?? [])).map((name) => [
          name,
          again(own.properties?.[name] ?? {}, name),
        ]),
      );
    case "array":
      return Array.from({ length: whole ? 1 : (own.minItems ?? 0) }, () =>
        again(own.items ?? {}),
      );
    case "integer":
    case "number":
      return Math.max(own.minimum ?? 0, (own.exclusiveMinimum ?? -1) + 1);
    case "boolean":
      return false;
    case "string":
      return stringOf(own, known, field);
    default:
      return {};
  }
}

function stringOf(
  { pattern, format, minLength = 1, maxLength = 64 }: JsonSchema,
  known: Known,
  field: string,
): string {
  const kind = pattern && /^\^([a-z]+)_/.exec(pattern)?.[1];
  if (kind && known.ids[kind]) return known.ids[kind];
  if (format === "uri") return "https://example.org/hook";
  if (format === "date-time") return "2026-01-01T00:00:00.000Z";
  const [, exact] = /\{(\d+)\}\$$/.exec(pattern ?? "") ?? [];
  const length = Number(exact ?? Math.min(Math.max(minLength, 1), maxLength));
  const text = "x".repeat(length);
  if (pattern && !new RegExp(pattern).test(text)) {
    throw new Error(`No example is known for ${field}, which is ${pattern}`);
  }
  return text;
}
