import type { Command } from "commander";
import type { CreatedKey, Key } from "#schema/api/accounts.ts";
import type { Run } from "./run.ts";

/** `weir keys`. */
export function addKeyCommands(program: Command, run: Run): void {
  const keys = program.command("keys").description("the API keys of accounts");
  keys
    .command("list")
    .description("list an account's keys")
    .argument("<account>", "the account's id")
    .action(
      run(async ({ api, output }, [account = ""]) => {
        const path = `/v1/accounts/${account}/keys`;
        const answer = await api.call<{ keys: Key[] }>("operator", "GET", path);
        output.rows(answer, answer.keys, {
          ID: ({ id }) => id,
          NAME: ({ name }) => name,
          CREATED: ({ createdAt }) => createdAt,
          "LAST USED": ({ lastUsedAt }) => lastUsedAt,
          REVOKED: ({ revokedAt }) => revokedAt,
        });
      }),
    );
  keys
    .command("create")
    .description("make another key of an account, and show it, this once")
    .argument("<account>", "the account's id")
    .option("--name <name>", "what it is for", "key")
    .action(
      run(async ({ api, output }, [account = ""], { name }) => {
        const path = `/v1/accounts/${account}/keys`;
        const made = await api.call<CreatedKey>("operator", "POST", path, { name });
        output.fields(made, { id: made.id, name: made.name, "api key": made.apiKey });
        output.note("Keep the API key: its secret is not shown again.");
      }),
    );
  keys
    .command("revoke")
    .description("revoke a key, and every token minted with it")
    .argument("<account>", "the account's id")
    .argument("<key>", "the key's id")
    .action(
      run(async ({ api, output }, [account = "", key = ""]) => {
        const path = `/v1/accounts/${account}/keys/${key}`;
        const revoked = await api.call<Key>("operator", "DELETE", path);
        output.fields(revoked, { id: revoked.id, revoked: revoked.revokedAt });
      }),
    );
  keys
    .command("reseal")
    .description("encrypt all secrets anew, after WEIR_SECRET_KEY was replaced")
    .action(
      run(async ({ api, output }) => {
        const path = "/v1/secrets/reseal";
        const done = await api.call<{ resealed: number; unchanged: number }>(
          "operator",
          "POST",
          path,
        );
        output.fields(done, done);
        output.note(
          "WEIR_SECRET_KEY_PREVIOUS may go in a day: SECURITY.md tells what ends with it.",
        );
      }),
    );
}
