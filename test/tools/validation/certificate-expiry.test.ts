// The ends of certificates for metrics: which files are read, and what of them after a change.

import assert from 'node:assert/strict'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startAuthz } from '../../../src/authz.ts'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { parseSignerConfig } from '../../../src/ca/parse.ts'
import {
  authzCertificateFiles,
  signerCertificateFiles,
} from '../../../src/tools/validation/site.ts'
import { CertificateExpiry } from '../../../src/tools/validation/certificate-expiry.ts'
import { makeCa } from '../../ca/authorities.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { scrape, seriesOf } from '../../fakes/scraping.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'

const DAY = 86_400_000
// Certificates have whole seconds.
const NOW = Math.floor(Date.now() / 1_000) * 1_000

const endingIn = (days: number) => ({
  notBefore: new Date(NOW - DAY),
  notAfter: new Date(NOW + days * DAY),
})

const certificateEndingIn = async (days: number): Promise<string> =>
  (await makeCa(endingIn(days))).certificate

const ends = (days: number): number => NOW / 1_000 + days * 86_400

/** Replaces a file as a renewal does. */
const put = async (folder: TemporaryFolder, name: string, text: string): Promise<void> => {
  await writeFile(folder.file(`${name}.new`), text)
  await rename(folder.file(`${name}.new`), folder.file(name))
}

/** What is shown, without the folder. */
const shown = (
  expiry: CertificateExpiry<readonly string[]>,
): readonly (readonly [string | undefined, number])[] =>
  [...expiry.metric.read()].map(({ labels, value }) => [
    labels['key'],
    typeof value === 'number' ? value : Number.NaN,
  ])

const start = async (folder: TemporaryFolder, names: readonly string[]) =>
  await CertificateExpiry.start(names, (config) =>
    config.map((name) => ({ path: ['trust', name], file: folder.file(name) })),
  )

/** The text values of a document that name a file in PEM, with their paths. */
const pemFilesIn = (value: unknown, path: readonly string[] = []): readonly string[] => {
  if (typeof value === 'string') return value.endsWith('.pem') ? [path.join('.')] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => pemFilesIn(inner, [...path, key]))
}

/** A private key is PEM, too. */
const isCertificatePath = (path: string): boolean => !/(?:^|\.)key(?:\.|$)/.test(path)

describe('the files whose certificates are shown', () => {
  it('are all that countersign.yaml can name', async () => {
    const file = join(import.meta.dirname, '../../configuration/full.yaml')
    const parsed = parseConfig(file, await readFile(file, 'utf8'))
    assert.ok(parsed.ok)
    const shownPaths = authzCertificateFiles(parsed.config).map(({ path }) => path.join('.'))
    const named = pemFilesIn(parsed.config).map((path) => path.replace(/\.path$/, ''))
    assert.ok(named.length > 25, String(named.length))
    assert.deepEqual(shownPaths.toSorted(), named.filter(isCertificatePath).toSorted())
  })
})

describe('the ends of certificates', () => {
  it('are those of each file, and absent where a file is not there or holds no certificate', async () => {
    await using folder = await temporaryFolder()
    await put(folder, 'a', await certificateEndingIn(10))
    await put(folder, 'b', 'no certificate')
    await put(folder, 'broken', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n')
    using expiry = await start(folder, ['a', 'b', 'broken', 'missing'])
    assert.deepEqual(shown(expiry), [['trust.a', ends(10)]])
  })

  it('follow a renewal, a removal and a file that comes later', async () => {
    await using folder = await temporaryFolder()
    await put(folder, 'a', await certificateEndingIn(10))
    using expiry = await start(folder, ['a', 'b'])
    await put(folder, 'a', await certificateEndingIn(90))
    await put(folder, 'b', await certificateEndingIn(20))
    await expiry.refresh()
    assert.deepEqual(shown(expiry), [
      ['trust.a', ends(90)],
      ['trust.b', ends(20)],
    ])
    await rm(folder.file('a'))
    await expiry.refresh()
    assert.deepEqual(shown(expiry), [['trust.b', ends(20)]])
  })

  it('are of each subject the last one: a CA that was renewed is not about to end', async () => {
    await using folder = await temporaryFolder()
    const bundle = await Promise.all([certificateEndingIn(1), certificateEndingIn(300)])
    await put(folder, 'a', bundle.join('\n'))
    using expiry = await start(folder, ['a'])
    assert.deepEqual(shown(expiry), [['trust.a', ends(300)]])
  })

  it('are those of the whole chain of each CA of the signer', async () => {
    await using folder = await temporaryFolder()
    const root = await makeCa({ ...endingIn(900), subject: 'CN=Root' })
    const issuing = await makeCa({ ...endingIn(90), subject: 'CN=Issuing', issuer: root })
    await put(folder, 'ca.pem', `${issuing.certificate}\n${root.certificate}`)
    const document = `
version: 1
listen: unix:signer.sock
keyring: file:grant.keys
authorities: { kube: { certificate: ca.pem, key: file:ca.key } }
`
    const parsed = parseSignerConfig(folder.file('signer.yaml'), document)
    assert.ok(parsed.ok)
    using expiry = await CertificateExpiry.start(parsed.value, signerCertificateFiles)
    const shownEnds = [...expiry.metric.read()].map(({ labels, value }) => [
      labels['key'],
      labels['subject'],
      value,
    ])
    assert.deepEqual(shownEnds, [
      ['authorities.kube.certificate', 'CN=Issuing', ends(90)],
      ['authorities.kube.certificate', 'CN=Root', ends(900)],
    ])
  })

  it('are shown by authz, and change with a reload', async () => {
    await using folder = await temporaryFolder()
    const hash = await cheapHash('the-password')
    await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }\n`)
    await put(folder, 'ca.pem', await certificateEndingIn(10))
    await put(folder, 'other.pem', await certificateEndingIn(20))
    const configuration = (trust: string): string => `
version: 1
listen: { authz: unix:authz.sock, admin: 127.0.0.1:0 }
authenticators:
  cards: { certificate: { trust: ${trust} } }
routes: [{ name: app, match: { hosts: [app.example.org] }, authenticate: [cards], authorize: [{ allow: all }] }]
audit: { file: audit.jsonl }
log: { level: error }
`
    await writeFile(folder.file('countersign.yaml'), configuration('ca.pem'))
    await using authz = await startAuthz(folder.file('countersign.yaml'))
    const ofFiles = async () =>
      Object.entries(
        seriesOf(await scrape(authz.admin), 'countersign_certificate_not_after_timestamp_seconds'),
      ).map(([labels, value]) => [/file=.*\/(\w+\.pem)/.exec(labels)?.[1], value])
    assert.deepEqual(await ofFiles(), [['ca.pem', ends(10)]])
    await writeFile(folder.file('countersign.yaml'), configuration('other.pem'))
    await authz.reload()
    let files = await ofFiles()
    for (let round = 0; round < 50 && files[0]?.[0] !== 'other.pem'; round += 1) {
      files = await ofFiles()
    }
    assert.deepEqual(files, [['other.pem', ends(20)]])
  })
})
