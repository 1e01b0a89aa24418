// What was built from what: an in-toto statement with SLSA provenance (https://slsa.dev/spec/v1.0/provenance), not signed, and the
// sums of all files.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Release } from './release-info.ts'
import { ROOT } from './root.ts'

/** A file of `dist/`. */
export interface Artefact {
  /** Below `dist/`, with slashes. */
  readonly name: string
  readonly bytes: Buffer
}

/** The statement about some artefacts. */
export const provenance = (release: Release, artefacts: readonly Artefact[]): string => {
  const { version, commit, time } = release
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: artefacts.map(({ name, bytes }) => ({ name, digest: { sha256: sha256(bytes) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:countersign:npm-run-release:v1',
        externalParameters: { version },
        internalParameters: { sourceDateEpoch: time },
        resolvedDependencies: [
          { name: 'source', digest: { gitCommit: commit } },
          // Node and the bundler, too, come from packages that it names with their digests.
          {
            name: 'package-lock.json',
            digest: { sha256: sha256(readFileSync(join(ROOT, 'package-lock.json'))) },
          },
        ],
      },
      runDetails: { builder: { id: 'urn:countersign:clone' } },
    },
  }
  return `${JSON.stringify(statement, undefined, 1)}\n`
}

/** The lines of `SHA256SUMS`, which `sha256sum --check` reads. */
export const sums = (artefacts: readonly Artefact[]): string =>
  artefacts.map(({ name, bytes }) => `${sha256(bytes)}  ${name}\n`).join('')

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
