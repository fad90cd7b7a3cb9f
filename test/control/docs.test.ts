import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { problems } from "#schema/problems.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf } from "./api.ts";

let control: Control;

beforeAll(async () => {
  control = await startControl();
});
afterAll(() => control.stop());

function escaped(text: string): string {
  return text.replaceAll("'", "&#39;");
}

async function page(path: string) {
  const answer = await fetch(new URL(path, control.url));
  const text = await answer.text();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
  return { text, policy: answer.headers.get("content-security-policy") ?? "" };
}

test("the API's page shows every operation of the document, and who may call it", async () => {
  const { text } = await page("/docs");
  const { paths } = bodyOf(await control.call("GET", "/openapi.json"), 200) as {
    paths: Record<string, Record<string, { summary: string }>>;
  };
  const cards = text.split("<article").slice(1);
  const names = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => ({ path, method, summary })),
  );
  expect(cards).toHaveLength(names.length);
  for (const { path, method, summary } of names) {
    const heading = `<code class="method">${method.toUpperCase()}</code> <code>${path}</code>`;
    const card = cards.find((one) => one.includes(heading));
    expect(card, heading).toBeDefined();
    expect(card).toContain(escaped(summary));
    expect(card).toMatch(/<p class="who">(?!Nobody)/);
  }
  const enter = cards.find((card) => card.includes('id="POST-v1-rooms-room-sessions"'));
  expect(enter).toContain("a join token of the room");
  expect(enter).toContain('href="/docs/problems#room-full"');
  expect(text).toContain('id="type-CreateRoom"');
});

test("every problem has its row, where a problem's type points to", async () => {
  const { text } = await page("/docs/problems");
  for (const [code, [status, title]] of Object.entries(problems)) {
    const row = text.split("<tr").find((one) => one.includes(`id="${code}"`));
    expect(row, code).toContain(`<td>${status}</td><td>${escaped(title)}</td>`);
  }
  const { body } = await control.call("GET", "/v1/nothing");
  const [path, anchor] = body.type.split("#");
  expect((await page(path)).text).toContain(`id="${anchor}"`);
});

test.each(["/docs", "/docs/problems"])(
  "%s runs no script and asks no other host",
  async (path) => {
    const { text, policy } = await page(path);
    expect(text).not.toMatch(/<script|javascript:|\son\w+=|<link|@import|url\(/i);
    expect(text).not.toMatch(/(?:src|href)="(?!\/|#)/);
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
  },
);
