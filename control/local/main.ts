import { join } from "node:path";
import { LaunchError, readLaunchConfig } from "./config.ts";
import { Launch } from "./launch.ts";

/** Runs all of Weir on this machine until it is told to stop. */
async function main(): Promise<void> {
  const say = (text: string) => console.log(text);
  const config = readLaunchConfig(process.env);
  const launch = await Launch.claim({
    root: join(import.meta.dirname, "../.."),
    config,
    say,
  });
  const told = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => told.resolve());
  }
  try {
    // A signal while things start ends the start, which then fails.
    launch.start().catch(() => {});
    const outcome = await Promise.race([launch.start(), told.promise.then(() => "told")]);
    if (outcome !== "told") {
      if (!config.givenKeys.api) say(`api key ${launch.keys.api}`);
      if (!config.givenKeys.operator) say(`operator key ${launch.keys.operator}`);
      say(`ready ${config.publicUrl}`);
      const how = await Promise.race([told.promise, launch.failed]);
      if (how !== undefined) {
        throw new LaunchError(
          `control ended by itself (${how}): see ${join(config.dataFolder, "logs/control.log")}`,
        );
      }
    }
    say("stopping");
  } finally {
    await launch.stop();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (!(error instanceof LaunchError)) throw error;
  console.error(`weir: ${error.message}`);
  process.exit(1);
}
