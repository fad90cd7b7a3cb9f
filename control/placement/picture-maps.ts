/** Adds an item to the list under a key, making the list where there is none. */
export function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** Adds an item to the set under a key, making the set where there is none. */
export function addToSet<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  if (set) set.add(item);
  else sets.set(key, new Set([item]));
}

/** Takes an item out of the set under a key; an empty set goes with it. */
export function dropFromSet<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  set?.delete(item);
  if (set?.size === 0) sets.delete(key);
}

/** Sets a number under two keys; 0 removes it, so that only what counts is kept. */
export function setOrDelete(
  maps: Map<string, Map<string, number>>,
  outer: string,
  inner: string,
  value: number,
): void {
  let map = maps.get(outer);
  if (value === 0) {
    map?.delete(inner);
    if (map?.size === 0) maps.delete(outer);
    return;
  }
  if (!map) {
    map = new Map();
    maps.set(outer, map);
  }
  map.set(inner, value);
}
