import type { Doc, SdkExport, SdkMember } from "./sdk-model.ts";

/** Writes the SDK's types as one declaration file that needs no other. */
export function typesFile(exports: readonly SdkExport[]): string {
  const parts = exports.map((one) => `${comment(one)}${declaration(one)}`);
  return `${parts.join("\n\n")}\n`;
}

function declaration({ name, kind, type, members }: SdkExport): string {
  switch (kind) {
    case "class": {
      const base = type ? ` extends ${type}` : "";
      return `export declare class ${name}${base} {\n${body(members, "readonly ")}\n}`;
    }
    case "interface":
      return `export interface ${name} {\n${body(members, "")}\n}`;
    case "type":
      return `export type ${name} = ${type};`;
    case "function":
    case "constant":
      return `export declare const ${name}: ${type};`;
  }
}

function body(members: readonly SdkMember[], modifier: string): string {
  return members
    .map((member) => {
      const { name, optional, type } = member;
      const key = /^[\w$]+$/.test(name) ? name : JSON.stringify(name);
      const line = `  ${modifier}${key}${optional ? "?" : ""}: ${type};`;
      return `${comment(member, "  ")}${line}`;
    })
    .join("\n");
}

function comment({ text, tags }: Doc, indent = ""): string {
  const lines = [
    ...(text ? text.split("\n") : []),
    ...tags.map((tag) => `@${tag.name} ${tag.text}`.trim()),
  ];
  if (lines.length === 0) return "";
  const [only = ""] = lines;
  if (lines.length === 1) return `${indent}/** ${only} */\n`;
  const rows = lines.map((line) => `${indent} * ${line}`.trimEnd());
  return `${indent}/**\n${rows.join("\n")}\n${indent} */\n`;
}
