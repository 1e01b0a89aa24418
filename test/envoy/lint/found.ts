// What the lint says, as far as tests compare it.

import assert from 'node:assert/strict'
import { lint, type LintOptions } from '../../../src/envoy/lint/lint.ts'
import type { Severity } from '../../../src/envoy/lint/rule.ts'
import { formatPath } from '../../../src/config/yaml-position.ts'

/** A finding, without its words. */
export interface Found {
  readonly rule: string
  readonly severity: Severity
  readonly at: string
}

/** What is found in a configuration, which must be one. */
export const found = (text: string, options: LintOptions = {}): readonly Found[] => {
  const result = lint(text, options)
  assert.ok(result.ok)
  return result.findings.map(({ rule, severity, path }) => ({
    rule,
    severity,
    at: formatPath(path),
  }))
}
