// The npm package: the bundle, the JSON Schemas and the licences.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import type { BundledPackage } from './bundled-packages.ts'
import { thirdPartyNotices } from './bundled-packages.ts'
import { NATIVE, OLDEST_NODE } from './bundle.ts'
import { filesBelow, text } from './files.ts'
import type { Release } from './release-info.ts'
import { ROOT } from './root.ts'
import { gzip, tar, type Entry } from './tar.ts'

/** What the package is made of. */
export interface NpmParts {
  readonly release: Release
  /** The folder of the bundle. */
  readonly bundle: string
  readonly packages: readonly BundledPackage[]
}

const COMMAND = 'bin/countersign.js'

// An older Node would report a syntax error of some module.
const COMMAND_TEXT = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number)
const [wantedMajor, wantedMinor] = ${JSON.stringify(OLDEST_NODE.split('.').map(Number))}
if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  console.error(\`countersign: needs Node \${wantedMajor}.\${wantedMinor} or later; this is \${process.versions.node}\`)
  process.exit(1)
}
await import('../lib/countersign.js')
`

/** The files of the package, without the folder `package/` of its archive. */
export const npmFiles = async (parts: NpmParts): Promise<readonly Entry[]> => [
  text(COMMAND, COMMAND_TEXT, 0o755),
  ...(await filesBelow(parts.bundle, 'lib/')),
  ...(await filesBelow(join(ROOT, 'schema'), 'schema/')),
  text('package.json', manifest(parts.release)),
  text('THIRD-PARTY-NOTICES', thirdPartyNotices(parts.packages)),
  ...(await Promise.all(
    ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md'].map(async (file) => ({
      path: file,
      content: await readFile(join(ROOT, file)),
    })),
  )),
]

/** `countersign-VERSION.tgz`, as `npm pack` lays it out. */
export const npmArchive = (files: readonly Entry[], { time }: Release): Buffer =>
  gzip(
    tar(
      files.map((file) => ({ ...file, path: `package/${file.path}` })),
      time,
    ),
  )

const manifest = ({ version, commit }: Release): string => {
  const { name, description, license, dependencies } = packageJson
  const versions: Readonly<Record<string, string>> = dependencies
  return `${JSON.stringify(
    {
      name,
      version,
      description,
      license,
      type: 'module',
      bin: { countersign: COMMAND },
      engines: { node: `>=${OLDEST_NODE}` },
      dependencies: Object.fromEntries(NATIVE.map((native) => [native, versions[native]])),
      gitHead: commit,
    },
    undefined,
    2,
  )}\n`
}
