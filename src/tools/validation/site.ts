// What a configuration needs of the machine, beyond its own text: the files of `authz` and of the signer, together
// with those that only Envoy reads. It changes nothing and opens no connection.

import type { SignerConfig } from '../../ca/schema.ts'
import type { Config } from '../../configuration/schema.ts'
import { certificateFindings, type Reading } from './certificates.ts'
import type { Finding } from './finding.ts'
import { appendedFindings, madeFindings } from './folders.ts'
import { forgingKeyFindings, secretFindings, writableFindings } from './modes.ts'
import { namedFiles, type NamedFile } from './named-files.ts'

/** What to leave out. */
export interface SiteOptions {
  /** Whether the files of `envoy` are on this machine. */
  readonly envoyFiles: boolean
}

/** The findings of countersign.yaml. */
export const siteFindings = async (
  config: Config,
  reading: Reading,
  { envoyFiles }: SiteOptions,
): Promise<readonly Finding[]> => {
  const { envoy, ...others } = config
  const { certificates, secrets } = namedFiles(envoyFiles ? { ...others, envoy } : others)
  const keyring = config.certificateGrants?.keyring
  const findings = [
    ...(await inTurn(certificates, (named) => certificateFindings(named, reading))),
    ...(await inTurn(secrets.filter(isNotKeyring), secretFindings)),
    ...(await inTurn(usersFiles(config), writableFindings)),
  ]
  if (keyring?.kind === 'file') {
    const named = { path: ['certificateGrants', 'keyring'], file: keyring.path }
    findings.push(...(await forgingKeyFindings(named, 'the keyring of certificate grants')))
  }
  if (config.audit.file !== undefined) {
    findings.push(...(await appendedFindings({ path: ['audit', 'file'], file: config.audit.file })))
  }
  if (config.state.sqlite !== undefined) {
    const { file } = config.state.sqlite
    findings.push(...(await madeFindings({ path: ['state', 'sqlite'], file })))
  }
  return findings
}

/** The findings of signer.yaml. */
export const signerSiteFindings = async (
  config: SignerConfig,
  reading: Reading,
): Promise<readonly Finding[]> => {
  const { keyring, authorities, audit } = config
  const { certificates } = namedFiles(authorities)
  const cas = certificates.map(({ path, file }) => ({
    path: ['authorities', ...path],
    file,
    role: 'ca' as const,
  }))
  const findings = [...(await inTurn(cas, (named) => certificateFindings(named, reading)))]
  if (keyring.kind === 'file') {
    const named = { path: ['keyring'], file: keyring.path }
    findings.push(...(await forgingKeyFindings(named, 'the keyring of certificate grants')))
  }
  for (const [name, { key, passphrase }] of Object.entries(authorities)) {
    const path = ['authorities', name]
    for (const [reference, at] of [[key, 'key'] as const, [passphrase, 'passphrase'] as const]) {
      if (reference?.kind !== 'file') continue
      const named = { path: [...path, at], file: reference.path }
      findings.push(...(await forgingKeyFindings(named, 'the key of a CA')))
    }
  }
  if (audit.file !== undefined) {
    findings.push(...(await appendedFindings({ path: ['audit', 'file'], file: audit.file })))
  }
  return findings
}

const isNotKeyring = ({ path }: NamedFile): boolean => path.at(-1) !== 'keyring'

/** The files of users and of API keys. */
const usersFiles = ({ authenticators }: Config): readonly NamedFile[] =>
  Object.entries(authenticators).flatMap(([name, { basic, apiKey }]) => [
    ...(basic?.verify ?? []).flatMap(({ users }, index) =>
      users === undefined
        ? []
        : [
            {
              path: ['authenticators', name, 'basic', 'verify', index, 'users', 'file'],
              file: users.file,
            },
          ],
    ),
    ...(apiKey === undefined
      ? []
      : [{ path: ['authenticators', name, 'apiKey', 'file'], file: apiKey.file }]),
  ])

/** One after the other, so that the findings have the order of the file. */
const inTurn = async <T>(
  items: readonly T[],
  find: (item: T) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  for (const item of items) findings.push(...(await find(item)))
  return findings
}
