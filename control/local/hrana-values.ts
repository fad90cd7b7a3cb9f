import type { HranaStatement, HranaValue } from "./hrana-protocol.ts";
import { HranaError } from "./hrana-protocol.ts";

/** A value as the libsql package takes it and, with safe integers, returns it. */
export type SqlValue = null | bigint | number | string | Buffer;

/**
 * The values to bind, by position or by name.
 * @throws HranaError for an integer that does not fit into 64 bits
 */
export function bindings(stmt: HranaStatement): SqlValue[] | Record<string, SqlValue> {
  if (!stmt.named_args?.length) return (stmt.args ?? []).map(fromHrana);
  // libsql wants names without their sigil.
  return Object.fromEntries(
    stmt.named_args.map(({ name, value }) => [
      name.replace(/^[:@$]/, ""),
      fromHrana(value),
    ]),
  );
}

function fromHrana(value: HranaValue): SqlValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return integer(value.value);
    case "float":
    case "text":
      return value.value;
    case "blob":
      return Buffer.from(value.base64, "base64");
  }
}

function integer(text: string): bigint {
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) === value) return value;
  throw new HranaError("HRANA_PROTO_ERROR", `${text} is not a 64-bit integer`);
}

/** The protocol's form of a value that SQLite returned. */
export function toHrana(value: SqlValue): HranaValue {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: value.toString() };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  return { type: "blob", base64: value.toString("base64") };
}

/** About the bytes that a value takes in an answer. */
export function sizeOf(value: HranaValue): number {
  if (value.type === "text") return value.value.length + 24;
  return value.type === "blob" ? value.base64.length + 24 : 32;
}
