// A configuration built for commands that judge no credential: no request is sent, not even for keys.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { buildOffline } from '../../src/tools/offline.ts'
import { runPolicyTests } from '../../src/tools/policy-tests/run.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { createAuthority } from '../servers/pki.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const configuration = (server: string): string => `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  tokens: { bearer: { issuer: 'http://${server}', audiences: [a] } }
  keyed: { bearer: { issuer: https://login.invalid, audiences: [a], keys: { url: 'http://${server}/keys' } } }
  asked: { introspection: { issuer: 'http://${server}', audiences: [a], client: { id: a, secret: env:PATH } } }
  reviewed: { tokenReview: { server: 'https://${server}', token: env:PATH } }
  directory: { basic: { verify: [{ ldap: { servers: ['ldap://${server}'], direct: ['uid={user}'] } }] } }
  cards:
    certificate:
      trust: ca.pem
      revocation: { ocsp: { urls: ['http://${server}'] }, crl: { urls: ['http://${server}/ca.crl'] } }
    identity: { user: certificate.subject.CN }
routes:
  - name: app
    kind: kubernetes
    apiServer: { server: 'https://${server}', token: env:PATH }
    authenticate: [tokens, keyed, asked, reviewed, directory, cards]
    authorize: [{ allow: some, users: [alice], subjectAccessReview: true }, { deny: rest }]
tests:
  - { name: one, request: { host: a }, want: { decision: deny } }
  - { name: two, request: { host: a }, identity: { user: alice }, reviewed: true, want: { decision: allow, rule: some } }
  - { name: three, request: { host: a }, identity: { user: alice }, want: { decision: deny } }
  - { name: four, request: { host: a }, identity: { user: eve, authenticator: cards }, want: { decision: deny, rule: rest } }
`

describe('a configuration built offline', () => {
  it('opens no connection, while it is built and while its tests run', async () => {
    await using folder = await temporaryFolder()
    await using authority = await createAuthority('test CA')
    let connections = 0
    const server = createServer((socket) => {
      connections += 1
      socket.destroy()
    }).listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      const file = folder.file('countersign.yaml')
      const text = configuration(`127.0.0.1:${address.port}`)
      await writeFile(file, text.replace('trust: ca.pem', `trust: ${authority.ca}`))
      await using snapshot = await buildOffline(file, new ConfigurationFiles())
      const results = await runPolicyTests(snapshot)
      assert.deepEqual(
        results.map(({ got, differences }) => [got.outcome, differences.length]),
        [
          ['decided', 0],
          ['decided', 0],
          ['unusable', 0],
          ['decided', 0],
        ],
      )
      await pause(200) // a fetch in the background would have begun
      assert.equal(connections, 0)
    } finally {
      server.close()
    }
  })
})
