// A configuration whose servers a test names, and what `countersign doctor` says about them.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { Finding } from '../../../src/tools/doctor/examination.ts'
import { countersign } from '../../cli/run.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'

/** What is configured: sections of `authenticators`, and further keys of the document. */
export interface Site {
  readonly authenticators?: Readonly<Record<string, object>>
  readonly more?: Readonly<Record<string, unknown>>
  /** For each server. Default: long, since the machine may be busy. */
  readonly timeout?: string
  /** Of the only route. */
  readonly route?: Readonly<Record<string, unknown>>
}

/** The findings by area; of several in one area, the first. The command's status and its findings agree. */
export const diagnose = async (
  folder: TemporaryFolder,
  { authenticators = {}, more = {}, route = {}, timeout = '10s' }: Site,
): Promise<Readonly<Partial<Record<Finding['area'], Finding>>>> => {
  const names = Object.keys(authenticators)
  const config = {
    version: 1,
    listen: { authz: 'unix:authz.sock' },
    authenticators: names.length > 0 ? authenticators : { any: { anonymous: {} } },
    routes: [
      {
        name: 'app',
        authenticate: names.length > 0 ? names : ['any'],
        authorize: [{ allow: 'all' }],
        ...route,
      },
    ],
    ...more,
  }
  const file = folder.file('countersign.yaml')
  await writeFile(file, JSON.stringify(config))
  const { status, stdout, stderr } = await countersign([
    'doctor',
    '--config',
    file,
    '--json',
    '--timeout',
    timeout,
  ])
  assert.equal(stderr, '')
  const findings: readonly Finding[] = JSON.parse(stdout)
  assert.equal(status, findings.some(({ outcome }) => outcome === 'error') ? 1 : 0)
  for (const { outcome, remedy } of findings) {
    assert.equal(remedy !== undefined, outcome === 'error' || outcome === 'warning')
  }
  return Object.fromEntries(findings.toReversed().map((finding) => [finding.area, finding]))
}
