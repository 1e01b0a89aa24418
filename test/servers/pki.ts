// A certificate authority for tests, and what it issues, as PEM files. Everything is
// made anew in each process and is worthless outside it.

import { randomBytes } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { temporaryFolder } from './temporary.ts'
import { x509 } from './x509.ts'

/** A certificate and its key, as paths of PEM files. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** The contents of a certificate. */
interface CertificateRequest {
  /** CN, and none if it is empty; also names the files, so it must be unique within its CA. */
  readonly commonName: string
  /** O, one attribute each. */
  readonly organizations?: readonly string[]
  /** Further attributes of the subject, by short name or OID. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>
  /** DNS names, IP addresses and URIs. */
  readonly names?: readonly string[]
  /** `peer`: either, for a member of a mesh that is both client and server. */
  readonly usage: 'server' | 'client' | 'peer'
}

/** A certificate authority in a temporary folder. */
export interface Authority extends AsyncDisposable {
  /** The folder of all files; it goes when the authority is disposed. */
  readonly folder: string
  /** The path of the CA's certificate. */
  readonly ca: string
  /** The path of its key. */
  readonly key: string
  /** Issues a certificate; the files are named after its CN. */
  issue(request: CertificateRequest): Promise<KeyPair>
}

/** An authority, and the certificates that nearly every test needs. */
export interface Pki extends Authority {
  /** Envoy's public listener. */
  readonly edge: KeyPair
  /** The upstream's server certificate. */
  readonly upstream: KeyPair
  /** The client certificate by which the upstream knows Envoy: CN=front-proxy. */
  readonly frontProxy: KeyPair
  /** A caller: CN=alice, O=developers. */
  readonly alice: KeyPair
}

/** Names that the server certificates are for. */
const SERVER_NAMES = ['localhost', '*.localhost', '*.example.org', '127.0.0.1', '::1']

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY = 86_400_000

/** Makes a CA and the usual certificates. */
export const createPki = async (): Promise<Pki> => {
  const authority = await createAuthority('Countersign test CA')
  const [edge, upstream, frontProxy, alice] = await Promise.all([
    authority.issue({ commonName: 'edge', names: SERVER_NAMES, usage: 'server' }),
    authority.issue({ commonName: 'upstream', names: SERVER_NAMES, usage: 'server' }),
    authority.issue({ commonName: 'front-proxy', usage: 'client' }),
    authority.issue({ commonName: 'alice', organizations: ['developers'], usage: 'client' }),
  ])
  return { ...authority, edge, upstream, frontProxy, alice }
}

/** Makes a CA that has issued nothing yet: for more certificates, or for one that no server trusts. */
export const createAuthority = async (commonName: string): Promise<Authority> => {
  const folder = await temporaryFolder()
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: nameOf(commonName),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const ca = folder.file('ca.pem')
  await writeFile(ca, root.toString('pem'))
  const caKey = folder.file('ca.key')
  await writeFile(caKey, await pemOf(keys.privateKey), { mode: 0o600 })
  return {
    folder: folder.path,
    ca,
    key: caKey,
    issue: async (request) => {
      const { certificate, key } = await issue(request, root, keys.privateKey)
      const files = {
        certificate: folder.file(`${request.commonName}.pem`),
        key: folder.file(`${request.commonName}.key`),
      }
      await writeFile(files.certificate, certificate)
      await writeFile(files.key, key)
      await chmod(files.key, 0o600)
      return files
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const issue = async (
  { commonName, organizations = [], attributes = {}, names = [], usage }: CertificateRequest,
  root: x509.X509Certificate,
  rootKey: CryptoKey,
): Promise<{ readonly certificate: string; readonly key: string }> => {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const purposes = PURPOSES[usage].map((purpose) => x509.ExtendedKeyUsage[purpose])
  const alternatives = names.map(
    (name): { readonly type: 'ip' | 'dns' | 'url'; readonly value: string } => ({
      type: kindOf(name),
      value: name,
    }),
  )
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: nameOf(commonName, organizations, attributes),
    issuer: root.subjectName,
    publicKey: keys.publicKey,
    signingKey: rootKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(purposes),
      await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...alternatives])] : []),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey) }
}

const PURPOSES = {
  server: ['serverAuth'],
  client: ['clientAuth'],
  peer: ['clientAuth', 'serverAuth'],
} as const

const kindOf = (name: string): 'ip' | 'dns' | 'url' => {
  if (isIP(name) !== 0) return 'ip'
  return name.includes('://') ? 'url' : 'dns'
}

const pemOf = async (key: CryptoKey): Promise<string> =>
  x509.PemConverter.encode(Buffer.from(await crypto.subtle.exportKey('pkcs8', key)), 'PRIVATE KEY')

const nameOf = (
  commonName: string,
  organizations: readonly string[] = [],
  attributes: Readonly<Record<string, readonly string[]>> = {},
): x509.Name => {
  const all = [
    ['CN', commonName === '' ? [] : [commonName]],
    ['O', organizations],
    ...Object.entries(attributes),
  ] as const
  return new x509.Name(
    all.flatMap(([name, values]) => values.map((value) => ({ [name]: [value] }))),
  )
}

// RFC 5280 §4.1.2.2: a positive serial number of at most 20 octets. Begun yesterday, since clocks of
// containers and their hosts differ.
const validity = (): { serialNumber: string; notBefore: Date; notAfter: Date } => ({
  serialNumber: `01${randomBytes(15).toString('hex')}`,
  notBefore: new Date(Date.now() - DAY),
  notAfter: new Date(Date.now() + 30 * DAY),
})
