import { type Command, Option } from "commander";
import type { OpenedRoom, Room } from "#schema/api/rooms.ts";
import { trackSource, videoCodec } from "#schema/media.ts";
import { mintJoinToken } from "../auth/mint.ts";
import { type Run, wholeNumber } from "./run.ts";
import { CommandError } from "./settings.ts";

/** `weir rooms` and `weir tokens`: what an application does, by hand. */
export function addRoomCommands(program: Command, run: Run): void {
  addRooms(program, run);
  addTokens(program, run);
}

function addRooms(program: Command, run: Run): void {
  const rooms = program
    .command("rooms")
    .description("rooms, of the API key's account, or of --account as the operator");
  const ofAccount = () => new Option("--account <account>", "another account's id");
  rooms
    .command("list")
    .description("list rooms, closed ones too")
    .addOption(ofAccount())
    .action(
      run(async ({ api, output }, _, { account }) => {
        const base = account ? `/v1/accounts/${account}/rooms` : "/v1/rooms";
        const caller = account ? "operator" : "application";
        const all: Room[] = [];
        for (let cursor = ""; ; ) {
          const page = await api.call<{ rooms: Room[]; nextCursor?: string }>(
            caller,
            "GET",
            `${base}?limit=200&cursor=${cursor}`,
          );
          all.push(...page.rooms);
          if (!page.nextCursor) break;
          cursor = page.nextCursor;
        }
        output.rows({ rooms: all }, all, {
          ID: ({ id }) => id,
          NAME: ({ name }) => name,
          TIER: ({ tier }) => tier,
          STATE: ({ state }) => state,
          PEOPLE: ({ sessions }) => `${sessions.present}/${sessions.max}`,
          LIVE: ({ broadcasts }) => `${broadcasts.live}/${broadcasts.max}`,
          CREATED: ({ createdAt }) => createdAt,
        });
      }),
    );
  rooms
    .command("open")
    .description("open a room")
    .requiredOption("--tier <tier>", "its tier", wholeNumber)
    .option("--name <name>", "what people call it")
    .option("--reserve", "grant the tier's whole weight now, or refuse", false)
    .addOption(
      new Option("--codec <codec>", "what its cameras and screens are sent in")
        .choices(videoCodec.options)
        .default("vp8"),
    )
    .action(
      run(async ({ api, output }, _, { tier, name, reserve, codec }) => {
        const body = { tier, name, reserve, codec };
        const room = await api.call<OpenedRoom>("application", "POST", "/v1/rooms", body);
        output.fields(room, fieldsOf(room));
        for (const warning of room.warnings ?? []) output.note(warning);
      }),
    );
  rooms
    .command("show")
    .description("show a room")
    .argument("<room>", "its id")
    .action(
      run(async ({ api, output }, [id = ""]) => {
        const room = await api.call<Room>("application", "GET", `/v1/rooms/${id}`);
        output.fields(room, fieldsOf(room));
      }),
    );
  rooms
    .command("close")
    .description("close a room: everyone leaves")
    .argument("<room>", "its id")
    .addOption(ofAccount())
    .action(
      run(async ({ api, output }, [id = ""], { account }) => {
        const room = account
          ? await api.call<Room>(
              "operator",
              "DELETE",
              `/v1/accounts/${account}/rooms/${id}`,
            )
          : await api.call<Room>("application", "DELETE", `/v1/rooms/${id}`);
        output.fields(room, fieldsOf(room));
      }),
    );
  rooms
    .command("revoke")
    .description("void an identity's tokens for a room, and send it out")
    .argument("<room>", "the room's id")
    .argument("<identity>", "whom")
    .action(
      run(async ({ api, output }, [id = "", identity = ""]) => {
        const path = `/v1/rooms/${id}/revocations`;
        const revoked = await api.call<{ before: string; sessions: string[] }>(
          "application",
          "POST",
          path,
          { identity },
        );
        const { before, sessions } = revoked;
        output.fields(revoked, { identity, before, "sessions ended": sessions.length });
      }),
    );
}

function addTokens(program: Command, run: Run): void {
  program
    .command("tokens")
    .description("join tokens")
    .command("mint")
    .description("mint a join token with the API key's secret; control is not asked")
    .requiredOption("--room <room>", "the room's id")
    .requiredOption("--identity <identity>", "the application's name for a person")
    .option("--ttl <seconds>", "for how long it is good", wholeNumber, 600)
    .option("--no-publish", "let it send nothing")
    .addOption(
      new Option("--sources <source...>", "let it send only these").choices(
        trackSource.options,
      ),
    )
    .option("--no-subscribe", "let it watch nothing")
    .option("--admin", "let it moderate the room", false)
    .action(
      run(async ({ settings, output }, _, options) => {
        const { room, identity, ttl, publish, sources, subscribe, admin } = options;
        const [id = "", secret] = settings.apiKey().split(".");
        if (!secret) throw new CommandError("The API key has no secret in it", 2);
        const most = settings.tokenMaxSeconds();
        if (ttl > most) {
          throw new CommandError(
            `--ttl: control takes a token that is good for ${most} seconds at most; ` +
              "where tokens.joinTtlMaxMs is more, set WEIR_SETTINGS as control has it",
            2,
          );
        }
        const grants = {
          canPublish: publish,
          canPublishSources: sources,
          canSubscribe: subscribe,
          roomAdmin: admin,
        };
        const joining = { roomId: room, identity, ...grants };
        const minted = await mintJoinToken({ id, secret }, joining, ttl);
        output.fields(minted, { token: minted.token, expires: minted.expiresAt });
      }),
    );
}

function fieldsOf(room: Room): Record<string, string | number> {
  const { id, name, tier, codec, state, sessions, broadcasts, createdAt } = room;
  return {
    id,
    name,
    tier,
    codec,
    state,
    people: `${sessions.present} of ${sessions.max}`,
    live: `${broadcasts.live} of ${broadcasts.max}`,
    created: createdAt,
  };
}
