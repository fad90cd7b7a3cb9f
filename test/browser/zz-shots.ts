import { findBrowser, Person, startBrowser } from "./people.ts";

const url = process.argv[2] ?? "";
const browser = await startBrowser(findBrowser() ?? "");
const out = "/tmp/chatui";
const say = async (p: Person, text: string) => {
  await p.find("chat-field").fill(text);
  await p.page.keyboard.press("Enter");
};
try {
  const ada = await Person.arrive(browser);
  const link = await ada.openRoom(url, 2);
  await ada.enter(link, "Ada");
  await ada.page.screenshot({ path: `${out}/empty.png` });
  await ada.goLive("go-live-test");
  const others: Person[] = [];
  for (const name of ["Bruno", "Chidi", "Mei"]) {
    const p = await Person.arrive(browser);
    await p.enter(link, name);
    await p.goLive("go-live-test");
    others.push(p);
  }
  const [bruno, chidi, mei] = others as [Person, Person, Person];
  await ada.seesMoving(3);
  await say(bruno, "Morning! Sound and picture are fine here.");
  await say(chidi, "Same. Which host am I on?");
  await say(ada, "Look at the strip below: your pipe goes to the second worker.");
  await say(ada, "One point holds six of us.");
  await say(mei, "So a seventh viewer opens the next point?");
  await say(bruno, "Right, and it goes back when they leave.");
  await ada.page.waitForTimeout(1500);
  await ada.page.screenshot({ path: `${out}/desktop.png` });
  await ada.page.emulateMedia({ colorScheme: "dark" });
  await ada.page.screenshot({ path: `${out}/desktop-dark.png` });
  await ada.find("people-toggle").click();
  await ada.find("moderate").first().click();
  await ada.page.screenshot({ path: `${out}/people-dark.png` });
  await ada.find("moderate-ban").first().click();
  await ada.page.emulateMedia({ colorScheme: "light" });
  await ada.page.screenshot({ path: `${out}/people-ban.png` });
  await ada.page.keyboard.press("Escape");
  for (let i = 0; i < 10; i++) await say(ada, `quick ${i} ${"x".repeat(i * 9)}`);
  await ada.page.waitForTimeout(600);
  await ada.page.screenshot({ path: `${out}/slow.png` });
  const phone = await Person.arrive(browser, { width: 360, height: 740 });
  await phone.enter(link, "Somebody With A Rather Long Name");
  await phone.page.waitForTimeout(1500);
  await phone.page.screenshot({ path: `${out}/phone.png` });
  console.log("fits", await phone.fits());
  await phone.find("chat-toggle").click();
  await phone.page.waitForTimeout(300);
  await say(phone, "Hello from a telephone " + "verylongword".repeat(12));
  await phone.page.waitForTimeout(500);
  await phone.page.screenshot({ path: `${out}/phone-chat.png` });
  await phone.page.keyboard.press("Escape");
  await phone.find("people-toggle").click();
  await phone.page.emulateMedia({ colorScheme: "dark" });
  await phone.page.screenshot({ path: `${out}/phone-people-dark.png` });
  console.log("fits", await phone.fits());
  // kicked
  await ada.find("people-toggle").click();
  await ada.page.locator('[data-identity="Chidi"] [data-testid="moderate"]').click();
  await ada.find("moderate-kick").click();
  await chidi.find("enter-again").waitFor();
  await chidi.page.screenshot({ path: `${out}/kicked.png` });
  // tier 0
  const t0 = await Person.arrive(browser);
  const l0 = await t0.openRoom(url, 0);
  await t0.page.screenshot({ path: `${out}/door.png` });
  await t0.enter(l0, "Ada");
  const t1 = await Person.arrive(browser, { width: 360, height: 740 });
  await t1.enter(l0, "Ben");
  await say(t0, "Hello");
  await say(t1, "Hello to you\nwith a second line");
  await t0.page.waitForTimeout(500);
  await t0.page.screenshot({ path: `${out}/tier0.png` });
  await t1.page.screenshot({ path: `${out}/tier0-phone.png` });
  for (const p of [ada, bruno, chidi, mei, phone, t0, t1]) console.log(p.complaints);
} finally {
  await browser.close();
}
