// The TLS files and headers of a sink: read again at intervals, since certificates and tokens are renewed while the process runs.

import { tlsFault } from '../../clients/client-tls.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import { readSecretText } from '../../config/secret-text.ts'
import { describeReference, readSecret } from '../../config/secret.ts'
import type { SecretReference } from '../../config/values.ts'
import type { Clock } from '../../runtime/clock.ts'
import { digestOf } from '../../runtime/digest.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { SinkConfig } from './schema.ts'

/** What is in the files. */
export interface Material {
  readonly ca: Buffer | undefined
  readonly client: { readonly certificate: Buffer; readonly key: Buffer } | undefined
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Differs where any of it does. */
  readonly generation: string
}

/** Where it is. */
export interface MaterialFiles {
  readonly tls?: NonNullable<SinkConfig['syslog']>['tls']
  readonly headers?: Readonly<Record<string, SecretReference>>
}

const KNOWN_FOR_MS = 10_000

/**
 * Reads it.
 *
 * @throws CountersignError `file-unreadable`, `configuration-invalid`
 */
export const readMaterial = async ({ tls, headers = {} }: MaterialFiles): Promise<Material> => {
  const files = new ConfigurationFiles()
  const { ca, client } = tls ?? {}
  const contents = {
    ca: ca && (await readSecret(ca, files)),
    client: client && {
      certificate: await readSecret(client.certificate, files),
      key: await readSecret(client.key, files),
    },
  }
  const fault = tlsFault(contents, {
    ca: ca && describeReference(ca),
    certificate: client && describeReference(client.certificate),
    key: client && describeReference(client.key),
  })
  if (fault !== undefined) throw new CountersignError('configuration-invalid', fault.message)
  const read: Record<string, string> = {}
  for (const [name, reference] of Object.entries(headers)) {
    read[name] = await readSecretText(reference, files)
  }
  const { certificate, key } = contents.client ?? {}
  const parts = [contents.ca, certificate, key].map((part) => part?.toString('base64'))
  return { ...contents, headers: read, generation: digestOf([parts, read]) }
}

/** Reads it again when it is older than 10 s. While it cannot be read, it stays as it was. */
export class FollowedMaterial {
  readonly #files: MaterialFiles
  readonly #clock: Pick<Clock, 'monotonic'>
  #known: Material | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(files: MaterialFiles, clock: Pick<Clock, 'monotonic'>) {
    this.#files = files
    this.#clock = clock
  }

  /**
   * What it is now.
   *
   * @throws as {@link readMaterial}, where it could never be read
   */
  async current(): Promise<Material> {
    const now = this.#clock.monotonic()
    if (this.#known !== undefined && now - this.#readAt < KNOWN_FOR_MS) return this.#known
    try {
      this.#known = await readMaterial(this.#files)
    } catch (cause) {
      if (this.#known === undefined) throw cause
    }
    this.#readAt = now
    return this.#known
  }
}
