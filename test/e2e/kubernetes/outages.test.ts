// What kubectl prints while a part of the way to the API server is away. Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ask, callerBy, type Caller } from './asking.ts'
import { CREDENTIALS_OUT } from './configuration.ts'
import { CREDENTIALS_IN } from './credentials-in.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS, type User } from './users.ts'

const RAW = ['get', '--raw', '/api/v1/pods']

const UNREACHABLE =
  /^Error from server \(ServiceUnavailable\): The API server cannot be reached\. Try again later \(request [0-9a-f-]{36}\)\n$/
const UNCHECKED =
  /^Error from server \(ServiceUnavailable\): The request could not be checked\. Try again later \(request [0-9a-f-]{36}\)\n$/

describe('kubectl during an outage', { skip: skipWithoutServers(), timeout: 240_000 }, () => {
  let site: KubeSite
  let alice: Caller
  let bob: Caller
  before(async () => {
    site = await startKubeSite({ controllers: false })
    const password = (user: User): Promise<Caller> =>
      callerBy(site, CREDENTIALS_IN['a password (users file)'], user)
    alice = await password(USERS.alice)
    bob = await password(USERS.bob)
  })
  after(() => site[Symbol.asyncDispose]())

  /** kubectl of a user who has used it before: it knows what the server has. */
  const knowing = (caller: Caller, address: string) =>
    ask(site, caller, ['get', 'pods', '--cache-dir', site.folder.file(address)], address)

  it('32. the signer is away: kubectl of a new user prints that the API server cannot be reached', async () => {
    const address = CREDENTIALS_OUT.certificate
    assert.match((await knowing(alice, address)).complaint, /User "alice" cannot list/)
    await site.signer.end('SIGKILL')
    assert.match((await knowing(bob, address)).complaint, UNREACHABLE)
    assert.match((await ask(site, bob, RAW, address)).complaint, UNREACHABLE)
    // Of a failed discovery client-go prints its own words for 503.
    const { complaint } = await ask(site, bob, ['version'], address)
    assert.match(complaint, /ServiceUnavailable\): the server is currently unable to handle/)
    await site.signer.start()
  })

  it('32. the API server is away: the same', async () => {
    const address = CREDENTIALS_OUT['ID token']
    assert.match((await knowing(alice, address)).complaint, /User "alice" cannot list/)
    await site.server.kill()
    assert.match((await knowing(alice, address)).complaint, UNREACHABLE)
    await site.server.start()
  })

  it('32. authz is away: kubectl prints that the request could not be checked', async () => {
    const address = CREDENTIALS_OUT['ID token']
    await site.authz.end('SIGKILL')
    assert.match((await knowing(alice, address)).complaint, UNCHECKED)
  })
})
