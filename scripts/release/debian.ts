// The Debian package for amd64: Node, the program, units of systemd. `dpkg-deb` packs it.

import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeEntry } from './files.ts'
import type { ImageParts } from './image.ts'
import { strippedNode } from './node.ts'
import { programEntries } from './program.ts'
import { ROOT } from './root.ts'
import type { Entry } from './tar.ts'

const SOURCES = join(ROOT, 'deploy/debian')

/** Where each file of deploy/debian belongs. */
const PLACES: Readonly<Record<string, { readonly path: string; readonly mode?: number }>> = {
  command: { path: 'usr/bin/countersign', mode: 0o755 },
  'countersign-authz.service': { path: 'usr/lib/systemd/system/countersign-authz.service' },
  'countersign-signer.service': { path: 'usr/lib/systemd/system/countersign-signer.service' },
  'sysusers.conf': { path: 'usr/lib/sysusers.d/countersign.conf' },
  'tmpfiles.conf': { path: 'usr/lib/tmpfiles.d/countersign.conf' },
  logrotate: { path: 'etc/logrotate.d/countersign' },
  'envoy.service': { path: 'usr/share/doc/countersign/examples/envoy.service' },
  postinst: { path: 'DEBIAN/postinst', mode: 0o755 },
  prerm: { path: 'DEBIAN/prerm', mode: 0o755 },
  postrm: { path: 'DEBIAN/postrm', mode: 0o755 },
}

/** `countersign_VERSION_amd64.deb`. */
export const debianPackage = async (parts: ImageParts): Promise<Buffer> => {
  const { release, files, work } = parts
  const program = await programEntries(files, 'usr/lib/countersign/')
  const placed = await Promise.all(
    Object.entries(PLACES).map(async ([name, place]) => ({
      ...place,
      content: await readFile(join(SOURCES, name)),
    })),
  )
  const documents = files
    .filter(({ path }) => path.endsWith('.md'))
    .map((file) => ({ ...file, path: `usr/share/doc/countersign/${file.path}` }))
  const entries: readonly Entry[] = [
    ...program,
    ...placed,
    ...documents,
    { path: 'usr/lib/countersign/node', content: await strippedNode(work), mode: 0o755 },
    { path: 'usr/share/doc/countersign/copyright', content: await copyright() },
    // The administrator's; the package has no file in it.
    { path: 'etc/countersign/' },
    { path: 'DEBIAN/conffiles', content: Buffer.from('/etc/logrotate.d/countersign\n') },
    { path: 'DEBIAN/control', content: Buffer.from(control(release.version, program)) },
  ]
  const root = join(work, 'debian')
  for (const entry of entries) await writeEntry(root, entry)
  return await packed(root, work, release.time)
}

const control = (version: string, program: readonly Entry[]): string => {
  const bytes = program.reduce(
    (sum, { content }) => sum + (Buffer.isBuffer(content) ? content.length : 0),
    NODE_BYTES,
  )
  return `Package: countersign
Version: ${version}
Architecture: amd64
Maintainer: The Countersign authors <countersign@localhost>
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8)
Recommends: systemd, logrotate
Section: net
Priority: optional
Description: external authorization service for Envoy
 Countersign verifies the credential that a request brings, decides whether the
 request may pass, records the decision, and gives the upstream the credential
 that the upstream requires.
`
}

// Of Node without symbols; the field is an estimate (deb-control(5)).
const NODE_BYTES = 108_500_000

const copyright = async (): Promise<Buffer> =>
  Buffer.from(
    `Countersign is under the Apache License 2.0. The licences of the libraries in it are in
/usr/lib/countersign/THIRD-PARTY-NOTICES. /usr/lib/countersign/node is Node.js, https://github.com/nodejs/node/blob/main/LICENSE.

${await readFile(join(ROOT, 'LICENSE'), 'utf8')}`,
  )

/** The files are newer than the commit, so dpkg-deb takes the commit's time for each (dpkg-deb(1), SOURCE_DATE_EPOCH). */
const packed = async (root: string, work: string, time: number): Promise<Buffer> => {
  const file = join(work, 'countersign.deb')
  execFileSync(
    'dpkg-deb',
    ['--root-owner-group', '-Zgzip', '-z6', '--threads-max=1', '--build', root, file],
    { env: { ...process.env, SOURCE_DATE_EPOCH: String(time) } },
  )
  return await readFile(file)
}
