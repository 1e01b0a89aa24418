// The `revocation` section of a certificate authenticator, built: lists and CRLs are read, sources acquired.

import { createHash } from 'node:crypto'
import { revocationChecker } from '../../pki/check-revocation.ts'
import { readCrls, type CrlDocument } from '../../pki/crl/document.ts'
import { CrlSource } from '../../pki/crl/crl.ts'
import { DenyList } from '../../pki/deny-list.ts'
import type { OcspSource } from '../../pki/ocsp/ocsp.ts'
import type { RevocationChecker } from '../../pki/revocation.ts'
import type { CrlFile } from '../../pki/revocation-sources.ts'
import type { RevocationConfig } from '../../pki/revocation-schema.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { readCertificate } from '../../x509/certificate.ts'
import { decodePem } from '../../x509/pem.ts'
import type { AuthenticatorParts } from '../parts.ts'

// How soon the sources are queried again about a certificate that was accepted because none answered.
const RETRY = 5_000

/** What building needs. */
export type RevocationParts = Pick<
  AuthenticatorParts,
  'files' | 'problems' | 'revocations' | 'inUse' | 'clock' | 'logger'
>

/**
 * Builds the checker of one `revocation` section.
 *
 * @param path of the section, for problems
 * @returns `undefined` when there are problems with it, which have been reported
 */
export const buildRevocation = async (
  config: RevocationConfig,
  path: readonly PropertyKey[],
  parts: RevocationParts,
): Promise<RevocationChecker | undefined> => {
  const before = parts.problems.error?.problems.length ?? 0
  const builder = new Builder(path, parts)
  const denied = await builder.denied(config.denied)
  const ocsp = config.ocsp && (await builder.ocsp(config.ocsp))
  const crl = config.crl && (await builder.crl(config.crl))
  if ((parts.problems.error?.problems.length ?? 0) > before) return undefined
  const sources = [ocsp, crl].filter((source) => source !== undefined)
  const { chain, unknown, unavailable } = config
  return revocationChecker({
    generation: builder.generation(config),
    denied,
    sources: config.prefer === 'ocsp' ? sources : sources.toReversed(),
    chain,
    unknown,
    unavailable,
    retry: RETRY,
    clock: parts.clock,
  })
}

class Builder {
  readonly #path: readonly PropertyKey[]
  readonly #parts: RevocationParts
  /** Of every file that was read. */
  readonly #digest = createHash('sha256')

  constructor(path: readonly PropertyKey[], parts: RevocationParts) {
    this.#path = path
    this.#parts = parts
  }

  /** A digest of the section and of all its files as they are now. */
  generation(config: RevocationConfig): string {
    return this.#digest.update(JSON.stringify(config)).digest('base64url')
  }

  async denied(config: RevocationConfig['denied']): Promise<DenyList> {
    const list = new DenyList()
    for (const [index, entry] of config?.entries.entries() ?? []) {
      await this.#collect(['denied', 'entries', index], () => list.add(entry))
    }
    const file = config?.file
    if (file !== undefined) {
      await this.#collect(['denied', 'file'], async () =>
        list.addLines(file, (await this.#read(file)).toString('utf8')),
      )
    }
    return list
  }

  async ocsp(config: NonNullable<RevocationConfig['ocsp']>): Promise<OcspSource | undefined> {
    const { aia, hosts, responders: files, ca: caFile, ...options } = config
    const path = ['ocsp']
    const ca = await this.#ca(caFile, path)
    const responders: Buffer[] = []
    for (const [index, file] of files.entries()) {
      await this.#collect([...path, 'responders', index], async () => {
        const found = decodePem('CERTIFICATE', (await this.#read(file)).toString('latin1'))
        if (found.length === 0) throw invalid(`${file} holds no PEM block "CERTIFICATE"`)
        for (const der of found) readCertificate(der)
        responders.push(...found)
      })
    }
    return this.#acquire(
      this.#parts.revocations.ocsp({
        ...options,
        aia: aia ? { hosts } : undefined,
        ca,
        responders,
      }),
    )
  }

  async crl(config: NonNullable<RevocationConfig['crl']>): Promise<CrlSource> {
    const { revocations, clock } = this.#parts
    const { refresh, coolDown, timeout, grace, skew, maxBytes } = config
    const ca = await this.#ca(config.ca, ['crl'])
    const fetching = { ca, times: { refresh, coolDown, timeout }, maxBytes }
    const files: CrlDocument[] = []
    for (const [index, file] of config.files.entries()) {
      await this.#collect(['crl', 'files', index], async () => {
        files.push(...(await this.#readCrls(file, maxBytes)))
      })
    }
    return new CrlSource({
      files,
      remote: config.urls.map((url) => this.#acquire(revocations.crl(new URL(url), fetching))),
      placesOf: config.distributionPoints
        ? this.#acquire(revocations.pointed({ hosts: config.hosts }, fetching)).placesOf
        : undefined,
      grace,
      skew,
      clock,
    })
  }

  async #readCrls(file: string, maxBytes: number): Promise<readonly CrlDocument[]> {
    const { clock, logger } = this.#parts
    const { documents, bytes } = await this.#crlFile(file, maxBytes)
    if (bytes > maxBytes) throw tooLong(file, bytes, maxBytes)
    if (documents.some(({ nextUpdate }) => nextUpdate < clock.now())) {
      // Not a reason to refuse the configuration: the certificates that need this CRL are refused or accepted by
      // `unavailable`.
      logger.warn({ file }, 'CRL is out of date')
    }
    return documents
  }

  /** The CRLs of a file; those that there are when it has not changed. */
  async #crlFile(file: string, maxBytes: number): Promise<CrlFile> {
    const { files, revocations } = this.#parts
    const known = revocations.crlFile(await files.digest(file))
    if (known !== undefined) {
      this.#digest.update(this.#digestOf(file))
      return this.#acquire(known)
    }
    const bytes = await this.#read(file)
    if (bytes.length > maxBytes) throw tooLong(file, bytes.length, maxBytes)
    try {
      const made = this.#acquire({ file, documents: readCrls(bytes), bytes: bytes.length })
      revocations.keepCrlFile(this.#digestOf(file), made)
      return made
    } catch (cause) {
      throw invalid(`${file} is not a usable CRL: ${describeError(cause)}`)
    }
  }

  async #ca(file: string | undefined, path: readonly string[]): Promise<Buffer | undefined> {
    return file === undefined
      ? undefined
      : await this.#collect([...path, 'ca'], () => this.#read(file))
  }

  async #read(file: string): Promise<Buffer> {
    const bytes = await this.#parts.files.read(file)
    this.#digest.update(this.#digestOf(file))
    return bytes
  }

  /** The digest of a file that was read. */
  #digestOf(file: string): string {
    const digest = this.#parts.files.digestOf(file)
    if (digest === undefined) throw new Error(`${file} was not read`)
    return digest
  }

  #acquire<T extends object>(one: T): T {
    this.#parts.inUse.add(one)
    return one
  }

  async #collect<T>(
    path: readonly PropertyKey[],
    step: () => T | Promise<T>,
  ): Promise<T | undefined> {
    return await this.#parts.problems.collect([...this.#path, ...path], step)
  }
}

const tooLong = (file: string, bytes: number, most: number): CountersignError =>
  invalid(`${file} has ${bytes} bytes, and the limit is ${most} (crl.maxBytes)`)

const invalid = (message: string): CountersignError =>
  new CountersignError('configuration-invalid', message)
