// `workers`: the addresses and files of each process, and configurations of which there can be one process only.

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { formatProblem } from '../../src/config/problem.ts'
import { formatAddress } from '../../src/config/values.ts'
import { parseConfig } from '../../src/configuration/parse.ts'
import type { Config } from '../../src/configuration/schema.ts'
import {
  authzAddresses,
  configOfWorker,
  issuerAddresses,
  workerCount,
  workerPath,
} from '../../src/configuration/workers.ts'

const FILE = '/etc/countersign/countersign.yaml'

const BASE = {
  version: 1,
  listen: { authz: 'unix:/run/authz.sock' },
  workers: 3,
  authenticators: { any: { anonymous: {} } },
  routes: [{ name: 'app', authenticate: ['any'], authorize: [{ allow: 'all' }] }],
}

const parse = (more: object): Config => {
  const result = parseConfig(FILE, stringify({ ...BASE, ...more }))
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'))
  return result.config
}

const problemsOf = (more: object): readonly string[] => {
  const result = parseConfig(FILE, stringify({ ...BASE, ...more }))
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('the names of workers', () => {
  const PATHS = [
    { path: '/run/authz.sock', index: 0, want: '/run/authz.sock' },
    { path: '/run/authz.sock', index: 2, want: '/run/authz-2.sock' },
    { path: '/var/log/audit.jsonl', index: 1, want: '/var/log/audit-1.jsonl' },
    { path: '/run.d/authz', index: 1, want: '/run.d/authz-1' },
    { path: '/run/.hidden', index: 1, want: '/run/.hidden-1' },
  ]
  for (const { path, index, want } of PATHS) {
    it(`have the index before the extension: ${path}, worker ${index}`, () => {
      assert.equal(workerPath(path, index), want)
    })
  }

  const ADDRESSES = [
    {
      name: 'sockets',
      more: {},
      want: ['unix:/run/authz.sock', 'unix:/run/authz-1.sock', 'unix:/run/authz-2.sock'],
    },
    {
      name: 'ports',
      more: { listen: { authz: '127.0.0.1:9001' } },
      want: ['127.0.0.1:9001', '127.0.0.1:9002', '127.0.0.1:9003'],
    },
    {
      name: 'one address of Envoy',
      more: { envoy: envoyWith('authz.internal:9001') },
      want: ['authz.internal:9001', 'authz.internal:9002', 'authz.internal:9003'],
    },
    {
      name: 'a list of Envoy, which is taken as it is',
      more: { envoy: envoyWith(['a.internal:1', 'b.internal:1']) },
      want: ['a.internal:1', 'b.internal:1'],
    },
  ]
  for (const { name, more, want } of ADDRESSES) {
    it(`follow from ${name}`, () => {
      assert.deepEqual(authzAddresses(parse(more)).map(formatAddress), want)
    })
  }

  it('are those of the configuration where there is one', () => {
    const config = parse({ workers: 1 })
    assert.deepEqual(authzAddresses(config).map(formatAddress), ['unix:/run/authz.sock'])
    assert.deepEqual(issuerAddresses(config), [])
  })
})

function envoyWith(authzAddress: unknown): object {
  return {
    authzAddress,
    listener: { address: '0.0.0.0:443', certificate: 'c.pem', key: 'k.pem' },
    upstreams: { app: { address: '127.0.0.1:3000' } },
  }
}

describe('the configuration of a worker', () => {
  it('has its own addresses and audit file, and its part of what unauthenticated callers may fill', () => {
    const config = parse({
      listen: { authz: '127.0.0.1:9001', debug: 'unix:/run/debug.sock' },
      audit: { file: '/var/log/audit.jsonl' },
    })
    const { listen, audit } = configOfWorker(config, { index: 2, count: 3 })
    assert.equal(formatAddress(listen.authz.address), '127.0.0.1:9003')
    assert.equal(listen.debug && formatAddress(listen.debug.address), 'unix:/run/debug.sock.2')
    assert.equal(listen.debug?.mode, '0600')
    assert.equal(audit.file, '/var/log/audit-2.jsonl')
    const [own, all] = [audit.unauthenticated, config.audit.unauthenticated]
    assert.ok(own !== 'unlimited' && all !== 'unlimited')
    assert.equal(own.total.perSecond, Math.ceil(all.total.perSecond / 3))
    assert.equal(own.source.burst, Math.ceil(all.source.burst / 3))
  })
})

describe('the number of workers', () => {
  it('is with `auto` that of the CPUs that the process may use', () => {
    assert.equal(workerCount('auto'), availableParallelism())
    assert.equal(workerCount(5), 5)
  })
})

describe('several workers', () => {
  const PASSWORDS = { staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } } }
  const REFUSED = [
    {
      name: 'lock-outs in memory',
      more: { authenticators: { ...BASE.authenticators, ...PASSWORDS } },
      want: /^workers: more than one needs "state" in "sqlite" or "redis".*lock-outs \("authenticators\.staff"\)$/,
    },
    {
      name: 'lock-outs in memory, with auto',
      more: { workers: 'auto', authenticators: { ...BASE.authenticators, ...PASSWORDS } },
      want: /^workers: more than one needs "state"/,
    },
    {
      name: 'DPoP proofs in memory',
      more: {
        authenticators: {
          ...BASE.authenticators,
          token: { bearer: { issuer: 'https://id.example.org', audiences: ['a'], dpop: {} } },
        },
      },
      want: /used DPoP proofs \("authenticators\.token\.bearer\.dpop"\)$/,
    },
    {
      name: 'a port of another listener',
      more: { listen: { authz: '127.0.0.1:9001', admin: '127.0.0.1:9003' } },
      want: /^workers: listen\.authz takes the ports 9001 to 9003, of which listen\.admin has one/,
    },
    {
      name: 'a port that does not exist',
      more: { listen: { authz: '127.0.0.1:65534' } },
      want: /^workers: listen\.authz: there is no port 65536 for the last worker$/,
    },
    {
      name: 'a socket whose name would be too long',
      more: { listen: { authz: `unix:/run/${'a'.repeat(102)}` } },
      want: /is too long for a UNIX socket/,
    },
    {
      name: 'an audit file without an extension',
      more: { audit: { file: '/var/log/audit' } },
      want: /^workers: audit\.file needs an extension, such as \/var\/log\/audit\.jsonl,/,
    },
    {
      name: 'no worker at all',
      more: { workers: 0 },
      want: /^workers: must be at least 1$/,
    },
  ]
  for (const { name, more, want } of REFUSED) {
    it(`are refused with ${name}`, () => {
      const [problem = 'none', ...others] = problemsOf(more)
      assert.match(problem, want)
      assert.deepEqual(others, [])
    })
  }

  const ACCEPTED = [
    { name: 'lock-outs in a file', more: { state: { sqlite: 'state.db' } }, passwords: true },
    { name: 'nothing that is counted', more: {}, passwords: false },
  ]
  for (const { name, more, passwords } of ACCEPTED) {
    it(`are accepted with ${name}`, () => {
      const authenticators = { ...BASE.authenticators, ...(passwords ? PASSWORDS : {}) }
      assert.deepEqual(problemsOf({ ...more, authenticators }), [])
    })
  }
})
