import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line, `tests: N passed, N failed, N skipped`, and names every skipped test with its reason. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    _: readonly unknown[],
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      if (module.state() === 'failed' && module.children.size === 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') counts.passed += 1;
        else if (result.state === 'failed') counts.failed += 1;
        else {
          counts.skipped += 1;
          const reason = 'note' in result && result.note ? result.note : 'no reason given';
          console.log(`skipped: ${test.fullName}: ${reason}`);
        }
      }
    }
    // The server of the tests on PostgreSQL ends the process by a hook of its own, with 0 whatever was found.
    if (reason !== 'passed')
      process.once('exit', () => {
        process.exitCode = 1;
      });
    console.log(`tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
