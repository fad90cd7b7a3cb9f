import { InvalidArgumentError } from "commander";
import type { Api } from "./api.ts";
import type { Output } from "./output.ts";
import type { Settings } from "./settings.ts";

/** What a command works with. */
export interface Tools {
  api: Api;
  output: Output;
  settings: Settings;
}

// biome-ignore lint/suspicious/noExplicitAny: commander's options have any type.
type Options = Record<string, any>;
type Action = (tools: Tools, args: string[], options: Options) => Promise<void> | void;

/** Makes an action that commander calls out of a function with the tools. */
export type Run = (action: Action) => (...given: unknown[]) => Promise<void>;

/** A whole number on the command line. */
export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It has to be a whole number.");
}

/** A cap on the command line: a whole number, or the deployment's. */
export function capOrDefault(text: string): number | "default" {
  return text === "default" ? text : wholeNumber(text);
}
