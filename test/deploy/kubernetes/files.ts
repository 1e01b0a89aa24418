// What a container of a pod finds in its file system: its volumes, laid out below a folder of this
// machine as the kubelet lays them out, with Secrets and ConfigMaps that a user would have made.

import { chmod, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { makeHash } from '../../../src/authenticate/password/hash.ts'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { SIGNING_KEY_LIST, signingKeyFile } from '../../../src/keys/signing-key-folder.ts'
import { formatSigningKeys } from '../../../src/keys/signing-keys.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { createAuthority, type KeyPair } from '../../servers/pki.ts'
import type { Container, PodTemplate } from './rendered.ts'

/** Objects by name; of each the values by key. */
type Contents = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What is in the namespace. */
export interface Namespace {
  readonly secrets: Contents
  readonly configMaps: Contents
}

/** The password of alice, of the groups dev and ops. */
export const PASSWORD = 'wonderland'

const AUTHZ_HOST = 'countersign-authz.countersign.svc'

/** What the examples tell the user to make, and nothing else. */
export const usersObjects = async (): Promise<Namespace> => {
  await using authority = await createAuthority('Countersign chart test CA')
  const ca = await readFile(authority.ca, 'utf8')
  const server = async (...names: readonly string[]) =>
    await tlsSecret(
      await authority.issue({ commonName: names[0] ?? '', names, usage: 'server' }),
      ca,
    )
  const client = await authority.issue({ commonName: 'envoy', usage: 'client' })
  const keys = await madeKey('ES256')
  const keyring = `${newGrantKeyLine()}\n`
  const users = { alice: { password: await makeHash('bcrypt', PASSWORD), groups: ['dev', 'ops'] } }
  const trusted = { 'ca.crt': ca }
  return {
    secrets: {
      'countersign-authz-tls': await server(AUTHZ_HOST),
      'countersign-envoy-tls': await tlsSecret(client, ca),
      'countersign-edge-tls': await server('kube.example.org', '*.example.org'),
      upstream: await server('kubernetes.default.svc'),
      'countersign-ca': { 'tls.crt': ca, 'tls.key': await readFile(authority.key, 'utf8') },
      'countersign-grants': { 'grant.keys': keyring },
      'countersign-users': { 'users.yaml': stringify({ users }) },
      'countersign-redis': {
        ...trusted,
        url: 'rediss://redis.example.org:6379/0',
        'state.keys': keyring,
      },
      'countersign-signing-keys': {
        [SIGNING_KEY_LIST]: formatSigningKeys({ version: 1, keys: [keys.entry] }),
        [signingKeyFile('', keys.entry.kid)]: keys.privateKey
          .export({ type: 'pkcs8', format: 'pem' })
          .toString(),
      },
      'ldap-password': { password: 'secret' },
    },
    configMaps: { 'kube-root-ca.crt': trusted, 'corporate-ca': trusted, 'staff-ca': trusted },
  }
}

/** What cert-manager writes into a Secret of TLS. */
export const tlsSecret = async ({ certificate, key }: KeyPair, ca: string) => ({
  'tls.crt': await readFile(certificate, 'utf8'),
  'tls.key': await readFile(key, 'utf8'),
  'ca.crt': ca,
})

const OF_CONFIGMAPS = 0o644
const OF_SECRETS = 0o440

/**
 * Puts the Secrets and ConfigMaps that the container mounts below `root`.
 *
 * @param change maps every text
 */
export const mountFiles = async (
  root: string,
  { spec }: PodTemplate,
  { volumeMounts }: Container,
  { secrets, configMaps }: Namespace,
  change: (text: string) => string,
): Promise<void> => {
  for (const { name, mountPath } of volumeMounts) {
    const volume = spec.volumes.find((candidate) => candidate.name === name)
    if (volume === undefined) throw new Error(`there is no volume ${name}`)
    if (volume.emptyDir !== undefined || volume.persistentVolumeClaim !== undefined) {
      await mkdir(join(root, mountPath), { recursive: true })
      continue
    }
    const { secret, configMap } = volume
    const object = secret?.secretName ?? configMap?.name ?? ''
    const contents = (secret === undefined ? configMaps : secrets)[object]
    if (contents === undefined) throw new Error(`nobody has made ${object}`)
    const files = Object.entries(contents).map(([key, text]) => [key, change(text)] as const)
    await layOut(join(root, mountPath), files, secret?.defaultMode ?? OF_CONFIGMAPS)
  }
}

const VERSION = '..2026_11_25_12_00_00.1'

/** As kubernetes pkg/volume/util/atomic_writer.go does. */
const layOut = async (
  folder: string,
  files: readonly (readonly [string, string])[],
  mode: number,
): Promise<void> => {
  await writeVersion(folder, VERSION, files, mode)
  await symlink(VERSION, join(folder, '..data'))
  for (const [key] of files) await symlink(join('..data', key), join(folder, key))
}

/** Puts the values of a changed Secret into its folder, as the kubelet does: only the link `..data` is renamed. */
export const replaceFiles = async (
  folder: string,
  contents: Readonly<Record<string, string>>,
): Promise<void> => {
  const former = await readlink(join(folder, '..data'))
  const version = `${former}1`
  await writeVersion(folder, version, Object.entries(contents), OF_SECRETS)
  await symlink(version, join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  await rm(join(folder, former), { recursive: true })
}

const writeVersion = async (
  folder: string,
  version: string,
  files: readonly (readonly [string, string])[],
  mode: number,
): Promise<void> => {
  await mkdir(join(folder, version), { recursive: true })
  for (const [key, text] of files) {
    const file = join(folder, version, key)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    await chmod(file, mode)
  }
}

const PATHS =
  /(?<![\w/])\/(?:etc\/countersign|run\/countersign|var\/run\/secrets|var\/lib\/countersign|tmp)\b/g

/** A text in which the paths of containers begin at `root`. */
export const below = (root: string, text: string): string =>
  text.replaceAll(PATHS, (path) => `${root}${path}`)
