// The container image as an OCI archive (OCI image specification 1.1), made of Node, the C and C++ libraries of the Debian that
// builds it, and the npm package. It has no shell. `docker load` reads it, too.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { HEALTH_PROBE, healthProbe } from './health-probe.ts'
import { strippedNode } from './node.ts'
import { programEntries } from './program.ts'
import type { Release } from './release-info.ts'
import { npmComponent, type Component } from './sbom.ts'
import { tar, type Entry } from './tar.ts'
import packageJson from '../../package.json' with { type: 'json' }

/** An image, and what it is made of. */
export interface Image {
  readonly archive: Buffer
  readonly components: readonly Component[]
}

// The user of the Dockerfile and of docker-compose.yml.
const USER = 10_001

/** What an image is made from. */
export interface ImageParts {
  readonly release: Release
  /** The files of the npm package. */
  readonly files: readonly Entry[]
  /** What these are made of. */
  readonly components: readonly Component[]
  /** A folder for intermediate files. */
  readonly work: string
}

/** Makes the image for linux/amd64; on that platform, with the libraries and tools of Debian. */
export const imageOf = async (parts: ImageParts): Promise<Image> => {
  const { release, components } = parts
  const { base, program } = await imageEntries(parts)
  const layers = [base, program].map((entries) => layerOf(tar(entries, release.time)))
  const node = npmComponent({
    name: 'node',
    version: packageJson.devDependencies.node,
    license: 'MIT',
  })
  return {
    archive: archiveOf(release, layers),
    components: [...components, node, ...debianComponents()],
  }
}

/** The files of the image: what it has from the system and from Node, and the program. */
export const imageEntries = async ({
  files,
  work,
}: Pick<ImageParts, 'files' | 'work'>): Promise<{
  readonly base: readonly Entry[]
  readonly program: readonly Entry[]
}> => ({
  base: [
    ...FOLDERS,
    ...ACCOUNTS,
    ...(await Promise.all(LIBRARIES.map(libraryEntry))),
    { path: 'usr/local/bin/node', content: await strippedNode(work), mode: 0o755 },
    { path: HEALTH_PROBE.slice(1), content: await healthProbe(work), mode: 0o755 },
    ...DEBIAN.map((name) => ({
      path: `usr/share/doc/${name}/copyright`,
      content: readFileSync(`/usr/share/doc/${name}/copyright`),
    })),
  ],
  program: await programEntries(files, 'usr/lib/countersign/'),
})

const [LIBRARY_FOLDER, LOADER] =
  process.arch === 'arm64'
    ? ['/lib/aarch64-linux-gnu', '/lib/ld-linux-aarch64.so.1']
    : ['/lib/x86_64-linux-gnu', '/lib64/ld-linux-x86-64.so.2']

/** The files that Node is linked with; name resolution and the native modules need the rest. */
export const LIBRARIES: readonly string[] = [
  LOADER,
  ...[
    'libc.so.6',
    'libdl.so.2',
    'libgcc_s.so.1',
    'libm.so.6',
    'libnss_dns.so.2',
    'libnss_files.so.2',
    'libpthread.so.0',
    'libresolv.so.2',
    'librt.so.1',
  ].map((name) => `${LIBRARY_FOLDER}/${name}`),
  `/usr${LIBRARY_FOLDER}/libstdc++.so.6`,
]

const libraryEntry = async (path: string): Promise<Entry> => ({
  path: path.slice(1),
  content: await readFile(path),
  mode: 0o755,
})

const DEBIAN = ['libc6', 'libgcc-s1', 'libstdc++6']

/** The Debian packages of the libraries; the image has the texts of their licences. */
const debianComponents = (): readonly Component[] =>
  DEBIAN.map((name) => {
    const version = execFileSync('dpkg-query', [
      '--show',
      '--showformat=${Version}',
      name,
    ]).toString()
    const purl = `pkg:deb/debian/${name.replaceAll('+', '%2B')}@${version}?arch=amd64`
    return { name, version, purl }
  })

const folder = (path: string, more: Partial<Entry> = {}): Entry => ({ path: `${path}/`, ...more })

const FOLDERS: readonly Entry[] = [
  folder('etc'),
  folder('etc/countersign'),
  folder('tmp', { mode: 0o1777 }),
  // Sockets and persistent state: the only folders that the program writes to.
  folder('run/countersign', { owner: USER }),
  folder('var/lib/countersign', { owner: USER }),
]

const ACCOUNTS: readonly Entry[] = [
  ['etc/passwd', `root:x:0:0::/:/nonexistent\ncountersign:x:${USER}:${USER}::/:/nonexistent\n`],
  ['etc/group', `root:x:0:\ncountersign:x:${USER}:\n`],
  ['etc/nsswitch.conf', 'hosts: files dns\n'],
].map(([path = '', content = '']) => ({ path, content: Buffer.from(content) }))

interface Layer {
  /** Of the archive before it is compressed. */
  readonly diffId: string
  readonly blob: Buffer
}

const layerOf = (archive: Buffer): Layer => {
  const blob = gzipSync(archive, { level: 6 })
  blob[9] = 255 // unknown operating system
  return { diffId: digest(archive), blob }
}

const digest = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

const blobPath = (bytes: Buffer): string => `blobs/sha256/${digest(bytes).slice('sha256:'.length)}`

const archiveOf = (release: Release, layers: readonly Layer[]): Buffer => {
  const config = json(configOf(release, layers))
  const tag = `countersign:${release.version}`
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map(({ blob }) =>
      descriptorOf('application/vnd.oci.image.layer.v1.tar+gzip', blob),
    ),
  })
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptorOf('application/vnd.oci.image.manifest.v1+json', manifest),
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: {
          'org.opencontainers.image.ref.name': release.version,
          'io.containerd.image.name': tag,
        },
      },
    ],
  })
  const blobs = [...layers.map(({ blob }) => blob), config, manifest]
  // The form that `docker load` read before it knew OCI archives.
  const docker = [
    { Config: blobPath(config), RepoTags: [tag], Layers: layers.map(({ blob }) => blobPath(blob)) },
  ]
  return tar(
    [
      { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
      { path: 'index.json', content: index },
      { path: 'manifest.json', content: json(docker) },
      ...blobs.map((blob) => ({ path: blobPath(blob), content: blob })),
    ],
    release.time,
  )
}

const descriptorOf = (mediaType: string, bytes: Buffer): object => ({
  mediaType,
  digest: digest(bytes),
  size: bytes.length,
})

const COMMAND = ['/usr/local/bin/node', '/usr/lib/countersign/bin/countersign.js']
const SECOND = 1_000_000_000

/** How containers of the image run: what the Dockerfile says, too. */
export const configOf = ({ version, commit, time }: Release, layers: readonly Layer[]) => ({
  created: new Date(time * 1_000).toISOString(),
  architecture: 'amd64',
  os: 'linux',
  config: {
    User: `${USER}:${USER}`,
    Env: [
      'PATH=/usr/local/bin',
      'NODE_ENV=production',
      'COUNTERSIGN_CONFIG=/etc/countersign/countersign.yaml',
      'COUNTERSIGN_SIGNER_CONFIG=/etc/countersign/signer.yaml',
      'COUNTERSIGN_HEALTH_ADDRESS=unix:/run/countersign/authz.sock',
    ],
    Entrypoint: COMMAND,
    Cmd: ['authz'],
    WorkingDir: '/',
    // Docker's own, which kubelets ignore: they call grpc.health.v1 themselves.
    Healthcheck: {
      Test: ['CMD', HEALTH_PROBE],
      Interval: 30 * SECOND,
      Timeout: 10 * SECOND,
      StartPeriod: 10 * SECOND,
      Retries: 3,
    },
    Labels: {
      'org.opencontainers.image.title': 'Countersign',
      'org.opencontainers.image.description': packageJson.description,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': commit,
    },
  },
  rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
})
