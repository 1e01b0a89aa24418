// The examples of `identity`, put through the mapping that the service would use. No request is sent:
// no keys are fetched, no directory is reached.

import { createHash } from 'node:crypto'
import type { AuthenticatorConfig } from '../../authenticate/schema.ts'
import type { ConfigurationFiles } from '../../config/files.ts'
import type { IdentityExample } from '../../identity/examples-schema.ts'
import type { Config } from '../schema.ts'
import { certificateFields, type CertificateFields } from '../../identity/certificate-fields.ts'
import { certificateGroups, certificateUser, tokenUser } from '../../identity/default-names.ts'
import type { ProvenCredential, IdentityRefusal } from '../../identity/identity.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { readCertificate } from '../../x509/certificate.ts'
import { decodePem } from '../../x509/pem.ts'
import { mappingOf } from '../../authenticate/build.ts'

/** What an example comes to. */
type ExampleOutcome =
  | ({ readonly outcome: 'identity'; readonly groupsOmitted?: number } & Names)
  | { readonly outcome: 'refused'; readonly code: IdentityRefusal; readonly detail: string }
  /** It could not be put to the test. */
  | { readonly outcome: 'unusable'; readonly reason: string }

/** An identity, by name. */
type Names = Pick<ProvenCredential, 'user' | 'uid' | 'groups' | 'extra'>

/** Where something of an example differs from what was wanted. */
interface Difference {
  readonly what: 'outcome' | 'user' | 'uid' | 'groups' | 'extra'
  readonly wanted: unknown
  readonly got: unknown
}

/** An example that was tried. It passed when there is no difference. */
export interface ExampleResult {
  readonly authenticator: string
  /** Its position among the authenticator's examples, from 0. */
  readonly index: number
  readonly name: string | undefined
  readonly got: ExampleOutcome
  readonly differences: readonly Difference[]
}

/** Tries every example of a configuration, in the order of the file. */
export const tryExamples = async (
  { authenticators }: Config,
  files: ConfigurationFiles,
): Promise<readonly ExampleResult[]> => {
  const results: ExampleResult[] = []
  for (const [authenticator, config] of Object.entries(authenticators)) {
    for (const [index, example] of (config.identity?.examples ?? []).entries()) {
      const got = await outcomeOf(authenticator, config, example, files)
      const { name } = example
      results.push({ authenticator, index, name, got, differences: differencesOf(example, got) })
    }
  }
  return results
}

const outcomeOf = async (
  name: string,
  config: AuthenticatorConfig,
  example: IdentityExample,
  files: ConfigurationFiles,
): Promise<ExampleOutcome> => {
  const about = config.identity?.about ?? 'account'
  const given = (['account', 'claims', 'certificate'] as const).find(
    (key) => example[key] !== undefined,
  )
  if (given !== about) {
    const reason = `the example is about "${given}", and this authenticator proves "${about}"`
    return { outcome: 'unusable', reason }
  }
  try {
    const result = mappingOf(name, config).identityOf(await credentialOf(config, example, files))
    if (result.outcome === 'refused') return result
    const { user, uid, groups, extra, groupsOmitted } = result.identity
    const names = { user, ...(uid === undefined ? {} : { uid }), groups, extra }
    return {
      outcome: 'identity',
      ...names,
      ...(groupsOmitted === undefined ? {} : { groupsOmitted }),
    }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    return { outcome: 'unusable', reason: cause.message }
  }
}

/** The proven credential that the authenticator would make for such a user. */
const credentialOf = async (
  config: AuthenticatorConfig,
  { account, claims, certificate: given }: IdentityExample,
  files: ConfigurationFiles,
): Promise<ProvenCredential> => {
  const common = { digest: 'example', groups: [], extra: {} }
  if (account !== undefined) return { ...common, method: 'basic', ...account }
  if (claims !== undefined) {
    return { ...common, method: 'bearer', user: userOf(config, claims), claims }
  }
  if (given === undefined) throw new TypeError('an example about nothing') // the schema refuses it
  const certificate = typeof given === 'string' ? await readCertificateFile(given, files) : given
  const user = certificateUser(certificate)
  const groups = certificateGroups(certificate)
  return { ...common, method: 'certificate', user, groups, certificate }
}

/** As the authenticators for tokens name users where `identity` does not. */
const userOf = (
  { bearer, introspection }: AuthenticatorConfig,
  claims: NonNullable<IdentityExample['claims']>,
): string => {
  const issuer = bearer?.issuer ?? introspection?.issuer ?? ''
  const subject = claims[introspection?.subject ?? 'sub']
  return typeof subject === 'string' ? tokenUser(issuer, subject) : ''
}

const readCertificateFile = async (
  file: string,
  files: ConfigurationFiles,
): Promise<CertificateFields> => {
  const [der] = decodePem('CERTIFICATE', await files.readText(file))
  if (der === undefined) {
    throw new CountersignError('malformed-certificate', `${file} holds no certificate in PEM`)
  }
  const fingerprint = createHash('sha256').update(der).digest('hex')
  return certificateFields(readCertificate(der), fingerprint)
}

const differencesOf = (
  { want, refused }: IdentityExample,
  got: ExampleOutcome,
): readonly Difference[] => {
  const wanted = want === undefined ? `refused: ${refused}` : 'an identity'
  const outcome = got.outcome === 'refused' ? `refused: ${got.code}` : 'an identity'
  if (got.outcome === 'unusable') return [{ what: 'outcome', wanted, got: got.reason }]
  if (wanted !== outcome) return [{ what: 'outcome', wanted, got: outcome }]
  if (want === undefined || got.outcome === 'refused') return []
  const pairs: readonly Difference[] = [
    { what: 'user', wanted: want.user, got: got.user },
    { what: 'uid', wanted: want.uid, got: got.uid },
    { what: 'groups', wanted: want.groups, got: got.groups },
    { what: 'extra', wanted: want.extra && inOrder(want.extra), got: inOrder(got.extra) },
  ]
  return pairs.filter(
    (pair) => pair.wanted !== undefined && JSON.stringify(pair.wanted) !== JSON.stringify(pair.got),
  )
}

/** Keys have no order. */
const inOrder = (extra: ProvenCredential['extra']): ProvenCredential['extra'] =>
  Object.fromEntries(Object.entries(extra).toSorted(([a], [b]) => (a < b ? -1 : 1)))
