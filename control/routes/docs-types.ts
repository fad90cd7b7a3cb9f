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
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  default?: unknown;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/**
 * Writes a schema as people write types: named ones by their names, objects
 * field by field, limits behind the type that they limit.
 * @param indent spaces before the fields of an object
 */
export function typeText(schema: JsonSchema | undefined, indent = 0): string {
  if (!schema) return "anything";
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return union.map((one) => typeText(one, indent)).join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => typeText(one, indent)).join(" & ");
  if (schema.properties) return objectText(schema, indent);
  if (schema.items) return `${typeText(schema.items, indent)}[]${limitsOf(schema)}`;
  if (typeof schema.additionalProperties === "object") {
    return `{ [name]: ${typeText(schema.additionalProperties, indent)} }`;
  }
  const types = [schema.type ?? "anything"].flat().join(" | ");
  return (schema.format ?? types) + limitsOf(schema);
}

function objectText(schema: JsonSchema, indent: number): string {
  const inner = indent + 2;
  const pad = " ".repeat(inner);
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const mark = schema.required?.includes(name) ? "" : "?";
    const preset =
      field.default === undefined ? "" : `, default ${JSON.stringify(field.default)}`;
    return `${pad}${name}${mark}: ${typeText(field, inner)}${preset}`;
  });
  if (fields.length === 0) return "{}";
  return `{\n${fields.join("\n")}\n${" ".repeat(indent)}}`;
}

/** JSON Schema bounds every integer by what a double can hold: that says nothing. */
function limitsOf({ minimum, maximum, ...schema }: JsonSchema): string {
  const told = [
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? `from ${minimum}` : "",
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? `to ${maximum}` : "",
    schema.maxLength === undefined ? "" : `up to ${schema.maxLength} characters`,
    schema.minItems === undefined ? "" : `at least ${schema.minItems}`,
    schema.maxItems === undefined ? "" : `at most ${schema.maxItems}`,
  ].filter((text) => text !== "");
  return told.length > 0 ? ` (${told.join(", ")})` : "";
}
