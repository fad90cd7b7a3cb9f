/** What a look at a statement's text tells, without running it. */
export interface SqlScan {
  /** The first keyword in upper case, or an empty text where there is none. */
  verb: string;
  /** Statements in the text, not counting an empty one behind the last `;`. */
  statements: number;
  /** Parameters in SQLite's order: a name with its sigil, or null for a bare one. */
  parameters: (string | null)[];
  /** True where the statement can change nothing and starts no transaction. */
  readOnly: boolean;
  /** True for a BEGIN that promises not to write. */
  beginsReadOnly: boolean;
}

// Quoted text and comments are single tokens, so that nothing inside counts.
const token =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|\?\d*|[:@$][A-Za-z_]\w*|[A-Za-z_][\w$]*|;|\S/g;

const readVerbs = new Set(["SELECT", "VALUES", "EXPLAIN"]);
const endVerbs = new Set(["COMMIT", "END", "ROLLBACK", "RELEASE"]);
const writeWords = new Set(["INSERT", "UPDATE", "DELETE"]);

const scanned = new Map<string, SqlScan>();
const scannedMax = 1000;

/** Reads a statement's kind and parameters from its text. */
export function scanSql(sql: string): SqlScan {
  const known = scanned.get(sql);
  if (known) return known;
  // Clients send the same few texts again and again; a flood of others starts anew.
  if (scanned.size >= scannedMax) scanned.clear();
  const scan = readTokens(sql);
  scanned.set(sql, scan);
  return scan;
}

function readTokens(sql: string): SqlScan {
  const words: string[] = [];
  const parameters: (string | null)[] = [];
  let statements = 0;
  let inStatement = false;
  for (const [text] of sql.matchAll(token)) {
    if (text.startsWith("--") || text.startsWith("/*")) continue;
    if (text === ";") {
      inStatement = false;
      continue;
    }
    if (!inStatement) statements++;
    inStatement = true;
    if (/^[?:@$]./.test(text)) addNamed(parameters, text);
    else if (text === "?") parameters.push(null);
    else if (/^[A-Za-z_]/.test(text)) words.push(text.toUpperCase());
  }
  const verb = words[0] ?? "";
  const isTrigger = verb === "CREATE" && words.slice(1, 3).includes("TRIGGER");
  const beginsReadOnly = verb === "BEGIN" && words.slice(1, 3).includes("READONLY");
  return {
    verb,
    // A trigger's body holds statements of its own.
    statements: isTrigger ? 1 : statements,
    parameters,
    readOnly:
      readVerbs.has(verb) ||
      endVerbs.has(verb) ||
      beginsReadOnly ||
      (verb === "WITH" && !writes(words)),
    beginsReadOnly,
  };
}

/** `?3` is the third parameter, and makes room for those before it. */
function addNamed(parameters: (string | null)[], name: string): void {
  const position = name.startsWith("?") ? Number(name.slice(1)) : 0;
  if (position > 32_766) return;
  while (parameters.length < position - 1) parameters.push(null);
  if (position > 0) parameters[position - 1] = name;
  else if (!parameters.includes(name)) parameters.push(name);
}

/** `replace` is a function too, so only REPLACE INTO counts. */
function writes(words: string[]): boolean {
  return words.some(
    (word, at) =>
      writeWords.has(word) || (word === "REPLACE" && words[at + 1] === "INTO"),
  );
}
