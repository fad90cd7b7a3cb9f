import type { Hook } from "@hono/zod-openapi";
import type { AppEnv } from "../auth/access.ts";
import { problemResponse } from "../problem.ts";

/** Answers input that does not fit its schema: which field, and what it takes. */
export const invalid: Hook<unknown, AppEnv, string, Response | undefined> = (result) => {
  if (result.success) return undefined;
  const errors = result.error.issues.map((issue) => ({
    path: issue.path.map(String).join("."),
    message: issue.message,
  }));
  return problemResponse("validation-failed", { errors });
};
