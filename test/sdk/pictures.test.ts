import { expect, test } from "vitest";
import { pickPictures } from "#control/web/sdk/pick-pictures.ts";
import { layerFor } from "#control/web/sdk/picture-size.ts";

const full = { width: 1280, height: 720 };

test.each([
  ["a thumbnail", 160, 90, 0],
  ["a tile as high as the smallest layer", 320, 180, 0],
  ["a tile a little larger, where stretching does not show", 390, 220, 0],
  ["a quarter of a page", 640, 360, 1],
  ["the whole page", 1280, 720, 2],
  ["more than there is", 3840, 2160, 2],
  ["a box that is wide and low, which the picture fills", 1280, 200, 2],
])("%s gets the lowest layer that fills it", (_, width, height, layer) => {
  expect(layerFor({ width, height }, 3, full)).toBe(layer);
});

test("a picture of one layer has nothing to choose from", () => {
  expect(layerFor({ width: 10, height: 10 }, 1, full)).toBe(0);
});

function camera(id: string) {
  return { id, sessionId: id, identity: id, media: "camera" as const, tracks: [] };
}

const crowd = Array.from({ length: 47 }, (_, at) => camera(`c${at}`));
const screen = { ...camera("screen"), media: "screen" as const };
const nobody = {
  pinned: () => false,
  inSight: () => true,
  speakers: [],
  picturesMax: 12,
};

test("everyone's picture is shown while there are no more than may be", () => {
  const broadcasts = crowd.slice(0, 12);
  expect(pickPictures({ ...nobody, broadcasts }).size).toBe(12);
});

test("in a crowd those are shown who spoke last, then who was there first", () => {
  const speakers = ["c40", "c3", "c41"];
  const picked = pickPictures({ ...nobody, broadcasts: crowd, speakers });
  expect(picked).toEqual(
    new Set(["c40", "c3", "c41", "c0", "c1", "c2", "c4", "c5", "c6", "c7", "c8", "c9"]),
  );
});

test("what is pinned is shown whoever speaks, and a screen takes no camera's place", () => {
  const picked = pickPictures({
    ...nobody,
    broadcasts: [...crowd, screen],
    pinned: (id) => id === "c46",
    speakers: ["c45", "c44"],
    picturesMax: 2,
  });
  expect(picked).toEqual(new Set(["screen", "c46", "c45"]));
});

test("who is scrolled into sight is shown before those who spoke and are out of it", () => {
  const picked = pickPictures({
    ...nobody,
    broadcasts: crowd,
    inSight: (id) => ["c30", "c31", "c32"].includes(id),
    speakers: ["c1", "c32"],
    picturesMax: 4,
  });
  expect(picked).toEqual(new Set(["c30", "c31", "c32", "c1"]));
});

test("a speaker who has left is passed over", () => {
  const picked = pickPictures({
    ...nobody,
    broadcasts: crowd,
    speakers: ["gone", "c20"],
    picturesMax: 1,
  });
  expect(picked).toEqual(new Set(["c20"]));
});
