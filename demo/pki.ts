// The CAs and certificates of the demo, as `countersign ca` makes them. Everything is made anew for each
// demo and is worthless outside it.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority } from '../src/cli/ca/authority.ts'
import { issue, type Issued, type Profile } from '../src/cli/ca/issue.ts'
import { keyPem } from '../src/cli/ca/keys.ts'
import { namesFor } from '../src/cli/ca/names.ts'
import type { NameOptions } from '../src/cli/ca/options.ts'
import type { KeyPair } from '../test/servers/pki.ts'
import { APP_HOST, ISSUER_HOST } from './tour.ts'

/** The paths of the PEM files. */
export interface DemoPki {
  /** The certificate of the root, which clients of Envoy and Envoy itself trust. */
  readonly ca: string
  /** Envoy's listener. */
  readonly edge: KeyPair
  /** Both upstreams. */
  readonly upstream: KeyPair
  /** The client certificate by which the first upstream knows Envoy. */
  readonly frontProxy: KeyPair
  /** The CA of the signer, which the second upstream trusts. */
  readonly signerCa: KeyPair
}

/** Makes them in a folder. */
export const createDemoPki = async (folder: string): Promise<DemoPki> => {
  await mkdir(folder, { mode: 0o700 })
  const root = await createAuthority({ commonName: 'Countersign demo root CA', pathLength: 0 })
  const signerCa = await createAuthority({
    commonName: 'Countersign demo signer CA',
    pathLength: 0,
    profile: 'client',
  })
  const issued = async (profile: Profile, name: string, options: NameOptions): Promise<KeyPair> =>
    await write(folder, name, await issue(root, { profile, ...namesFor(profile, options) }))
  const { certificate: ca } = await write(folder, 'ca', { certificate: root.certificates })
  return {
    ca,
    edge: await issued('server', 'edge', { dns: ['*.example.org', APP_HOST, ISSUER_HOST] }),
    upstream: await issued('server', 'upstream', { dns: ['localhost'], ip: ['127.0.0.1'] }),
    frontProxy: await issued('client', 'front-proxy', { user: 'front-proxy' }),
    signerCa: await write(folder, 'signer-ca', {
      certificate: signerCa.certificates,
      key: keyPem(signerCa.key),
    }),
  }
}

const write = async (
  folder: string,
  name: string,
  { certificate, key }: Partial<Issued>,
): Promise<KeyPair> => {
  const paths = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  await writeFile(paths.certificate, certificate ?? '')
  if (key !== undefined) await writeFile(paths.key, key, { mode: 0o600 })
  return paths
}
