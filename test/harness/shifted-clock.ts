/*
 * Loaded before a program (`node --import`), it lets the program live at another
 * time, as on a host whose clock is wrong: WEIR_TEST_CLOCK_OFFSET_MS later.
 */
const offsetMs = Number(process.env.WEIR_TEST_CLOCK_OFFSET_MS ?? 0);
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct(target, args) {
    const given = args.length > 0 ? args : [target.now() + offsetMs];
    return Reflect.construct(target, given);
  },
  apply: (target) => new target(target.now() + offsetMs).toString(),
  get: (target, name) =>
    name === "now" ? () => target.now() + offsetMs : Reflect.get(target, name),
});
