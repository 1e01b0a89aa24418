import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseVersion } from '../../src/envoy/version.ts'

describe('the version of Envoy', () => {
  const CASES: readonly { output: string; want: readonly number[] | undefined }[] = [
    {
      output: '\n./envoy  version: 9e5580933739775e8b/1.40.0/Clean/RELEASE/BoringSSL\n\n',
      want: [1, 40, 0],
    },
    { output: 'envoy  version: 0ebfcfe5/1.38.3/Modified/RELEASE/BoringSSL', want: [1, 38, 3] },
    { output: 'envoy  version: 0/1.41.0-dev/Clean/RELEASE/BoringSSL', want: [1, 41, 0] },
    { output: 'nginx version: nginx/1.27.0', want: undefined },
    { output: '', want: undefined },
  ]
  for (const { output, want } of CASES) {
    it(`of ${JSON.stringify(output)} is ${String(want)}`, () => {
      assert.deepEqual(parseVersion(output), want)
    })
  }
})
