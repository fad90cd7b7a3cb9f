import { RunningWeir } from "./running-weir.ts";

const weir = await RunningWeir.start();
console.log(weir.url);
process.on("SIGTERM", async () => {
  await weir.stop();
  process.exit(0);
});
setInterval(() => {}, 1000);
