// When the certificates end that a configuration names, for metrics. The files are looked at again every minute, since
// those of Envoy are renewed without a reload. A file that cannot be read has no series: it may be on Envoy's machine.

import { readFile, stat } from 'node:fs/promises'
import { X509Certificate } from 'node:crypto'
import type { ReloadReports } from '../../config/reload.ts'
import { formatPath } from '../../config/yaml-position.ts'
import { gauge, type Metric, type Sample } from '../../runtime/metrics/metric.ts'
import { decodePem } from '../../x509/pem.ts'
import type { NamedFile } from './named-files.ts'

const REFRESH_MS = 60_000

// A bundle of public CAs has some 150 certificates: those that end first are enough for an alert.
const MAX_PER_FILE = 32

const MAX_BYTES = 4_194_304

/** Certificates of a file: when each ends, in seconds since the epoch, by its subject. */
interface ReadFile {
  /** Changes with the file. */
  readonly stamp: string
  readonly ends: ReadonlyMap<string, number>
}

/** The ends of the certificates of the configuration in force. */
export class CertificateExpiry<T> implements Disposable {
  readonly #filesOf: (config: T) => readonly NamedFile[]
  readonly #read = new Map<string, ReadFile>()
  readonly #timer: NodeJS.Timeout
  #files: readonly NamedFile[] = []
  readonly metric: Metric = gauge(
    'countersign_certificate_not_after_timestamp_seconds',
    'When a certificate ends that the configuration names: of each subject in a file the one that ends last. Absent for files that this process cannot read.',
    () => this.#samples(),
    {
      key: 'the key of the configuration that names the file',
      file: 'the path of the file',
      subject: 'the subject of the certificate',
    },
  )

  private constructor(filesOf: (config: T) => readonly NamedFile[]) {
    this.#filesOf = filesOf
    this.#timer = setInterval(() => void this.refresh(), REFRESH_MS).unref()
  }

  /**
   * Reads those of the configuration of the start. Never rejects.
   *
   * @param filesOf the files with certificates that a configuration names
   */
  static async start<T>(
    config: T,
    filesOf: (config: T) => readonly NamedFile[],
  ): Promise<CertificateExpiry<T>> {
    const expiry = new CertificateExpiry(filesOf)
    expiry.#files = filesOf(config)
    await expiry.refresh()
    return expiry
  }

  /** Takes those of each configuration that is loaded. */
  following<S extends { readonly config: T }>(reports: ReloadReports<S>): ReloadReports<S> {
    return {
      onLoaded: (next, previous) => {
        reports.onLoaded(next, previous)
        this.#files = this.#filesOf(next.value.config)
        void this.refresh()
      },
      onRejected: (cause, kept) => reports.onRejected(cause, kept),
    }
  }

  /** Reads the files that have changed, and forgets those that are no longer named or there. Never rejects. */
  async refresh(): Promise<void> {
    const names = new Set(this.#files.map(({ file }) => file))
    for (const file of names) {
      const read = await readChanged(file, this.#read.get(file))
      if (read === undefined) this.#read.delete(file)
      else this.#read.set(file, read)
    }
    for (const file of this.#read.keys()) if (!names.has(file)) this.#read.delete(file)
  }

  #samples(): readonly Sample<number>[] {
    return this.#files.flatMap(({ path, file }) =>
      [...(this.#read.get(file)?.ends ?? [])].map(([subject, value]) => ({
        labels: { key: formatPath(path), file, subject },
        value,
      })),
    )
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

const readChanged = async (
  file: string,
  known: ReadFile | undefined,
): Promise<ReadFile | undefined> => {
  try {
    const { ino, size, mtimeMs } = await stat(file)
    const stamp = `${ino} ${size} ${mtimeMs}`
    if (stamp === known?.stamp) return known
    if (size > MAX_BYTES) return undefined
    return { stamp, ends: endsIn(await readFile(file, 'latin1')) }
  } catch {
    return undefined // `validate`, and the warnings at the start, name what is wrong with it
  }
}

const endsIn = (text: string): ReadonlyMap<string, number> => {
  const ends = new Map<string, number>()
  for (const der of decodePem('CERTIFICATE', text)) {
    const { subject, validToDate } = new X509Certificate(der)
    const name = (subject ?? '').replaceAll('\n', ',')
    // A CA that was renewed under its name is there twice until the old certificate is removed.
    ends.set(name, Math.max(ends.get(name) ?? 0, validToDate.getTime() / 1_000))
  }
  return new Map([...ends].toSorted(([, a], [, b]) => a - b).slice(0, MAX_PER_FILE))
}
