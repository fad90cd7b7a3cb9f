import type { Command } from "commander";
import type { Account, CreatedKey, Entitlement } from "#schema/api/accounts.ts";
import { addCaps, addOrigins, capFields } from "./caps.ts";
import { type Run, wholeNumber } from "./run.ts";

/** `weir accounts` and `weir entitlements`. */
export function addAccountCommands(program: Command, run: Run): void {
  addAccounts(program, run);
  addEntitlements(program, run);
}

function addAccounts(program: Command, run: Run): void {
  const accounts = program.command("accounts").description("who may use the deployment");
  accounts
    .command("list")
    .description("list all accounts")
    .action(
      run(async ({ api, output }) => {
        const all: Account[] = [];
        for (let cursor = ""; ; ) {
          const path = `/v1/accounts?limit=200&cursor=${cursor}`;
          const page = await api.call<{ accounts: Account[]; nextCursor?: string }>(
            "operator",
            "GET",
            path,
          );
          all.push(...page.accounts);
          if (!page.nextCursor) break;
          cursor = page.nextCursor;
        }
        output.rows({ accounts: all }, all, {
          ID: ({ id }) => id,
          NAME: ({ name }) => name,
          STATE: ({ state }) => state,
          TIERS: ({ everyTier }) => (everyTier ? "all" : "bought"),
          CREATED: ({ createdAt }) => createdAt,
        });
      }),
    );
  accounts
    .command("create")
    .description("add an account, and show its first API key, this once")
    .argument("<name>", "what people call it")
    .option("--every-tier", "entitle it to every tier, with nothing bought")
    .option("--no-every-tier", "let it open only the tiers that it buys")
    .action(
      run(async ({ api, output }, [name = ""], { everyTier }) => {
        const made = await api.call<Account & { key: CreatedKey }>(
          "operator",
          "POST",
          "/v1/accounts",
          { name, everyTier },
        );
        output.fields(made, { ...fieldsOf(made), "api key": made.key.apiKey });
        output.note("Keep the API key: its secret is not shown again.");
      }),
    );
  accounts
    .command("show")
    .description("show an account and what it is entitled to")
    .argument("<account>", "its id")
    .action(
      run(async ({ api, output }, [id = ""]) => {
        const path = `/v1/accounts/${id}`;
        const account = await api.call<Account>("operator", "GET", path);
        output.fields(account, fieldsOf(account));
      }),
    );
  accounts
    .command("own")
    .description("show the account of the API key, what it may hold and holds")
    .action(
      run(async ({ api, output }) => {
        const account = await api.call<Account>("application", "GET", "/v1/account");
        output.fields(account, fieldsOf(account));
      }),
    );
  addCaps(accounts, run);
  addOrigins(accounts, run);
  const changes = {
    suspend: ["refuse its keys and tokens; what runs goes on", { state: "suspended" }],
    reinstate: ["take its keys and tokens again", { state: "active" }],
  } as const;
  for (const [verb, [description, change]] of Object.entries(changes)) {
    accounts
      .command(verb)
      .description(description)
      .argument("<account>", "its id")
      .action(
        run(async ({ api, output }, [id = ""]) => {
          const path = `/v1/accounts/${id}`;
          const account = await api.call<Account>("operator", "PATCH", path, change);
          output.fields(account, fieldsOf(account));
        }),
      );
  }
}

function addEntitlements(program: Command, run: Run): void {
  const entitlements = program
    .command("entitlements")
    .description("which tiers an account may open");
  entitlements
    .command("list")
    .description("list what an account is entitled to")
    .argument("<account>", "the account's id")
    .action(
      run(async ({ api, output }, [id = ""]) => {
        const path = `/v1/accounts/${id}`;
        const account = await api.call<Account>("operator", "GET", path);
        output.rows(account, account.entitlements, {
          ID: (one) => one.id,
          "UP TO TIER": (one) => one.tier,
          STATE: (one) => one.state,
          FROM: (one) => one.startsAt,
          UNTIL: (one) => one.endsAt,
          SOURCE: (one) => one.source,
        });
      }),
    );
  entitlements
    .command("grant")
    .description("entitle an account to rooms up to a tier")
    .argument("<account>", "the account's id")
    .requiredOption("--tier <tier>", "the highest tier", wholeNumber)
    .option("--days <days>", "for how long; until it is ended unless given", wholeNumber)
    .action(
      run(async ({ api, output }, [account = ""], { tier, days }) => {
        const path = `/v1/accounts/${account}/entitlements`;
        const body = { tier, days };
        const granted = await api.call<Entitlement>("operator", "POST", path, body);
        output.fields(granted, { ...granted });
      }),
    );
  entitlements
    .command("end")
    .description("end an entitlement now; open rooms stay open")
    .argument("<account>", "the account's id")
    .argument("<entitlement>", "the entitlement's id")
    .action(
      run(async ({ api, output }, [account = "", entitlement = ""]) => {
        const path = `/v1/accounts/${account}/entitlements/${entitlement}`;
        const ended = await api.call<Entitlement>("operator", "DELETE", path);
        output.fields(ended, { ...ended });
      }),
    );
}

function fieldsOf(account: Account): Record<string, string | number | undefined> {
  const { id, name, state, everyTier, tier, createdAt, entitlements } = account;
  const running = entitlements.filter((one) => one.state !== "ended");
  return {
    id,
    name,
    state,
    tiers: everyTier ? "all" : `0 to ${tier}`,
    created: createdAt,
    ...capFields(account),
    entitlements:
      running
        .map((one) => `tier ${one.tier} until ${one.endsAt ?? "it is ended"}`)
        .join(", ") || "none",
  };
}
