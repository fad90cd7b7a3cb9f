import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signalIfThere } from "#test/harness/children.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser, startBrowser } from "./browser.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { Hosts } from "./hosts.ts";
import { Onlooker } from "./onlooker.ts";
import { Person } from "./people.ts";

describe.skipIf(!findBrowser())("when servers fail", { timeout: 90_000 }, () => {
  let hosts: Hosts;
  let browser: Browser;
  let ada: Person;
  let ben: Person;
  let door: Doorkeeper;
  let link: string;
  let broadcastId: string;

  beforeAll(async () => {
    [hosts, browser] = await Promise.all([
      Hosts.start(),
      startBrowser(findBrowser() ?? ""),
    ]);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await hosts?.stop();
  }, 30_000);

  // Ada is live, and Ben watches her.
  beforeAll(async () => {
    ada = await Person.arrive(browser);
    ben = await Person.arrive(browser);
    link = await ada.openRoom(hosts.url, 1);
    await ada.enter(link, "Ada");
    broadcastId = await ada.goLive("go-live-test");
    door = await Doorkeeper.at(ben.page);
    await ben.enter(link, "Ben");
    await ben.seesMoving(1);
  }, 60_000);

  afterEach(async () => {
    for (const name of ["in-a", "in-b", "out-a", "out-b"]) {
      const healthy = await hosts.agents.get(name)?.healthy();
      if (!healthy) await hosts.run(name);
    }
  }, 60_000);

  const viewOfBen = async () => (await ben.pictures())[0];

  test("a picture whose worker dies comes from another one, and a line says so meanwhile", async () => {
    const onlooker = await Onlooker.of(ben);
    // What he was refused stands in the line, and must not hide what follows.
    await ben.find("share-screen").click();
    const refused = '[data-testid="status"][data-code="no-screen-capacity"]';
    await ben.page.locator(refused).waitFor();
    const before = await viewOfBen();
    const shownBy = await hosts.busy("views");
    const [worker] = (await shownBy.state()).workers;
    process.kill(worker.pid, "SIGKILL");
    await waitFor(
      async () => {
        const now = await viewOfBen();
        return now?.state === "ready" && now.id !== before?.id;
      },
      { what: "another seat for the same picture", timeoutMs: 30_000 },
    );
    const [after] = await ben.seesMoving(1);
    expect(after?.broadcastId).toBe(broadcastId);
    const words = await onlooker.words();
    expect(words).toContain(
      "Refused: The servers have no free place for a screen. 1 picture is moving to another server.",
    );
    expect(words.join()).toContain("Moving to another server…");
  });

  test("a picture whose server hangs comes from another one, and is covered with a word meanwhile", async () => {
    const onlooker = await Onlooker.of(ben);
    const before = await viewOfBen();
    const shownBy = await hosts.busy("views");
    const [worker] = (await shownBy.state()).workers;
    // Its agent answers control as ever: only he can tell that nothing comes.
    process.kill(worker.pid, "SIGSTOP");
    try {
      await waitFor(
        async () => {
          const now = await viewOfBen();
          return now?.state === "ready" && now.id !== before?.id;
        },
        { what: "another seat for the same picture", timeoutMs: 45_000 },
      );
    } finally {
      signalIfThere(worker.pid, "SIGCONT");
    }
    await ben.seesMoving(1);
    const words = (await onlooker.words()).join();
    expect(words).toContain("No picture arrives at present. Another server is asked.");
  });

  test("a broadcast whose host ends goes on under its id, and both sides read what happens", async () => {
    const onlookers = [await Onlooker.of(ada), await Onlooker.of(ben)] as const;
    const before = await viewOfBen();
    const carriedBy = await hosts.busy("broadcasts");
    await carriedBy.kill();
    const ofAda = "Your broadcast is interrupted and comes back by itself.";
    const ofBen =
      "The connection of Ada is interrupted. The picture comes back by itself.";
    for (const [onlooker, sentence] of [
      [onlookers[0], ofAda],
      [onlookers[1], ofBen],
    ] as const) {
      await waitFor(
        async () => (await onlooker.words()).some((words) => words.includes(sentence)),
        { what: sentence },
      );
    }
    const live = ada.page.locator('[data-testid="self-tile"][data-state="live"]');
    await live.waitFor({ timeout: 30_000 });
    expect(await live.getAttribute("data-broadcast-id")).toBe(broadcastId);
    const [after] = await ben.seesMoving(1);
    expect(after?.broadcastId).toBe(broadcastId);
    // His own host is not to blame: he keeps his seat there.
    expect(after?.id).toBe(before?.id);
    const now = await hosts.busy("broadcasts");
    expect(now.name).not.toBe(carriedBy.name);
  });

  test("a host that is asked to leave hands its viewer over side by side, and ends", async () => {
    const onlooker = await Onlooker.of(ben);
    const before = await viewOfBen();
    await onlooker.watchesHandOver();
    const leaving = await hosts.busy("views");
    expect(await leaving.stop("SIGTERM")).toBe(0);
    expect(await onlooker.handOver()).toBe("the new picture was there");
    const [after] = await ben.seesMoving(1);
    expect(after?.id).not.toBe(before?.id);
  });

  test("a host that is asked to leave hands its broadcaster over side by side, muted as it was", async () => {
    await ada.find("toggle-microphone").click();
    const silent = ben.find("tile").getByText("Muted:");
    await silent.waitFor({ state: "attached" });
    const onlooker = await Onlooker.of(ben);
    await onlooker.watchesHandOver();
    const leaving = await hosts.busy("broadcasts");
    expect(await leaving.stop("SIGTERM")).toBe(0);
    expect(await onlooker.handOver()).toBe("the new picture was there");
    const [after] = await ben.pictures();
    expect(after?.broadcastId).toBe(broadcastId);
    expect(await silent.count()).toBe(1);
    await ada.find("toggle-microphone").click();
    await ben.seesMoving(1);
  });

  test("an answer that was overtaken by its seat's end is not believed", async () => {
    const cara = await Person.arrive(browser);
    const arrived = cara.page.waitForEvent("requestfinished", (request) =>
      request.url().endsWith("/views"),
    );
    const released = Promise.withResolvers<void>();
    let requests = 0;
    // The first answer comes late, the second not at all, and its seat is given back.
    await cara.page.route("**/v1/sessions/*/views", async (route) => {
      requests += 1;
      if (requests === 1) {
        const response = await route.fetch();
        await released.promise;
        return route.fulfill({ response });
      }
      if (requests > 2) return route.continue();
      const { views } = await (await route.fetch()).json();
      const key = (await route.request().headerValue("authorization"))?.split(" ")[1];
      await hosts.control.call("DELETE", `/v1/views/${views[0].id}`, { key });
      await arrived;
      return route.abort();
    });
    await cara.enter(link, "Cara");
    const served = async () => (await hosts.busy("views")).state();
    const both = async () => (await served()).views.length === 2;
    await waitFor(both, { what: "a seat for Cara" });
    process.kill((await served()).workers[0].pid, "SIGKILL");
    await waitFor(() => requests === 2, { what: "Cara to hear that it is over" });
    released.resolve();
    // Long before a browser finds out that the connection does not come.
    await waitFor(() => requests > 2, { what: "Cara to ask again", timeoutMs: 10_000 });
    await cara.seesMoving(1);
    await cara.vanish();
    await ben.seesMoving(1);
  });

  test("a picture whose seat ended unheard is asked for anew", async () => {
    const dan = await Person.arrive(browser);
    await dan.enter(link, "Dan");
    const added = await dan.goLive("go-live-test");
    await ben.seesMoving(2);
    const viewOfDan = async () =>
      (await ben.pictures()).find((one) => one.broadcastId === added);
    const before = await viewOfDan();
    // Ada's picture keeps the transport: nothing tells him but that nothing comes.
    const { credential: key } = JSON.parse(door.hello);
    const gone = await hosts.control.call("DELETE", `/v1/views/${before?.id}`, { key });
    expect(gone.status).toBe(200);
    const other = async () => {
      const now = await viewOfDan();
      return now?.state === "ready" && now.id !== before?.id;
    };
    await waitFor(other, { what: "another seat", timeoutMs: 30_000 });
    await ben.seesMoving(2);
    await dan.vanish();
    await waitFor(async () => (await ben.pictures()).length === 1, { what: "Dan's end" });
  });

  test("one whose control was away for long enters again, and has what was watched", async () => {
    const onlooker = await Onlooker.of(ben);
    const before = await viewOfBen();
    await ben.page.route("**/v1/**", (route) => route.abort());
    await door.cut();
    const away = '[data-testid="status"][data-state="reconnecting"]';
    await ben.page.locator(away).waitFor();
    await ben.seesMoving(1);
    await waitFor(async () => !(await ada.sees()).includes("Ben"), {
      what: "Ben's session to end",
    });
    await ben.page.unroute("**/v1/**");
    door.shut = false;
    await waitFor(
      async () => {
        const now = await viewOfBen();
        return now?.state === "ready" && now.id !== before?.id;
      },
      { what: "Ben's next seat", timeoutMs: 45_000 },
    );
    await ben.seesMoving(1);
    expect(await ada.sees()).toEqual(expect.arrayContaining(["Ben"]));
    expect((await onlooker.words()).join()).toContain("Reconnecting");
  });
});
