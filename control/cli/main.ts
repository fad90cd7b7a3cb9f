import { Command, CommanderError } from "commander";
import { addAccountCommands } from "./accounts.ts";
import { Api } from "./api.ts";
import { addFleetCommands } from "./fleet.ts";
import { addKeyCommands } from "./keys.ts";
import { outputOf } from "./output.ts";
import { addRoomCommands } from "./rooms.ts";
import type { Run } from "./run.ts";
import { CommandError, readSettings } from "./settings.ts";

/** The operator's hand tool: `npm run -s weir -- <command>`. */
const program = new Command("weir")
  .description("Runs a Weir deployment by hand, over its HTTP API.")
  .option("--url <url>", "where control is; default WEIR_URL, else this machine's")
  .option("--data <folder>", "the data folder of npm start, for its keys")
  .option("--json", "print the answer as JSON", false)
  .addHelpText(
    "after",
    `
Keys come from WEIR_OPERATOR_KEY and WEIR_API_KEY, else from the data folder of
npm start (WEIR_DATA, ./.weir unless set).

Examples:
  npm run -s weir -- accounts create "Video shop"
  npm run -s weir -- accounts caps account_local_0 --rooms 20 --sessions 500
  npm run -s weir -- entitlements grant account_local_0 --tier 3 --days 30
  npm run -s weir -- rooms open --tier 1 --json
  npm run -s weir -- tokens mint --room room_local_0 --identity ana --admin
  npm run -s weir -- nodes drain host-a

Exit codes: 0 done, 1 refused, 2 asked wrongly, 3 control cannot be reached.`,
  )
  .showHelpAfterError("(--help tells how)")
  .exitOverride();

/** Gives a command its tools, and turns what goes wrong into a line and a code. */
const run: Run = (action) =>
  async function (this: unknown, ...given: unknown[]) {
    const command = given.at(-1) as Command;
    const { url, data, json } = command.optsWithGlobals();
    const settings = readSettings({ url, data }, process.env);
    const tools = { settings, api: new Api(settings), output: outputOf(json) };
    await action(tools, command.args, command.opts());
  };

addAccountCommands(program, run);
addKeyCommands(program, run);
addRoomCommands(program, run);
addFleetCommands(program, run);
inherit(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = codeOf(error);
}

/** Settings of the program hold for all commands beneath it. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    child.exitOverride();
    inherit(child);
  }
}

function codeOf(error: unknown): number {
  // Commander has said by itself what is wrong, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandError) {
    console.error(`weir: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof TypeError && /URL/.test(error.message)) {
    console.error(`weir: ${error.message}: --url and WEIR_URL take http(s)://host:port`);
    return 2;
  }
  throw error;
}
