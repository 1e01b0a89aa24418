// Paths to a trust anchor: which ones are valid, and the codes of those that are refused. OpenSSL judges the
// same chains.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { before, describe, it } from 'node:test'
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

/** Reads arguments, one command in a line; a shell starts them in a fraction of the time that a test's process takes. */
const VERIFY_EACH =
  'while read -r arguments; do if openssl verify $arguments </dev/null >/dev/null 2>&1; then echo yes; else echo no; fi; done'
/** Level 2: 2048 bits of RSA, and no SHA-1. */
const FLAGS = ['-purpose', 'sslclient', '-auth_level', '2', '-attime', String(NOW), '-no-CApath']

/** Whether OpenSSL would take each for a client. */
const doesOpensslAccept = async (chains: readonly Chain[]): Promise<readonly boolean[]> => {
  await using folder = await temporaryFolder()
  const commands = await Promise.all(
    chains.map(async ({ leaf, others = [], anchors }, index) => {
      const write = async (name: string, certificates: Chain['anchors']): Promise<string> => {
        const file = folder.file(`${index}-${name}.pem`)
        await writeFile(file, pemOf(...certificates))
        return file
      }
      const trusted = ['-CAfile', await write('anchors', anchors)]
      const untrusted = others.length === 0 ? [] : ['-untrusted', await write('others', others)]
      return [...FLAGS, ...trusted, ...untrusted, await write('leaf', [leaf])].join(' ')
    }),
  )
  const shell = spawn('sh', ['-c', VERIFY_EACH], { stdio: ['pipe', 'pipe', 'inherit'] })
  shell.stdin.end(`${commands.join('\n')}\n`)
  const verdicts = (await text(shell.stdout)).trimEnd().split('\n')
  assert.equal(verdicts.length, chains.length)
  return verdicts.map((verdict) => verdict === 'yes')
}

const suite = (title: string, cases: readonly ChainCase[]): void => {
  describe(title, () => {
    let chains: readonly Chain[] = []
    let isAccepted: readonly boolean[] = []
    before(async () => {
      chains = cases.map(({ make }) => make())
      isAccepted = await doesOpensslAccept(chains)
    })
    for (const [index, { name, want, stricter, found }] of cases.entries()) {
      const difference = stricter ?? found
      it(`${name}: ${want}${difference === undefined ? '' : ` (OpenSSL decides otherwise: ${difference})`}`, async () => {
        const chain = chains[index]
        assert.ok(chain)
        assert.equal(await verdictOn(chain), want)
        const isValid = want === 'valid'
        assert.equal(isAccepted[index], isValid !== (difference !== undefined))
        assert.ok(isValid ? stricter === undefined : found === undefined)
      })
    }
  })
}

suite('a certificate', [...TRUST, ...TIMES, ...PURPOSE, ...AUTHORITIES])
suite('with extensions: a certificate', EXTENSIONS_OF)
suite('by strength: a certificate', STRENGTH)
suite('under name constraints', CONSTRAINT_CASES)
