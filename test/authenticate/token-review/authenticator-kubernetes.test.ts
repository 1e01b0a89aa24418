// Tokens of service accounts, and a real Kubernetes API server that reviews them.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChainLink } from '../../../src/authenticate/chain.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { buildFrom } from '../building.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { outcomeOf, show } from '../bearer/asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'

const COOL_DOWN = 100

const bind = async (server: KubeApiServer, account: string): Promise<void> => {
  await server.call({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      metadata: { name: account },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'system:auth-delegator',
      },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'default' }],
    },
  })
}

describe('a Kubernetes API server', { skip: skipWithoutApiServer(), timeout: 180_000 }, () => {
  it('says which tokens are valid, for which audiences, and until when', async () => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const server = stack.use(await startKubeApiServer())
    await server.createServiceAccount('default', 'builder')
    await server.createServiceAccount('default', 'reviewer')
    const own = folder.file('own.token')
    await writeFile(own, await server.tokenOf('default', 'reviewer'))
    const build = async (
      settings: Readonly<Record<string, unknown>>,
      allowReserved: readonly string[] = [],
    ): Promise<ChainLink> => {
      const tokenReview = {
        server: server.url,
        ca: server.ca,
        cacheTtl: '0s',
        timeout: '10s',
        coolDown: `${COOL_DOWN}ms`,
        failureThreshold: 1_000,
        ...settings,
      }
      const sections = JSON.stringify({ tokenReview, allowReserved })
      const file = join(folder.path, 'countersign.yaml')
      const built = stack.use(await buildFrom(file, sections, systemClock))
      assert.ok(built.link !== undefined, built.problems.join())
      return built.link
    }
    const byToken = { token: `file:${own}`, audiences: ['countersign'] }
    const link = await build(byToken, [
      'system:serviceaccount:default:*',
      'system:serviceaccounts',
      'system:serviceaccounts:default',
    ])
    const { authenticator, mapping } = link
    const token = await server.tokenOf('default', 'builder', { audiences: ['countersign', 'x'] })

    // 1. The reviewer has no role binding yet.
    const early = await show(authenticator, token)
    assert.ok(early.outcome === 'unavailable')
    assert.match(String(early.cause), /refuses our own credentials \(403\)/)
    await bind(server, 'reviewer')
    // The API server learns of a role binding by its own watch.
    for (let waited = 0; waited < 100; waited += 1) {
      if ((await outcomeOf(authenticator, token)) !== 'unavailable') break
      await sleep(COOL_DOWN)
    }

    // 2. A valid token, and its identity.
    const result = await show(authenticator, token)
    assert.ok(result.outcome === 'authenticated', JSON.stringify(result))
    const { credential } = result
    assert.equal(credential.user, 'system:serviceaccount:default:builder')
    assert.match(credential.uid ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual(credential.groups, [
      'system:serviceaccounts',
      'system:serviceaccounts:default',
    ])
    assert.match(
      credential.extra['authentication.kubernetes.io/credential-id']?.[0] ?? '',
      /^JTI=[0-9a-f-]{36}$/,
    )
    assert.ok(
      (credential.expires ?? 0) > Date.now() && (credential.expires ?? 0) < Date.now() + 660_000,
    )
    assert.equal(mapping.identityOf(credential).outcome, 'identity')
    const unmapped = (await build(byToken)).mapping.identityOf(credential)
    assert.ok(unmapped.outcome === 'refused' && unmapped.code === 'identity-reserved')

    // 3. Its audience decides: here before a request, and at the API server.
    const elsewhere = await build({ ...byToken, audiences: ['other'] })
    assert.equal(await outcomeOf(elsewhere.authenticator, token), 'token-audience')
    const apiOwn = await build({ token: byToken.token })
    assert.equal(await outcomeOf(apiOwn.authenticator, token), 'token-inactive')
    const plain = await server.tokenOf('default', 'builder')
    assert.equal(await outcomeOf(apiOwn.authenticator, plain), 'authenticated')
    assert.equal(await outcomeOf(authenticator, plain), 'token-audience')

    // 4. By a certificate, and only for the issuers that are named.
    const { certificate, key } = server.administrator
    const client = { certificate, key: `file:${key}` }
    const named = { client, audiences: ['x'], issuers: [server.issuer] }
    assert.equal(await outcomeOf((await build(named)).authenticator, token), 'authenticated')
    const foreign = { ...named, issuers: ['https://other'] }
    assert.equal(await outcomeOf((await build(foreign)).authenticator, token), 'not-applicable')

    // 5. Random text, and a changed token.
    for (const wrong of ['garbage', `${token.slice(0, -4)}AAAA`, `${token}.x`, 'a.b.c']) {
      assert.equal(await outcomeOf(authenticator, wrong), 'token-inactive', wrong.slice(-8))
    }

    // 6. Down, hanging, and back again.
    const hasty = await build({ ...byToken, timeout: '500ms' })
    server.pause()
    assert.equal(await outcomeOf(hasty.authenticator, token), 'unavailable')
    server.resume()
    await server.kill()
    assert.equal(codeOf(await show(authenticator, token)), 'unavailable')
    await server.start()
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')

    // 7. Without the service account its tokens are invalid.
    const path = '/api/v1/namespaces/default/serviceaccounts/builder'
    await server.call({ method: 'DELETE', path })
    let last = ''
    for (let waited = 0; waited < 300 && last !== 'token-inactive'; waited += 1) {
      last = await outcomeOf(authenticator, token)
      await sleep(COOL_DOWN)
    }
    assert.equal(last, 'token-inactive')
  })
})
