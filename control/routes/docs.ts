import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "../auth/access.ts";
import { type ApiDocument, apiPage, problemsPage, style } from "./docs-pages.ts";
import { route } from "./spec.ts";

const page = (description: string) => ({
  200: { content: { "text/html": { schema: z.string() } }, description },
});

/**
 * The pages about the API: all that they show comes from the OpenAPI document
 * and the table of problems, so they cannot say something else.
 * @param describe makes the OpenAPI document
 */
export function docs(describe: () => unknown) {
  // What it is made from does not change while it runs.
  let shown: string | undefined;
  const api = () => {
    shown ??= apiPage(describe() as ApiDocument).toString();
    return shown;
  };
  return new OpenAPIHono<AppEnv>()
    .openapi(
      route("anyone", {
        method: "get",
        path: "/docs",
        summary: "The API as a page",
        responses: page("Every call: who may make it, what it takes and answers."),
      }),
      (c) => answer(c, api()),
    )
    .openapi(
      route("anyone", {
        method: "get",
        path: "/docs/problems",
        summary: "The table of problem codes",
        responses: page("What each code means; a problem's `type` points here."),
      }),
      (c) => answer(c, problemsPage().toString()),
    );
}

/** The pages run no script and fetch nothing: their one style is named by its hash. */
async function answer(c: Context<AppEnv>, text: string) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  c.header(
    "content-security-policy",
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  c.header("cache-control", "public, max-age=300");
  return c.html(text, 200);
}
