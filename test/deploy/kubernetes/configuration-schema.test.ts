// The schemas of countersign.yaml and signer.yaml in that of the chart's values: Helm accepts what the commands accept,
// and names the key that it refuses.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { render, skipWithoutHelm } from './rendered.ts'

const CONFIGURATION = join(import.meta.dirname, '../../configuration')
const SIGNER = {
  enabled: true,
  config: {
    authorities: {
      kube: { certificate: 'ca.pem', key: 'file:ca.key', limits: { lifetime: '1h' } },
    },
    maxStreams: 10,
    log: { level: 'debug' },
  },
}

/** A configuration without what the chart writes. */
const written = async (file: string): Promise<Record<string, unknown>> => {
  const {
    listen: _,
    state: __,
    certificateGrants: ___,
    ...rest
  } = z
    .record(z.string(), z.unknown())
    .parse(parse(await readFile(join(CONFIGURATION, file), 'utf8')))
  return rest
}

const ROUTE = { name: 'app', authenticate: ['staff'], authorize: [{ allow: 'everyone' }] }

const REFUSED: readonly { name: string; values: object; want: RegExp }[] = [
  { name: 'a section', values: { config: { rutes: [] } }, want: /'\/config': .*'rutes' not/ },
  {
    name: 'a key of a route',
    values: { config: { routes: [{ ...ROUTE, forward: { header: 'kubernetes' } }] } },
    want: /'\/config\/routes\/0\/forward': .*'header' not allowed/,
  },
  {
    name: 'a kind of authenticator',
    values: { config: { authenticators: { staff: { basik: {} } } } },
    want: /'\/config\/authenticators\/staff': .*'basik' not allowed/,
  },
  {
    name: 'a key of the listener of Envoy',
    values: { config: { envoy: { listener: { trustedHop: 1 } } } },
    want: /'\/config\/envoy\/listener': .*'trustedHop' not allowed/,
  },
  {
    name: 'a section of signer.yaml',
    values: { signer: { config: { autorities: {} } } },
    want: /'\/signer\/config': .*'autorities' not allowed/,
  },
]

describe('the schema of the values', { skip: skipWithoutHelm() }, () => {
  it('accepts the configuration that has every key', async () => {
    // The chart opens the ports of workers, and so has a value of its own for their number.
    const { workers, ...config } = await written('full.yaml')
    const values = {
      config,
      authz: { workers },
      signer: SIGNER,
      state: { kind: 'redis' },
      apiServer: { tokenReview: true, subjectAccessReview: true },
    }
    const { configMaps } = await render({ values })
    const rendered = parse(configMaps['countersign-config']?.['countersign.yaml'] ?? '')
    assert.deepEqual(rendered.routes, config['routes'])
    assert.deepEqual(rendered.authenticators, config['authenticators'])
  })

  for (const { name, values, want } of REFUSED) {
    it(`names ${name} that does not exist`, async () => {
      await assert.rejects(render({ values }), want)
    })
  }
})
