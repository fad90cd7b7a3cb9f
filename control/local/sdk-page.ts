import { html } from "hono/html";
import type { Doc, SdkExport, SdkMember } from "./sdk-model.ts";

type Html = ReturnType<typeof html>;

const sections: [SdkExport["kind"][], string][] = [
  [["function", "constant"], "Functions"],
  [["class"], "Classes"],
  [["interface", "type"], "Types"],
];

/** Writes the SDK's reference as a page, all of it out of its docstrings. */
export function referencePage(exports: readonly SdkExport[]): string {
  const names = new Set(exports.map(({ name }) => name));
  const groups = sections.map(([kinds, title]) => ({
    title,
    members: exports.filter(({ kind }) => kinds.includes(kind)),
  }));
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Weir's SDK</title><link rel="stylesheet" href="/docs/sdk/reference.css"></head>
<body>
<header><h1>The SDK</h1>
<p>A plain ES module without dependencies: <code>import { connect } from "/sdk/weir.js"</code>,
with its types in <a href="/sdk/weir.d.ts">/sdk/weir.d.ts</a>. Whatever fails throws a
<a href="#WeirError"><code>WeirError</code></a> with a stable <code>code</code>: those of the
<a href="/docs/problems">API</a>, and some of its own. Running examples:
<a href="/examples/watch">watch</a>, <a href="/examples/publish">publish</a>,
<a href="/examples/screen-and-chat">screen and chat</a>. The HTTP API is
<a href="/docs">beside</a>.</p>
</header>
<nav>${groups.map(
    ({ title, members }) =>
      html`<h2>${title}</h2><ul>${members.map(
        ({ name }) => html`<li><a href="#${name}">${name}</a></li>`,
      )}</ul>`,
  )}</nav>
<main>${groups.map(
    ({ title, members }) =>
      html`<section aria-label="${title}">${members.map((one) =>
        card(one, names),
      )}</section>`,
  )}</main>
</body></html>`;
  return page.toString();
}

function card(one: SdkExport, names: ReadonlySet<string>): Html {
  const { name, kind, type, members } = one;
  const shown = type && kind !== "class" ? signature("", type, names) : "";
  return html`<article id="${name}">
    <h3><span class="kind">${kind}</span> ${name}</h3>
    ${description(one)}
    ${shown}
    ${members.map((member) => memberCard(name, member, names))}
  </article>`;
}

function memberCard(owner: string, member: SdkMember, names: ReadonlySet<string>): Html {
  const { name, optional, type } = member;
  return html`<div class="member" id="${owner}.${name}">
    ${signature(`${name}${optional ? "?" : ""}`, type, names)}
    ${description(member)}
  </div>`;
}

/** A type as it is written, the names of other exports being links. */
function signature(name: string, type: string, names: ReadonlySet<string>): Html {
  const parts = type.split(/\b([A-Z]\w+)\b/);
  const linked = parts.map((part) =>
    names.has(part) ? html`<a href="#${part}">${part}</a>` : html`${part}`,
  );
  return html`<pre>${name ? html`<b>${name}</b>: ` : ""}${linked}</pre>`;
}

function description({ text, tags }: Doc): Html {
  return html`${text.split(/\n\n+/).map(paragraph)}${
    tags.length > 0
      ? html`<dl>${tags.map((tag) => {
          const [first = "", ...rest] = tag.text.split(" ");
          const isParam = tag.name === "param";
          return html`<dt>${isParam ? first : tag.name}</dt>
            <dd>${inline(isParam ? rest.join(" ") : tag.text)}</dd>`;
        })}</dl>`
      : ""
  }`;
}

/** Code is what stands further in, and lists have dashes, as in the docstring itself. */
function paragraph(text: string): Html | string {
  if (text === "") return "";
  if (text.startsWith("- ")) {
    const items = text.slice(2).split("\n- ");
    return html`<ul>${items.map((item) => html`<li>${inline(item)}</li>`)}</ul>`;
  }
  return text.startsWith("    ")
    ? html`<pre class="example">${text.replaceAll(/^ {4}/gm, "")}</pre>`
    : html`<p>${inline(text)}</p>`;
}

function inline(text: string): Html[] {
  const parts = text.split("`");
  return parts.map((part, at) =>
    at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`,
  );
}

/** The page's style sheet. */
export const referenceStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 76rem; margin: 0 auto; padding: 1rem; display: grid; gap: 0 2rem; }
header, nav, main { min-width: 0; }
nav h2 { font-size: 1rem; margin: .75rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; }
article { border-top: 1px solid #8884; padding: .5rem 0 1.5rem; }
article:target, .member:target { background: #fc03; }
h3 { margin: .75rem 0 .25rem; }
.kind { font-weight: normal; opacity: .7; }
.member { margin: 1rem 0 0; padding-left: 1rem; border-left: 2px solid #8884; }
.member p { margin: .25rem 0; }
pre { background: #8882; padding: .5rem; margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { margin: .25rem 0; display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dt { font-style: italic; } dd { margin: 0; }
@media (min-width: 60rem) {
  body { grid-template-columns: 14rem 1fr; }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 1rem; align-self: start; max-height: 95vh; overflow: auto; }
  nav ul { flex-direction: column; }
}
`;
