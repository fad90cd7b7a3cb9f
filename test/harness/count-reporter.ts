import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Writes `N passed, N failed` to the file that WEIR_TEST_COUNT names, so that a
 * script can end with it. A file that could not even be loaded counts as failed.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const file = process.env.WEIR_TEST_COUNT;
    if (!file) return;
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      const states = tests.map((test) => test.result().state);
      passed += states.filter((state) => state === "passed").length;
      const failures = states.filter((state) => state === "failed").length;
      failed += failures;
      if (failures === 0 && module.state() === "failed") failed++;
    }
    writeFileSync(file, `${passed} passed, ${failed} failed\n`);
  }
}
