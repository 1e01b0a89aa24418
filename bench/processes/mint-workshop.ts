// Everything that minting needs, prepared before it is measured: a CA, grants of many identities and their
// handles, keys.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import type { CertificateAuthority } from '../../src/ca/certificate-authority.ts'
import { CertificateIssuer } from '../../src/ca/issuer.ts'
import { keySource, type KeySource, type MintedKey } from '../../src/ca/key-pool.ts'
import { mint, randomSerial, type Minting } from '../../src/ca/mint.ts'
import { buildSigner, SignerResources, type Authority } from '../../src/ca/snapshot.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import type { Grant } from '../../src/grant/grant.ts'
import type { GrantSeal } from '../../src/grant/seal.ts'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createLogger } from '../../src/runtime/logger.ts'
import { makeCa, type TestCa } from '../../test/ca/authorities.ts'
import { grantOf, subjectOf } from '../../test/fakes/grant.ts'
import type { MintingQuestion } from '../certificates/minting.ts'
import { GROUPS, userNames } from '../site.ts'

/** One certificate, with everything that it was made from. */
export interface Job {
  readonly user: string
  readonly handle: string
  readonly key: MintedKey
  readonly minting: Minting
  readonly certificate: Buffer
  /** What was signed. */
  readonly tbs: Buffer
  /** The CA, but with a signature that is there already. */
  readonly signedBefore: CertificateAuthority
}

/** What is measured. */
export interface Workshop {
  readonly ca: TestCa
  readonly seal: GrantSeal
  readonly authority: Authority
  readonly jobs: readonly Job[]
  /** Makes each key when it is requested. */
  readonly source: KeySource
  /** Issues with keys that are there already. */
  readonly issuer: CertificateIssuer
}

const CA_NAME = 'bench'

/** Makes a workshop, by way of a signer's configuration. */
export const prepareWorkshop = async (question: MintingQuestion): Promise<Workshop> => {
  const { algorithm, certificates, keys, folder } = question
  const ca = await makeCa({ kind: algorithm })
  const file = await writeConfiguration(folder, ca, algorithm)
  const resources = new SignerResources(systemClock)
  const snapshot = await buildSigner(file, new ConfigurationFiles(), resources)
  const authority = snapshot.authorities.get(CA_NAME)
  if (authority === undefined) throw new Error('the configuration has no CA')
  const source = keySource(algorithm)
  source[Symbol.dispose]() // from now on it makes none ahead
  const ready = await Promise.all(Array.from({ length: keys }, () => source.take()))
  const jobs = await Promise.all(
    userNames(certificates).map((user, index) =>
      jobOf(user, keyAt(ready, index), snapshot.seal, authority.ca),
    ),
  )
  const equipped = { ...authority, keys: inTurn(ready) }
  const value = { ...snapshot, authorities: new Map([[CA_NAME, equipped]]) }
  const issuer = new CertificateIssuer({
    current: () => ({ value, generation: 1 }),
    refresh: async () => undefined,
    audit: new JsonLinesSink(join(folder, 'issued.jsonl')),
    logger: createLogger('warn'),
    clock: systemClock,
  })
  return { ca, seal: snapshot.seal, authority, jobs, source, issuer }
}

const writeConfiguration = async (
  folder: string,
  ca: TestCa,
  keys: MintingQuestion['algorithm'],
): Promise<string> => {
  await mkdir(folder)
  const file = join(folder, 'signer.yaml')
  await writeFile(join(folder, 'ca.pem'), ca.certificate)
  const key = ca.key.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(join(folder, 'ca.key'), key, { mode: 0o600 })
  await writeFile(join(folder, 'grant.keys'), newGrantKeyLine(), { mode: 0o600 })
  const rate = { perSecond: 1_000_000, burst: 1_000_000 }
  const configuration = {
    version: 1,
    listen: 'unix:signer.sock',
    authorities: {
      [CA_NAME]: { certificate: 'ca.pem', key: 'file:ca.key', keys, limits: { rate } },
    },
  }
  await writeFile(file, stringify(configuration))
  return file
}

const grantFor = (user: string): Grant => {
  const now = Math.floor(systemClock.now() / 1_000)
  return grantOf({
    authority: CA_NAME,
    subject: subjectOf(['CN', user], ...GROUPS.map((group) => ['O', group] as const)),
    notBefore: now - 300,
    notAfter: now + 3_600,
    renewAt: now + 1_800,
  })
}

const jobOf = async (
  user: string,
  key: MintedKey,
  seal: GrantSeal,
  authority: CertificateAuthority,
): Promise<Job> => {
  const grant = grantFor(user)
  const sealing = seal.seal(grant)
  if (sealing.outcome !== 'sealed') throw new Error('the grant is too large')
  let signed: { readonly tbs: Buffer; readonly signature: Buffer } | undefined
  const { certificate: authorityCertificate, chain, signatureAlgorithm } = authority
  const common = { certificate: authorityCertificate, chain, signatureAlgorithm }
  const minting = { grant, authority, serial: randomSerial(), publicKey: key.publicKey }
  const listening: CertificateAuthority = {
    ...common,
    async sign(tbs) {
      signed = { tbs, signature: await authority.sign(tbs) }
      return signed.signature
    },
  }
  const certificate = await mint({ ...minting, authority: listening })
  if (signed === undefined) throw new Error('nothing was signed')
  const { tbs, signature } = signed
  const signedBefore: CertificateAuthority = { ...common, sign: async () => signature }
  return { user, handle: sealing.handle, key, minting, certificate, tbs, signedBefore }
}

const keyAt = (keys: readonly MintedKey[], index: number): MintedKey => {
  const key = keys[index % keys.length]
  if (key === undefined) throw new RangeError('no key')
  return key
}

/** Hands out the same keys again and again, which nothing but a bench may. */
const inTurn = (keys: readonly MintedKey[]): KeySource => {
  let taken = 0
  return {
    take: async () => keyAt(keys, taken++),
    prepare: () => undefined,
    [Symbol.dispose]: () => undefined,
  }
}
