import type { Client } from "@libsql/client/web";
import { createClient } from "@libsql/client/web";
import type { PipelineBody } from "#control/local/hrana-protocol.ts";
import type { DatabaseServer } from "#control/local/hrana-server.ts";

/** One of control's databases: it can be stopped alone. */
export interface TestDatabase {
  /** A client that looks into it, also while it is stopped. */
  readonly client: Client;
  /** An outage: nobody is served. */
  stop(): Promise<void>;
  resume(): Promise<void>;
}

/** What a test may do with a running database. */
export function testDatabase(server: DatabaseServer): TestDatabase {
  const client = createClient({
    url: "http://in-process",
    fetch: async (request: Request) => {
      const body = (await request.json()) as PipelineBody;
      return Response.json(await server.database.pipeline(body));
    },
  });
  return { client, stop: () => server.stop(), resume: () => server.resume() };
}
