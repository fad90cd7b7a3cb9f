import { html, raw } from "hono/html";
import { problems } from "#schema/problems.ts";
import { type JsonSchema, typeText } from "./docs-types.ts";

type Html = ReturnType<typeof html>;

interface Content {
  content?: Record<string, { schema?: JsonSchema }>;
  description?: string;
}

interface Operation {
  summary?: string;
  "x-access"?: string;
  parameters?: {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema?: JsonSchema;
  }[];
  requestBody?: Content;
  responses: Record<string, Content>;
}

/** The parts of an OpenAPI document that the page shows. */
export interface ApiDocument {
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, JsonSchema> };
}

/** Who may make a call, by its access rule. */
const callers: Record<string, string> = {
  anyone: "Anyone",
  apiKey: "An application, with its API key",
  encoder: "An encoder, with a stream key or a join token of the room",
  joinToken: "Whoever holds a join token of the room",
  lobby: "Anyone, where the deployment's lobby is open",
  node: "A registered node, with its credential",
  nodeKey: "A host, with the zone's node key",
  operator: "The operator, with the operator key",
  payments: "The payment provider, with its signature",
  reader:
    "A participant about what is theirs, or an application, with its API key, about its rooms",
  session: "A participant, with their session credential",
};

/** The page of all calls, grouped by the resource that they are about. */
export function apiPage({ info, paths, components }: ApiDocument): Html {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
      group: path.split("/").find((part) => part !== "" && part !== "v1") ?? "",
    })),
  );
  const groups = [...Map.groupBy(calls, ({ group }) => group)];
  const list = groups.map(([group]) => html`<li><a href="#${group}">${group}</a></li>`);
  const sections = groups.map(
    ([group, members]) => html`<section>
      <h2 id="${group}">${group}</h2>
      ${members.map(({ path, method, operation }) => callCard(method, path, operation))}
    </section>`,
  );
  const schemas = Object.entries(components?.schemas ?? {});
  return layout(
    `${info.title} API`,
    html`<p>JSON over HTTP. Errors are problems (RFC 9457) with a stable
        <a href="/docs/problems">code</a>; the document behind this page is
        <a href="/openapi.json">/openapi.json</a>.</p>
      <nav><ul>${list}<li><a href="#types">types</a></li></ul></nav>
      ${sections}
      <section><h2 id="types">types</h2>
        ${schemas.map(
          ([name, schema]) =>
            html`<h3 id="type-${name}">${name}</h3><pre>${typeText(schema)}</pre>`,
        )}
      </section>`,
  );
}

function callCard(method: string, path: string, operation: Operation): Html {
  const { summary = "", parameters = [], requestBody, responses } = operation;
  const id = `${method}-${path}`.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "");
  return html`<article id="${id}">
    <h3><code class="method">${method}</code> <code>${path}</code></h3>
    <p>${summary}</p>
    <p class="who">${callers[operation["x-access"] ?? ""] ?? "Nobody"}</p>
    ${parameters.length > 0 ? parameterTable(parameters) : ""}
    ${bodyOf("Body", requestBody)}
    <table><caption>Answers</caption>
      ${Object.entries(responses).map(([status, answer]) => answerRow(status, answer))}
    </table>
  </article>`;
}

function parameterTable(parameters: NonNullable<Operation["parameters"]>): Html {
  return html`<table><caption>Parameters</caption>${parameters.map(
    ({ name, in: place, required, description = "", schema }) => html`<tr>
      <th scope="row"><code>${name}</code></th>
      <td>${place}${required ? "" : ", optional"}</td>
      <td><code>${typeText(schema)}</code> ${description}</td>
    </tr>`,
  )}</table>`;
}

function bodyOf(title: string, body: Content | undefined): Html | string {
  const entries = Object.entries(body?.content ?? {});
  return entries.length === 0
    ? ""
    : html`${entries.map(
        ([type, { schema }]) =>
          html`<p>${title}, <code>${type}</code></p><pre>${typeText(schema)}</pre>`,
      )}`;
}

function answerRow(status: string, { description = "", content }: Content): Html {
  const [type = "", { schema } = {}] = Object.entries(content ?? {})[0] ?? [];
  const isProblem = type === "application/problem+json";
  return html`<tr>
    <th scope="row">${status}</th>
    <td>${isProblem ? problemLines(description) : description}
      ${isProblem || !schema ? "" : html`<pre>${typeText(schema)}</pre>`}</td>
  </tr>`;
}

/** A problem answer's description is a line for each code that it may carry. */
function problemLines(description: string): Html[] {
  return description.split("\n\n").map((line) => {
    const [, code = "", title = line] = /^`([a-z-]+)`: (.*)$/.exec(line) ?? [];
    return html`<div><a href="/docs/problems#${code}"><code>${code}</code></a> ${title}</div>`;
  });
}

/** The page of all problem codes, each with an anchor of its own. */
export function problemsPage(): Html {
  const rows = Object.entries(problems).map(
    ([code, [status, title]]) => html`<tr id="${code}">
      <th scope="row"><a href="#${code}"><code>${code}</code></a></th>
      <td>${status}</td><td>${title}</td>
    </tr>`,
  );
  return layout(
    "Problems",
    html`<p>Every error is <code>application/problem+json</code>. Its
        <code>code</code> is stable and <code>type</code> points to its row here;
        <code>detail</code> says what is wrong in this case, <code>errors</code>
        names the fields, and <code>retryAfter</code> (seconds, also the header)
        says when trying again makes sense. All <a href="/docs">calls</a>.</p>
      <table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>${rows}</table>`,
  );
}

function layout(title: string, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${raw(style)}</style></head>
<body><header><h1>${title}</h1></header><main>${content}</main></body></html>`;
}

/** The pages' one style sheet, in them as it stands here. */
export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; }
article { border-top: 1px solid #8884; padding: .5rem 0 1rem; }
h3 { margin: .75rem 0 .25rem; font-size: 1rem; }
.method { font-weight: bold; }
.who { font-style: italic; margin: 0 0 .5rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
caption { text-align: left; font-weight: bold; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; }
tr:target, article:target { background: #fc03; }
pre { background: #8882; padding: .5rem; overflow-x: auto; margin: .25rem 0; }
`;
