// The local user database: a YAML file with groups, uid and extra fields, or an htpasswd file.

import { createHash, createHmac, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { accountKeys } from '../../identity/schema.ts'
import { parseYamlInSlices, type DocumentKind } from '../../config/document.ts'
import { pemLabel } from '../../config/pem-label.ts'
import { ConfigurationError, type Problem } from '../../config/problem.ts'
import { Slices } from '../../runtime/slices.ts'
import { DerivedKeys } from '../../state/derived-keys.ts'
import { readHash, type HashPool, type PasswordHash } from './hash.ts'
import {
  readReference,
  writeReference,
  type AccountLookup,
  type AccountReference,
  type VerifiedUser,
  type PasswordVerifier,
  type Verification,
  type VerificationContext,
} from './verifier.ts'

const userSchema = z.strictObject({
  password: z.string().min(1).describe('An argon2id or bcrypt hash.'),
  ...accountKeys,
  disabled: z.boolean().default(false).describe('Refuses the user, whatever the password.'),
})

/** The shape of a YAML users file. */
export const usersSchema = z.strictObject({ users: z.record(z.string().min(1), userSchema) })

const DOCUMENT: DocumentKind<typeof usersSchema> = {
  schema: usersSchema,
  longParts: () => [{ path: ['users'], schema: usersSchema.shape.users }],
}

interface UserEntry {
  readonly hash: PasswordHash
  readonly user: VerifiedUser
  readonly disabled: boolean
}

const KIND = 'users-file'

/** The users of one file. */
export class UsersFile implements PasswordVerifier {
  /** A digest of the file: cached credentials of an earlier one are not used. */
  readonly generation: string
  readonly #users: ReadonlyMap<string, UserEntry>
  readonly #hashes: readonly PasswordHash[]
  readonly #decoyKey = randomBytes(32)
  readonly #pool: HashPool
  readonly #file: string
  readonly #keys: DerivedKeys

  private constructor(
    file: string,
    text: string,
    users: ReadonlyMap<string, UserEntry>,
    pool: HashPool,
    keys: DerivedKeys,
  ) {
    this.#file = file
    this.#keys = keys
    this.generation = createHash('sha256').update(text).digest('base64url')
    this.#users = users
    this.#hashes = [...users.values()].map(({ hash }) => hash)
    this.#pool = pool
  }

  /**
   * Parses a users file, in slices: it may have ten thousands of users.
   *
   * @param file its absolute path; `.yaml`, `.yml` and `.json` are YAML, other names htpasswd
   * @param keys make the fingerprints of password hashes; processes that share logins share them
   * @throws ConfigurationError with every problem in the file
   */
  static async parse(
    file: string,
    text: string,
    pool: HashPool,
    keys = new DerivedKeys(),
  ): Promise<UsersFile> {
    const problems: Problem[] = []
    const users = /\.(ya?ml|json)$/i.test(file)
      ? await parseYamlUsers(file, text, problems)
      : await parseHtpasswd(file, text, problems)
    if (problems.length === 0 && users.size === 0) {
      problems.push({ file, path: '', message: 'holds no users' })
    }
    if (problems.length > 0) throw new ConfigurationError(problems)
    return new UsersFile(file, text, users, pool, keys)
  }

  async verify(
    name: string,
    password: string,
    context: VerificationContext,
  ): Promise<Verification> {
    const entry = this.#users.get(name)
    try {
      const right = await this.#pool.verify(entry?.hash ?? this.#decoyFor(name), password, context)
      if (entry === undefined) return { outcome: 'unknown-user' }
      if (!right) return { outcome: 'wrong-password' }
      return entry.disabled
        ? { outcome: 'barred', code: 'user-disabled' }
        : { outcome: 'verified', user: entry.user, account: this.#referenceTo(name, entry) }
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  async lookup(account: AccountReference): Promise<AccountLookup> {
    const reference = readReference(KIND, account)
    if (reference?.['file'] !== this.#file) return { outcome: 'unsupported' }
    const { name = '' } = reference
    const entry = this.#users.get(name)
    if (entry === undefined) return { outcome: 'ended', code: 'user-unknown' }
    if (entry.disabled) return { outcome: 'ended', code: 'user-disabled' }
    return this.#referenceTo(name, entry) === account
      ? { outcome: 'current', user: entry.user }
      : { outcome: 'ended', code: 'password-changed' }
  }

  /** With a keyed hash of the password's hash, which identifies the password without permitting guesses. */
  #referenceTo(name: string, { hash }: UserEntry): AccountReference {
    const password = this.#keys.of('users-file-password', name, hash.text)
    return writeReference(KIND, { file: this.#file, name, password })
  }

  /**
   * The hash that an unknown name is verified against. Hashes in one file can differ in cost, so a fixed decoy would
   * be recognisable: an unknown name takes as long as some known user, always the same one.
   */
  #decoyFor(name: string): PasswordHash {
    const digest = createHmac('sha256', this.#decoyKey).update(name).digest()
    const decoy = this.#hashes[digest.readUInt32BE() % this.#hashes.length]
    if (decoy === undefined) throw new Error('a users file without users was not refused at load')
    return decoy
  }
}

const parseYamlUsers = async (
  file: string,
  text: string,
  problems: Problem[],
): Promise<Map<string, UserEntry>> => {
  const users = new Map<string, UserEntry>()
  const slices = new Slices()
  const document = await parseYamlInSlices(file, text, DOCUMENT, slices)
  if (!document.ok) {
    problems.push(...document.problems)
    return users
  }
  for (const [key, { password, disabled, uid, groups, extra }] of Object.entries(
    document.value.users,
  )) {
    await slices.pause()
    const name = key.normalize('NFC')
    const complaint = complainOf(name, users)
    if (complaint !== undefined) problems.push(document.locate(['users', key], complaint))
    const reading = readHash(password)
    if (reading.ok)
      users.set(name, { hash: reading.hash, disabled, user: { user: name, uid, groups, extra } })
    else problems.push(document.locate(['users', key, 'password'], reading.message))
  }
  return users
}

const parseHtpasswd = async (
  file: string,
  text: string,
  problems: Problem[],
): Promise<Map<string, UserEntry>> => {
  const users = new Map<string, UserEntry>()
  const slices = new Slices()
  const reason = otherThanHtpasswd(text)
  if (reason !== undefined) {
    problems.push({ file, path: '', message: reason })
    return users
  }
  const malformed: Problem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    await slices.pause()
    const entry = line.trim()
    if (entry === '' || entry.startsWith('#')) continue
    const indent = line.indexOf(entry)
    const report = (column: number, message: string): void => {
      const position = { line: index + 1, column: indent + column }
      problems.push({ file, position, path: '', message })
    }
    const colon = entry.indexOf(':')
    if (colon < 1) {
      const position = { line: index + 1, column: indent + 1 }
      malformed.push({ file, position, path: '', message: 'must be "user:hash"' })
      continue
    }
    const name = entry.slice(0, colon).normalize('NFC')
    const complaint = complainOf(name, users)
    if (complaint !== undefined) report(1, complaint)
    const reading = readHash(entry.slice(colon + 1))
    if (reading.ok) {
      const user = { user: name, groups: [], extra: {} }
      users.set(name, { hash: reading.hash, disabled: false, user })
    } else {
      report(colon + 2, `the password of "${name}" ${reading.message}`)
    }
  }
  problems.push(...firstOf(malformed))
  problems.sort((one, other) => lineOf(one) - lineOf(other))
  return users
}

const lineOf = ({ position }: Problem): number => position?.line ?? 0

/** A text of another kind has this problem in nearly every line. */
const firstOf = (malformed: readonly Problem[]): readonly Problem[] => {
  const [first] = malformed
  if (first === undefined || malformed.length <= 3) return malformed
  return [{ ...first, message: `${first.message}, as must ${malformed.length - 1} lines after it` }]
}

/** What a file is that was not meant to be htpasswd: each of its lines would be a problem. */
const otherThanHtpasswd = (text: string): string | undefined => {
  const label = pemLabel(text)
  if (label !== undefined) return `holds PEM ("${label}"), where a users file belongs`
  return /^users:\s*(?:\{.*)?$/m.test(text)
    ? 'has "users:" in it as YAML has: its name must end with ".yaml", or it is read as htpasswd'
    : undefined
}

const complainOf = (name: string, users: ReadonlyMap<string, UserEntry>): string | undefined => {
  if (users.has(name)) return `"${name}" is in this file twice`
  // RFC 7617 §2: Basic cannot transmit such a name.
  if (/[:\p{Cc}]/u.test(name)) return 'a user name cannot hold a colon or control characters'
  return undefined
}
