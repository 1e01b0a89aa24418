// authz and the signer log at the start what `validate` says about their certificates and keys, and start.
//
// Slow: it starts processes.

import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { makeCa, type TestCa } from '../ca/authorities.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { signerSite } from '../fakes/signer-site.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { x509 } from '../servers/x509.ts'
import { countersign, jsonLines, startService } from './run.ts'

const DAY = 86_400_000

const daysFromNow = (from: number, to: number) => ({
  notBefore: new Date(Date.now() + from * DAY),
  notAfter: new Date(Date.now() + to * DAY),
})

const write = async (folder: TemporaryFolder, name: string, { certificate, key }: TestCa) => {
  await writeFile(folder.file(`${name}.pem`), certificate)
  const pem = key.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(folder.file(`${name}.key`), pem, { mode: 0o600 })
}

/** `KEY: PROBLEM` of each warning in the log. */
const warningsIn = (log: string): readonly string[] =>
  jsonLines(log).flatMap(({ msg, level, key, problem }) =>
    msg === 'file needs attention' ? [`${String(level)}: ${String(key)}: ${String(problem)}`] : [],
  )

/** The same of what `validate` prints. */
const findingsIn = (output: string): readonly string[] =>
  output.split('\n').flatMap((line) => {
    const [, text] = /^\S+?:\d+:\d+: (?:warning: )?(.*)$/.exec(line) ?? []
    return text === undefined ? [] : [`warn: ${text}`]
  })

describe('the log of a start says what validate says of', { concurrency: true }, () => {
  it('the certificates and keys that authz uses and trusts', async () => {
    await using folder = await temporaryFolder()
    const leaf = { extensions: [new x509.BasicConstraintsExtension(false)] }
    const ca = await makeCa()
    await write(folder, 'ca', ca)
    await write(folder, 'old', await makeCa(daysFromNow(-20, -1)))
    await write(folder, 'early', await makeCa(daysFromNow(1, 20)))
    await write(folder, 'soon', await makeCa(daysFromNow(-300, 20)))
    await write(folder, 'server', await makeCa({ ...leaf, issuer: ca, ...daysFromNow(-9, -1) }))
    await chmod(folder.file('server.key'), 0o644)
    await writeFile(
      folder.file('users.yaml'),
      `users: { alice: { password: '${await cheapHash('secret')}' } }`,
    )
    const config = folder.file('countersign.yaml')
    const text = `
version: 1
listen:
  authz: { address: '127.0.0.1:0', tls: { certificate: server.pem, key: 'file:server.key', clientCa: ca.pem } }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  old: { certificate: { trust: old.pem } }
  early: { certificate: { trust: early.pem } }
  soon: { certificate: { trust: soon.pem } }
routes: [{ name: app, authenticate: [staff, old, early, soon], authorize: [{ allow: all }] }]
`
    await writeFile(config, text)
    await using authz = await startService('authz', config)
    const warnings = warningsIn((await authz.end()).stderr)
    const { status, stderr } = await countersign(['validate', '-c', config])
    assert.equal(status, 1)
    const findings = findingsIn(stderr).filter((line) => line.includes(folder.path))
    assert.deepEqual(warnings.toSorted(), findings.toSorted())
    assert.deepEqual(
      warnings.map((line) => line.replaceAll(`${folder.path}/`, '').replaceAll(/\d{4}-\S*Z/g, 'T')),
      [
        'warn: listen.authz.tls.certificate: the certificate in server.pem expired at T. Renew it',
        'warn: authenticators.old.certificate.trust: the CA in old.pem expired at T. Every certificate of it is refused. Renew it',
        'warn: authenticators.early.certificate.trust: the CA in early.pem is not valid before T. Every certificate of it is refused. Check the clock of this machine and of its CA',
        'warn: authenticators.soon.certificate.trust: the CA in soon.pem expires at T. Renew it in time',
        'warn: listen.authz.tls.key: server.key has mode 0644: every user of this machine can read the secret (chmod 0600)',
      ],
    )
  })

  it('the CA of the signer', async () => {
    await using site = await signerSite()
    await site.configure('log: { level: info }')
    await site.writeCa(await makeCa(daysFromNow(-300, 20)))
    await using signer = await startService('signer', site.config)
    const warnings = warningsIn((await signer.end()).stderr)
    const { status, stderr } = await countersign(['validate', '--signer', site.config])
    assert.equal(status, 0)
    assert.deepEqual(warnings, findingsIn(stderr))
    assert.match(
      warnings.join('\n'),
      /^warn: authorities\.kube\.certificate: the CA in \S+ expires /,
    )
  })
})

it('a start is refused, as validate refuses it, with a key of a CA that other users can read', async () => {
  await using site = await signerSite()
  await chmod(site.file('ca.key'), 0o644)
  const started = await countersign(['signer', '--config', site.config])
  const validated = await countersign(['validate', '--signer', site.config])
  assert.equal(started.status, 1)
  assert.deepEqual(started, validated)
  assert.match(started.stderr, /authorities\.kube\.key: \S+ has mode 0644: .*\(chmod 0600; /)
})
