// What a configuration needs of the machine, beyond its own text: the files of `authz` and of the signer, together
// with those that only Envoy reads. It changes nothing and opens no connection.

import type { SignerConfig } from '../../ca/schema.ts'
import type { Config } from '../../configuration/schema.ts'
import { certificateFindings, type Reading } from './certificates.ts'
import type { Finding } from './finding.ts'
import { appendedFindings, madeFindings } from './folders.ts'
import { secretFindings } from './modes.ts'
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
  const findings = [...(await authzFileFindings(config, reading))]
  if (envoyFiles) findings.push(...(await envoyFileFindings(config, reading)))
  if (config.audit.file !== undefined) {
    findings.push(...(await appendedFindings({ path: ['audit', 'file'], file: config.audit.file })))
  }
  if (config.state.sqlite !== undefined) {
    const { file } = config.state.sqlite
    findings.push(...(await madeFindings({ path: ['state', 'sqlite'], file })))
  }
  return findings
}

/** The findings of the certificates and secrets that authz reads. */
export const authzFileFindings = async (
  config: Config,
  reading: Reading,
): Promise<readonly Finding[]> => await fileFindings({ ...config, envoy: undefined }, reading)

/** The findings of the certificates and secrets that Envoy reads. */
export const envoyFileFindings = async (
  { envoy }: Config,
  reading: Reading,
): Promise<readonly Finding[]> => await fileFindings({ envoy }, reading)

const fileFindings = async (config: object, reading: Reading): Promise<readonly Finding[]> => {
  const { certificates, secrets } = namedFiles(config)
  return [
    ...(await inTurn(certificates, (named) => certificateFindings(named, reading))),
    ...(await inTurn(secrets.filter(isNotKeyring), secretFindings)),
  ]
}

/** Its mode is a condition of reading it. */
const isNotKeyring = ({ path }: NamedFile): boolean => path.at(-1) !== 'keyring'

/** The findings of signer.yaml. */
export const signerSiteFindings = async (
  config: SignerConfig,
  reading: Reading,
): Promise<readonly Finding[]> => {
  const findings = [...(await signerFileFindings(config, reading))]
  const { file } = config.audit
  if (file !== undefined) {
    findings.push(...(await appendedFindings({ path: ['audit', 'file'], file })))
  }
  return findings
}

/** The findings of the certificates that the signer reads. The modes of its keys are a condition of reading them. */
export const signerFileFindings = async (
  { authorities }: Pick<SignerConfig, 'authorities'>,
  reading: Reading,
): Promise<readonly Finding[]> =>
  await inTurn(namedFiles({ authorities }).certificates, ({ path, file }) =>
    certificateFindings({ path, file, role: 'ca' }, reading),
  )

/** The files with certificates of authz, and of Envoy where they are on this machine. */
export const authzCertificateFiles = (config: Config): readonly NamedFile[] =>
  namedFiles(config).certificates

/** The files with certificates of the signer. */
export const signerCertificateFiles = ({
  authorities,
}: Pick<SignerConfig, 'authorities'>): readonly NamedFile[] =>
  namedFiles({ authorities }).certificates

/** One after the other, so that the findings have the order of the file. */
const inTurn = async <T>(
  items: readonly T[],
  find: (item: T) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  for (const item of items) findings.push(...(await find(item)))
  return findings
}
