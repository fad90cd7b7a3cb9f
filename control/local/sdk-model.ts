import { API, type Checker, SymbolFlags } from "typescript/unstable/sync";

type Symbol = ReturnType<Checker["getExportsOfModule"]>[number];

/** What a docstring says: its text, and its tags but for `@internal`. */
export interface Doc {
  text: string;
  tags: { name: string; text: string }[];
}

/** A member of a class or interface. */
export interface SdkMember extends Doc {
  name: string;
  optional: boolean;
  /** A method where its type is a function's and it is none that may be set. */
  method: boolean;
  type: string;
}

/** Something that the SDK exports. */
export interface SdkExport extends Doc {
  name: string;
  kind: "class" | "interface" | "type" | "function" | "constant";
  /** Of a type, function or constant; for a class what it extends. */
  type: string;
  members: SdkMember[];
}

// Of TypeScript's NodeBuilderFlags: nothing is cut short, and an alias is written out.
const noTruncation = 1;
const inTypeAlias = 1 << 23;

/**
 * Reads what the SDK exports, with types and docstrings, from its sources.
 * @param root the repository's folder
 */
export function readSdk(root: string): SdkExport[] {
  const api = new API({ cwd: root });
  try {
    const config = `${root}/control/web/tsconfig.json`;
    const snapshot = api.updateSnapshot({ openProjects: [config] });
    const [project] = snapshot.getProjects();
    if (!project) throw new Error(`TypeScript found no project in ${config}.`);
    const { checker, program } = project;
    const index = program.getSourceFile(`${root}/control/web/sdk/index.ts`);
    const module = index && checker.getSymbolAtLocation(index);
    if (!module) throw new Error("control/web/sdk/index.ts exports nothing.");
    const read = checker.getExportsOfModule(module).map((symbol) => {
      const isAlias = (symbol.flags & SymbolFlags.Alias) !== 0;
      const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
      return readExport(checker, target, symbol.name);
    });
    return nameShapes(read);
  } finally {
    api.close();
  }
}

function readExport(checker: Checker, symbol: Symbol, name: string): SdkExport {
  const { flags } = symbol;
  const doc = docOf(checker, symbol);
  const is = (flag: SymbolFlags) => (flags & flag) !== 0;
  if (is(SymbolFlags.Class) || is(SymbolFlags.Interface)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const properties = checker.getPropertiesOfType(type);
    const own = properties.filter((one) => isOwn(one) && isPublic(checker, one));
    const members = own.map((one) => readMember(checker, one));
    const isError = properties.some((one) => one.name === "stack");
    const kind = is(SymbolFlags.Class) ? "class" : "interface";
    return { name, kind, type: isError ? "Error" : "", members, ...doc };
  }
  if (is(SymbolFlags.TypeAlias)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const text = checker.typeToString(type, undefined, noTruncation | inTypeAlias);
    return { name, kind: "type", type: text, members: [], ...doc };
  }
  const kind = is(SymbolFlags.Function) ? "function" : "constant";
  return { name, kind, type: typeOf(checker, symbol), members: [], ...doc };
}

function readMember(checker: Checker, symbol: Symbol): SdkMember {
  const optional = (symbol.flags & SymbolFlags.Optional) !== 0;
  const type = typeOf(checker, symbol);
  return {
    name: symbol.name,
    optional,
    method: (symbol.flags & SymbolFlags.Method) !== 0,
    type: optional ? type.replace(/ \| undefined$/, "") : type,
    ...docOf(checker, symbol),
  };
}

/** Of this repository, not the platform's. */
function isOwn(symbol: Symbol): boolean {
  return symbol.declarations.some(({ path }) => /\/(control|schema)\//.test(path));
}

function isPublic(checker: Checker, symbol: Symbol): boolean {
  if (symbol.name.startsWith("#") || symbol.escapedName.startsWith("__#")) return false;
  return !symbol.getJsDocTags(checker).some(({ name }) => name === "internal");
}

function typeOf(checker: Checker, symbol: Symbol): string {
  const type = checker.getTypeOfSymbol(symbol);
  return type ? checker.typeToString(type, undefined, noTruncation) : "unknown";
}

function docOf(checker: Checker, symbol: Symbol): Doc {
  const tags = symbol
    .getJsDocTags(checker)
    .map(({ name, text = "" }) => ({ name, text: text.replace(/\s*\n\s*/g, " ") }));
  return { text: symbol.getDocumentationComment(checker).trim(), tags };
}

/** Shapes that have a name of their own are written by it. */
function nameShapes(read: SdkExport[]): SdkExport[] {
  const shapes = read
    .filter(({ kind, type }) => kind === "type" && type.startsWith("{ "))
    .sort((a, b) => b.type.length - a.type.length);
  const named = (text: string, own?: string) =>
    shapes.reduce(
      (so, { name, type }) => (name === own ? so : so.replaceAll(type, name)),
      text,
    );
  return read.map((one) => ({
    ...one,
    type: named(one.type, one.name),
    members: one.members.map((member) => ({ ...member, type: named(member.type) })),
  }));
}
