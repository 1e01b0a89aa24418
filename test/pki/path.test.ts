// Paths to a trust anchor: which ones are valid, and the codes of those that are refused. OpenSSL judges the
// same chains.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { readChainCertificate } from '../../src/pki/chain-certificate.ts'
import { findPath } from '../../src/pki/path.ts'
import { trustIn } from '../../src/pki/trust.ts'
import { PURPOSES } from '../../src/x509/oid.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import type { Chain, ChainCase } from './chains.ts'
import { CONSTRAINT_CASES } from './constraint-cases.ts'
import { NOW, pemOf } from './making.ts'
import { AUTHORITIES, EXTENSIONS_OF, PURPOSE } from './rule-cases.ts'
import { STRENGTH } from './strength-cases.ts'
import { TIMES, TRUST } from './trust-cases.ts'

const run = promisify(execFile)

/** Countersign’s verdict: the code of the refusal, or `valid`. */
const verdictOn = async ({ leaf, others = [], anchors }: Chain): Promise<string> => {
  const read = (list: Chain['anchors']) => list.map(({ der }) => readChainCertificate(der))
  const [certificate] = read([leaf])
  assert.ok(certificate)
  const rules = { purposes: [PURPOSES.clientAuth] }
  const trust = trustIn(read(anchors), [])
  const result = await findPath(certificate, read(others), trust, rules, NOW * 1_000)
  if (result.outcome === 'invalid') return result.code
  assert.equal(result.path[0], certificate)
  return result.outcome
}

/** Whether OpenSSL would take it for a client. Level 2: 2048 bits of RSA, and no SHA-1. */
const doesOpensslAccept = async (chain: Chain): Promise<boolean> => {
  await using folder = await temporaryFolder()
  const [leaf, others, anchors] = ['leaf.pem', 'others.pem', 'anchors.pem'].map((file) =>
    folder.file(file),
  )
  assert.ok(leaf !== undefined && others !== undefined && anchors !== undefined)
  await writeFile(leaf, pemOf(chain.leaf))
  await writeFile(others, pemOf(...(chain.others ?? [])))
  await writeFile(anchors, pemOf(...chain.anchors))
  const untrusted =
    chain.others === undefined || chain.others.length === 0 ? [] : ['-untrusted', others]
  const flags = ['-purpose', 'sslclient', '-auth_level', '2', '-attime', String(NOW)]
  return await run('openssl', [
    'verify',
    ...flags,
    '-no-CApath',
    '-CAfile',
    anchors,
    ...untrusted,
    leaf,
  ]).then(
    () => true,
    () => false,
  )
}

const suite = (title: string, cases: readonly ChainCase[]): void => {
  describe(title, { concurrency: 2 }, () => {
    for (const { name, make, want, stricter, found } of cases) {
      const difference = stricter ?? found
      it(`${name}: ${want}${difference === undefined ? '' : ` (OpenSSL decides otherwise: ${difference})`}`, async () => {
        const chain = make()
        assert.equal(await verdictOn(chain), want)
        const isValid = want === 'valid'
        assert.equal(await doesOpensslAccept(chain), isValid !== (difference !== undefined))
        assert.ok(isValid ? stricter === undefined : found === undefined)
      })
    }
  })
}

suite('a certificate', [...TRUST, ...TIMES, ...PURPOSE, ...AUTHORITIES])
suite('with extensions: a certificate', EXTENSIONS_OF)
suite('by strength: a certificate', STRENGTH)
suite('under name constraints', CONSTRAINT_CASES)
