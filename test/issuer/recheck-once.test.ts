// Users are looked up again once for all requests and all replicas; the directory gets no further requests.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAuthz } from '../../src/authz.ts'
import { ldapEntry, ldapResponse, startLdapServer, type LdapRequest } from '../fakes/ldap-server.ts'
import { startSite } from './authorization-server.ts'
import { isIn, loggedIn, sessionOn, withSessions } from './session/browsing.ts'

const REQUESTS = 20
// Longer than all requests take, so that none comes when it is time again.
const RECHECK_MS = 4_000

describe('a recheck in a directory', () => {
  it('queries a user once for many requests at two replicas', async () => {
    let searches = 0
    await using server = await startLdapServer((request: LdapRequest) => {
      if (request.kind !== 'search') return ldapResponse(request, 0)
      searches += 1
      const { messageId } = request
      return Buffer.concat([
        ldapEntry(messageId, 'uid=alice,ou=people', { uid: ['alice'] }),
        ldapResponse({ messageId, kind: 'search' }, 0),
      ])
    })
    const ldap = {
      servers: [`ldap://127.0.0.1:${server.port}`],
      startTls: false,
      bind: { dn: 'cn=svc', password: 'file:secret' },
      search: { base: 'ou=people' },
    }
    await using site = await startSite(
      withSessions('state: { sqlite: state.db }')
        .replace('authenticators: [staff]\n', 'authenticators: [staff]\n    recheck: 4s\n')
        .replace('[{ users: { file: users.yaml } }]', JSON.stringify([{ ldap }])),
    )
    const other = site.folder.file('other.yaml')
    const text = await readFile(site.folder.file('countersign.yaml'), 'utf8')
    await writeFile(other, text.replace('audit.jsonl', 'other.jsonl'))
    await using replica = await startAuthz(other)
    const { browser } = await loggedIn(site)
    const cookie = await sessionOn(browser)
    assert.equal(searches, 1, 'at the login')
    // Overdue: every request has to wait for the answer.
    await sleep(RECHECK_MS + 100)
    const both = Array.from({ length: REQUESTS }, () => [site.authz, replica]).flat()
    const all = await Promise.all(both.map((authz) => isIn(authz, cookie)))
    assert.deepEqual([...new Set(all)], [true])
    assert.equal(searches, 2)
  })
})
