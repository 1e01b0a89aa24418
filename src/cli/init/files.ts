// Everything that `countersign init` writes. It is made first, so that a failure leaves nothing behind.

import { randomBytes } from 'node:crypto'
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hashOf, newApiKey } from '../../authenticate/api-key/key.ts'
import { makeHash } from '../../authenticate/password/hash.ts'
import { newGrantKeyLines } from '../../keys/grant-keys.ts'
import { creation } from '../../keys/signing-key-changes.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { stringify } from 'yaml'
import { AUTHORITY_FILES, createAuthority, type Authority } from '../ca/authority.ts'
import { issue } from '../ca/issue.ts'
import { keyPem } from '../ca/keys.ts'
import { namesFor } from '../ca/names.ts'
import type { NewFile } from '../ca/files.ts'
import { schemaFiles } from '../schemas.ts'
import { changeSigningKeys } from '../signing-key-writer.ts'
import { usageError } from '../usage-error.ts'
import { hasIssuer, hasPasswords, issuerHostOf, type Answers } from './answers.ts'
import { configurationText, SCHEMA_FOLDER, signerText, usersText } from './configuration.ts'

/** What is to be written; `name` is relative to the folder. */
export interface InitialFiles {
  readonly files: readonly NewFile[]
  /** Made with `countersign keys signing create`, where there is an issuer. */
  readonly signingKeys: string | undefined
  /** Printed once: nothing else has them. */
  readonly password: string | undefined
  readonly apiKey: string | undefined
}

const PASSWORD_BYTES = 12
const SIGNING_KEYS = 'signing-keys'

/** Makes the files. */
export const initialFiles = async (answers: Answers): Promise<InitialFiles> => {
  const root = await createAuthority({ commonName: 'Countersign development CA', pathLength: 0 })
  const password = hasPasswords(answers)
    ? randomBytes(PASSWORD_BYTES).toString('base64url')
    : undefined
  const apiKey = answers.waysIn.includes('api-key') ? newApiKey('first') : undefined
  const files = [
    open('countersign.yaml', configurationText(answers)),
    ...schemaFiles().map(({ name, text }) => open(`${SCHEMA_FOLDER}/${name}`, text)),
    ...authorityFiles('ca', root),
    ...(await leafFiles(root, answers)),
    ...(password === undefined
      ? []
      : [secret('users.yaml', usersText(answers.user, await makeHash('argon2id', password)))]),
    ...(apiKey === undefined ? [] : [secret('api-keys.yaml', apiKeysText(apiKey, answers.user))]),
    ...(answers.wayOut === 'certificate' ? await signerFiles() : []),
  ]
  return { files, signingKeys: hasIssuer(answers) ? SIGNING_KEYS : undefined, password, apiKey }
}

const open = (name: string, text: string): NewFile => ({ name, text, mode: 0o644 })
const secret = (name: string, text: string): NewFile => ({ name, text, mode: 0o600 })

const apiKeysText = (key: string, user: string): string =>
  stringify({ keys: { first: { hash: hashOf(key), user, groups: ['dev'] } } })

const authorityFiles = (folder: string, { certificates, key }: Authority): readonly NewFile[] => [
  open(`${folder}/${AUTHORITY_FILES.certificate}`, certificates),
  secret(`${folder}/${AUTHORITY_FILES.key}`, keyPem(key)),
]

/** Envoy's certificate, and one of the first user. */
const leafFiles = async (root: Authority, answers: Answers): Promise<readonly NewFile[]> => {
  const { host, user, waysIn } = answers
  const dns = [...new Set([host, issuerHostOf(answers), 'localhost'])].filter(
    (name) => name !== '*',
  )
  const edge = await issue(root, {
    profile: 'server',
    ...namesFor('server', { dns, ip: ['127.0.0.1'] }),
  })
  const files = [open('tls/edge.pem', edge.certificate), secret('tls/edge.key', edge.key)]
  if (!waysIn.includes('certificate')) return files
  const client = await issue(root, {
    profile: 'client',
    ...namesFor('client', { user, group: ['dev'] }),
  })
  return [
    ...files,
    open(`tls/${user}.pem`, client.certificate),
    secret(`tls/${user}.key`, client.key),
  ]
}

const signerFiles = async (): Promise<readonly NewFile[]> => [
  open('signer.yaml', signerText()),
  secret('grant.keys', `${newGrantKeyLines(Date.now()).join('\n')}\n`),
  ...authorityFiles(
    'signer-ca',
    await createAuthority({
      commonName: 'Countersign development signer CA',
      pathLength: 0,
      profile: 'client',
    }),
  ),
]

// It holds private keys.
const FOLDER_MODE = 0o700

/**
 * Writes the files into a folder, over nothing that exists.
 *
 * @throws CountersignError `usage`, and what was written is removed again
 */
export const writeInitialFiles = async (
  folder: string,
  { files, signingKeys }: InitialFiles,
): Promise<void> => {
  const names = [
    ...files.map(({ name }) => name),
    ...(signingKeys === undefined ? [] : [signingKeys]),
  ]
  await requireNone(folder, names)
  const written: string[] = []
  try {
    for (const { name, text, mode } of files) {
      const path = join(folder, name)
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE })
      await writeFile(path, text, { flag: 'wx', mode })
      written.push(path)
    }
    if (signingKeys !== undefined) {
      await changeSigningKeys({
        folder: join(folder, signingKeys),
        make: { mode: undefined },
        plan: (list, now) => creation(list, ['ES256'], now),
      })
    }
  } catch (cause) {
    for (const path of written) await rm(path, { force: true })
    if (cause instanceof CountersignError) throw cause
    throw usageError(`${folder} cannot be written: ${describeError(cause)}`)
  }
}

const requireNone = async (folder: string, names: readonly string[]): Promise<void> => {
  const existing: string[] = []
  for (const name of names) {
    if ((await lstat(join(folder, name)).catch(() => undefined)) !== undefined) existing.push(name)
  }
  if (existing.length === 0) return
  throw usageError(
    `${folder} has ${existing.join(', ')} already, and nothing was written. Choose another folder: countersign init DIR`,
  )
}
