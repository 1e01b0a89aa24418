// The signer's configuration, built: made whole before anything is issued by it, and never changed
// afterwards.

import type { ConfigurationFiles } from '../config/files.ts'
import { ProblemList } from '../config/problem-list.ts'
import { readForgingSecret } from '../config/secret.ts'
import type { KeyAlgorithm } from '../keys/key-algorithm.ts'
import type { AuthorityConfig, SignerConfig } from './schema.ts'
import { readSignerConfig } from './parse.ts'
import { readGrantSeal } from '../grant/keyring.ts'
import type { GrantSeal } from '../grant/seal.ts'
import type { Clock } from '../runtime/clock.ts'
import { readAuthorityChain } from './authority-certificate.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { FileCa, readAuthorityKey } from './file-ca.ts'
import { keySource, type KeySource, type KeyStock } from './key-pool.ts'
import { Limits } from './limits.ts'
import { AuthorityRate } from './rate-limit.ts'

/** One CA, and what it may do. */
export interface Authority {
  readonly ca: CertificateAuthority
  readonly limits: Limits
  readonly rate: AuthorityRate
  readonly keys: KeySource
  readonly algorithm: KeyAlgorithm
}

/** A configuration in force. An issuance takes one and keeps it to its end. */
export interface SignerSnapshot {
  readonly config: SignerConfig
  readonly seal: GrantSeal
  /** By name. */
  readonly authorities: ReadonlyMap<string, Authority>
}

/** Resources that outlive a configuration: each acquires them. */
export class SignerResources implements Disposable {
  readonly clock: Clock
  readonly #keys = new Map<KeyAlgorithm, KeySource>()
  readonly #rates = new Map<string, AuthorityRate>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The keys of an algorithm, which all CAs share. */
  keys(algorithm: KeyAlgorithm): KeySource {
    const source = this.#keys.get(algorithm) ?? keySource(algorithm)
    this.#keys.set(algorithm, source)
    return source
  }

  /** The rate limit of a CA: what it has used up stays so across configurations. */
  rate(authority: string, rate: AuthorityRate['rate']): AuthorityRate {
    const known = this.#rates.get(authority)
    if (known?.rate.perSecond === rate.perSecond && known.rate.burst === rate.burst) return known
    const limit = new AuthorityRate(rate, this.clock)
    this.#rates.set(authority, limit)
    return limit
  }

  /** Keys that are made ahead, by algorithm. */
  stocks(): ReadonlyMap<KeyAlgorithm, KeyStock> {
    const stocks = [...this.#keys].flatMap(([algorithm, source]) => {
      const stock = source.stock?.()
      return stock === undefined ? [] : [[algorithm, stock] as const]
    })
    return new Map(stocks)
  }

  [Symbol.dispose](): void {
    for (const source of this.#keys.values()) source[Symbol.dispose]()
  }
}

/**
 * Reads a signer's configuration and everything that it names.
 *
 * @throws ConfigurationError with every problem found
 */
export const buildSigner = async (
  file: string,
  files: ConfigurationFiles,
  resources: SignerResources,
): Promise<SignerSnapshot> => {
  const { config, locate } = await readSignerConfig(file, files)
  const problems = new ProblemList(locate)
  const seal = await problems.collect(['keyring'], () => readGrantSeal(config.keyring, files))
  const authorities = new Map<string, Authority>()
  for (const [name, authority] of Object.entries(config.authorities)) {
    const ca = await readAuthority(name, authority, { files, problems, clock: resources.clock })
    if (ca !== undefined) authorities.set(name, equip(name, ca, authority, resources))
  }
  if (problems.error !== undefined) throw problems.error
  if (seal === undefined) throw new TypeError('no keyring and no problem')
  return { config, seal, authorities }
}

interface Reading {
  readonly files: ConfigurationFiles
  readonly problems: ProblemList
  readonly clock: Clock
}

const readAuthority = async (
  name: string,
  { certificate, key, passphrase }: AuthorityConfig,
  { files, problems, clock }: Reading,
): Promise<CertificateAuthority | undefined> => {
  const path = ['authorities', name]
  const chain = await problems.collect([...path, 'certificate'], async () =>
    readAuthorityChain(await files.readText(certificate), clock.now()),
  )
  const signingKey = await problems.collect([...path, 'key'], async () => {
    const pem = await readForgingSecret(key, files, 'the key of a CA')
    const secret =
      passphrase && (await readForgingSecret(passphrase, files, 'the passphrase of a CA'))
    return readAuthorityKey(pem, secret)
  })
  if (chain === undefined || signingKey === undefined) return undefined
  return await problems.collect([...path, 'key'], () => new FileCa(chain, signingKey))
}

const equip = (
  name: string,
  ca: CertificateAuthority,
  { limits, keys }: AuthorityConfig,
  resources: SignerResources,
): Authority => ({
  ca,
  limits: new Limits(limits, ca.certificate.notAfter),
  rate: resources.rate(name, limits.rate),
  keys: resources.keys(keys),
  algorithm: keys,
})
