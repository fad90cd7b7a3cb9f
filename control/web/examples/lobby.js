/**
 * A room and a join token for these examples. An open lobby gives both to anyone;
 * elsewhere your backend opens rooms and mints tokens with its API key, and the
 * page only fetches a token from it.
 */
export async function roomAndToken(identity) {
  const address = new URL(location.href);
  let roomId = address.searchParams.get("room");
  if (!roomId) {
    roomId = (await post("/v1/lobby/rooms", { tier: 1 })).id;
    address.searchParams.set("room", roomId);
    history.replaceState(null, "", address);
  }
  const token = async () =>
    (await post(`/v1/lobby/rooms/${roomId}/tokens`, { identity })).token;
  return { roomId, token };
}

/** Says how things stand, in the page's one line for it. */
export function say(text) {
  document.querySelector("#status").textContent = text;
}

/** Links to the other examples, with the same room. */
export function linkOthers() {
  for (const link of document.querySelectorAll("nav a")) link.search = location.search;
}

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (answer.ok) return said;
  throw new Error(said.detail ?? said.title ?? `The server answered ${answer.status}.`);
}
