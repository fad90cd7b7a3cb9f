import { afterAll, beforeAll, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";

const friend = "https://app.example.org";
let control: Control;

beforeAll(async () => {
  control = await startControl({ allowedOrigins: `https://other.example,${friend}` });
});
afterAll(() => control.stop());

function preflight(origin: string, path: string): Promise<Response> {
  return fetch(new URL(path, control.url), {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });
}

test("a page of an allowed origin may call; another is not told that it may", async () => {
  const path = "/v1/rooms/room_local_0000/sessions";
  const allowed = await preflight(friend, path);
  expect(allowed.ok).toBe(true);
  expect(allowed.headers.get("access-control-allow-origin")).toBe(friend);
  expect(allowed.headers.get("access-control-allow-headers")).toContain("authorization");
  for (const origin of ["https://evil.example", "null", `${friend}.evil.example`]) {
    const answer = await preflight(origin, path);
    expect(answer.headers.get("access-control-allow-origin"), origin).toBeNull();
    const { headers } = await control.call("GET", "/v1/zones", { headers: { origin } });
    expect(headers.get("access-control-allow-origin"), origin).toBeNull();
  }
  const { status, headers } = await control.call("POST", path, {
    body: {},
    headers: { origin: friend },
  });
  // A refusal too can be read by the page that it is for.
  expect(status).toBe(401);
  expect(headers.get("access-control-allow-origin")).toBe(friend);
  expect(headers.get("access-control-allow-credentials")).toBeNull();
});

test("answers and pages name no type that they are not, and cannot be framed", async () => {
  for (const path of ["/v1/zones", "/docs", "/"]) {
    const response = await fetch(new URL(path, control.url));
    await response.text();
    expect(response.headers.get("x-content-type-options"), path).toBe("nosniff");
    expect(response.headers.get("referrer-policy"), path).toBe("no-referrer");
    expect(response.headers.get("strict-transport-security"), path).toContain("max-age=");
    const opener = response.headers.get("cross-origin-opener-policy");
    expect(opener, path).toBe("same-origin");
  }
  for (const path of ["/docs", "/"]) {
    const response = await fetch(new URL(path, control.url));
    await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy, path).toContain("default-src 'none'");
    expect(policy, path).toContain("frame-ancestors 'none'");
    expect(policy, path).not.toMatch(/unsafe|\*/);
  }
});
