import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser } from "./browser.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { gather } from "./gathering.ts";
import { unreadMax } from "./running-weir.ts";

const phone = { width: 360, height: 740 };
const noBrowser = !findBrowser();

describe.skipIf(noBrowser)("the chat beside the pictures", { timeout: 60_000 }, () => {
  const gathering = gather();
  const { arrive, meet } = gathering;

  test("what one says the other reads as it was written, under the name, and once", async () => {
    const { ada, ben } = await meet(1, 1);
    await ada.page.getByText("Nothing was said yet").waitFor();
    const markup = `<img src="x" onerror="document.title = 'broken into'"> & <b>so on</b>`;
    await ada.say(markup);
    await ben.say("hello yourself");
    await ada.hears(`Ada (you): ${markup}`, "Ben: hello yourself");
    await ben.hears(`Ada: ${markup}`, "Ben (you): hello yourself");
    expect(await ben.page.locator(".said img, .said b").count()).toBe(0);
    expect(await ada.find("outgoing").count()).toBe(0);
    expect(await ada.sees()).toEqual(["Ada (you)", "Ben"]);
    expect([...ada.complaints, ...ben.complaints]).toEqual([]);
  });

  test("with the keyboard alone one enters, writes, goes to a new line, and takes a word back", async () => {
    const { link, ben } = await meet(0, 1);
    const cleo = await arrive();
    await cleo.page.goto(link);
    const { keyboard } = cleo.page;
    await cleo.tabTo("name-input");
    await keyboard.type("Cleo");
    await keyboard.press("Enter");
    await cleo.find("leave").waitFor();
    await cleo.tabTo("chat-field");
    await keyboard.type("first line");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second line");
    await keyboard.press("Enter");
    await ben.hears("Cleo: first line\nsecond line");
    await keyboard.type("regrettable");
    await keyboard.press("Enter");
    await ben.hears("Cleo: first line\nsecond line", "Cleo: regrettable");
    await keyboard.press("Shift+Tab");
    expect(await cleo.focusName()).toBe("Delete “regrettable” by you");
    await keyboard.press("Enter");
    await ben.hears("Cleo: first line\nsecond line");
    const log = ben.page.getByRole("log", { name: "Messages" });
    expect(await log.getAttribute("aria-live")).toBe("polite");
  });

  test("one who reloads finds the history, and reads who is muted", async () => {
    const { ada, ben } = await meet(1, 1);
    await ada.say("one");
    await ada.say("two");
    await ben.hears("Ada: one", "Ada: two");
    await ada.moderate("Ben", "mute");
    await ben.find("chat-note").getByText("A moderator muted you").waitFor();
    expect(await ben.find("chat-field").isDisabled()).toBe(true);
    for (const one of [ada, ben]) await one.page.reload();
    await ada.enterHere("Ada");
    await ben.enterHere("Ben");
    await ben.hears("Ada: one", "Ada: two");
    await ben.find("chat-note").getByText("A moderator muted you").waitFor();
    await waitFor(async () => (await ada.sees()).join("; ") === "Ada (you); Ben, muted", {
      what: "Ben in the list, once and muted",
    });
    await ada.moderate("Ben", "unmute");
    await waitFor(() => ben.find("chat-field").isEnabled(), { what: "Ben's field" });
    await ben.say("three");
    await ada.hears("Ada (you): one", "Ada (you): two", "Ben: three");
  });

  test("one whom a moderator sends out is told, and may come back; a banned one may not", async () => {
    const { ada, ben, cleo } = await meet(1, 2);
    await cleo.sees();
    expect(await cleo.find("moderate").count()).toBe(0);
    await ada.moderate("Ben", "kick");
    await ben.page.locator('[data-testid="status"][data-code="kicked"]').waitFor();
    await waitFor(async () => !(await cleo.sees()).includes("Ben"), {
      what: "Ben out",
    });
    await ben.find("enter-again").click();
    await ben.enterHere("Ben");
    await ada.moderate("Ben", "ban");
    await ada.find("moderate-ban-yes").click();
    const told = ben.page.locator('[data-testid="status"][data-code="banned"]');
    await told.waitFor();
    expect(await told.textContent()).toContain("until a moderator lifts the ban");
    expect(await ben.find("enter-again").count()).toBe(0);
    await ben.page.reload();
    await ben.find("name-input").fill("Ben");
    await ben.find("enter").click();
    await told.waitFor();
    await ada.page.getByRole("button", { name: "Lift the ban of Ben" }).click();
    await ben.enterHere("Ben");
  });

  test("after a dropped connection the chat goes on without doubles, gaps or what was deleted", async () => {
    const ada = await arrive();
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    const ben = await arrive();
    const door = await Doorkeeper.at(ben.page);
    await ben.enter(link, "Ben");
    await ada.say("before");
    await ada.say("regrettable");
    await ben.hears("Ada: before", "Ada: regrettable");
    await door.cut();
    await ben.page.locator('[data-testid="status"][data-state="reconnecting"]').waitFor();
    await ada.say("meanwhile");
    await ada.page.getByRole("button", { name: "Delete “regrettable” by you" }).click();
    await ada.hears("Ada (you): before", "Ada (you): meanwhile");
    await ben.say("from the dark");
    await ben.find("outgoing").getByText("Sending…").waitFor();
    door.shut = false;
    await ben.hears("Ada: before", "Ada: meanwhile", "Ben (you): from the dark");
    await ada.hears("Ada (you): before", "Ada (you): meanwhile", "Ben: from the dark");
    expect(await ben.find("outgoing").count()).toBe(0);
    expect(await ada.sees()).toEqual(["Ada (you)", "Ben"]);
  });

  test("one whose device falls behind is told so, and catches up by itself", async () => {
    const ada = await arrive();
    const door = await Doorkeeper.at(ada.page);
    await ada.enter(await ada.openRoom(gathering.weir.url, 0), "Ada");
    door.withholdsAcks = true;
    door.shut = true;
    // Each is answered, and the server waits for so many acknowledgements only.
    await ada.flood(unreadMax);
    const told = ada.page.locator('[data-testid="status"][data-code="too-slow"]');
    await told.getByText("fell behind").waitFor();
    door.withholdsAcks = false;
    door.shut = false;
    await ada.find("status").getByText("Connected").waitFor();
    await waitFor(async () => (await ada.heard()).includes("Ada (you): 1"), {
      what: "what was said before",
    });
    expect(await ada.sees()).toEqual(["Ada (you)"]);
  });

  test("a session that is taken up elsewhere ends here with the reason, and may be entered again", async () => {
    const ada = await arrive();
    const door = await Doorkeeper.at(ada.page);
    await ada.enter(await ada.openRoom(gathering.weir.url, 0), "Ada");
    await ada.find("status").getByText("Connected").waitFor();
    await waitFor(() => door.hello, { what: "the page's hello" });
    await door.repeatHello();
    await ada.page.locator('[data-testid="status"][data-code="superseded"]').waitFor();
    await ada.find("enter-again").click();
    await ada.enterHere("Ada");
  });

  test("one who writes too fast or too much reads why it was not sent, and can send it then", async () => {
    const { ada } = await meet(0);
    const refused = ada.page.locator('[data-testid="outgoing"][data-state="refused"]');
    await ada.flood(20);
    await refused.first().getByText("Not sent: slow down").waitFor();
    const said = await waitFor(
      async () => {
        const count = await ada.find("message").count();
        return count + (await refused.count()) === 20 && count;
      },
      { what: "an answer to each message" },
    );
    const first = refused.first();
    const text = await first.locator(".said-text").textContent();
    await first.getByRole("button", { name: "Try again", exact: true }).click();
    await waitFor(async () => (await ada.find("message").count()) === said + 1, {
      what: "the message to be taken",
    });
    expect((await ada.heard()).at(-1)).toBe(`Ada (you): ${text}`);
    await ada.find("chat-field").fill("x".repeat(2013));
    await ada.find("chat-note").getByText("take 13 characters away").waitFor();
    await ada.find("chat-field").press("Enter");
    expect(await ada.find("chat-field").inputValue()).toHaveLength(2013);
  });

  test("on a telephone the chat opens over the pictures, counts what was not read, and Escape closes it", async () => {
    const { ada, link } = await meet(1);
    const ben = await arrive(phone);
    await ben.enter(link, "Ben");
    await ada.say("one");
    await ada.say("a".repeat(300));
    await ben.find("unread").getByText("2").waitFor();
    expect(await ben.find("chat-field").isVisible()).toBe(false);
    await ben.find("chat-toggle").click();
    expect(await ben.focusName()).toBe("Message to everyone in the room");
    await ben.page.keyboard.type("read");
    await ben.page.keyboard.press("Enter");
    await ada.hears("Ada (you): one", `Ada (you): ${"a".repeat(300)}`, "Ben: read");
    expect(await ben.fits()).toBe(true);
    await ben.page.keyboard.press("Escape");
    await ben.find("chat-field").waitFor({ state: "hidden" });
    expect(await ben.focusName()).toBe("Chat");
    expect(await ben.find("unread").count()).toBe(0);
  });

  test("who reads further up stays there, and is told of new messages", async () => {
    const { ada, ben } = await meet(0, 1);
    for (let at = 1; at <= 5; at += 1) await ada.say(`line ${at}\n${"\n.".repeat(12)}`);
    await waitFor(async () => (await ben.heard()).length === 5, { what: "five" });
    expect(await ben.find("chat-new").count()).toBe(0);
    await ben.find("chat-log").press("Home");
    await waitFor(() => ben.scrolledTo("chat-log", "top"), { what: "the top" });
    await ada.say("the newest");
    await ben.find("chat-new").waitFor();
    expect(await ben.scrolledTo("chat-log", "top")).toBe(true);
    await ben.find("chat-new").click();
    await waitFor(() => ben.scrolledTo("chat-log", "end"), { what: "the end" });
    expect(await ben.find("chat-new").count()).toBe(0);
    await ada.say("and another");
    await waitFor(async () => (await ben.heard()).length === 7, { what: "all" });
    await waitFor(() => ben.scrolledTo("chat-log", "end"), { what: "the end again" });
  });

  test("a room of tier 0 is a chat: nobody can go live, and the page says so", async () => {
    const { ada, link } = await meet(0);
    const ben = await arrive(phone);
    await ben.enter(link, "Ben");
    for (const one of [ada, ben]) {
      await one.find("status").getByText("tier 0 has no cameras").waitFor();
      for (const button of ["go-live", "go-live-test", "share-screen", "chat-toggle"]) {
        expect(await one.find(button).count()).toBe(0);
      }
    }
    await ben.say("hello");
    await ada.hears("Ben: hello");
    expect(await ben.fits()).toBe(true);
    await gathering.weir.closeRoom(link.split("/").at(-1) ?? "");
    for (const one of [ada, ben]) {
      await one.page.locator('[data-testid="status"][data-code="room-closed"]').waitFor();
      expect(await one.find("enter-again").count()).toBe(0);
    }
  });
});
