import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { http1, http2, valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../../servers/kube-apiserver.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, send, verdictOn } from '../asking.ts'
import { ALICE, eventually, HOST, received, startSite, type Site } from '../site.ts'

const AUDIENCES = ['countersign']

/** A start of the API server, and what it learns by its own watches. */
const API_SERVER_LIMIT = 25_000

describe(
  'tokens of service accounts, through Envoy',
  { skip: skipWithoutEnvoy() || skipWithoutApiServer(), timeout: 120_000 },
  () => {
    let folder: TemporaryFolder
    let server: KubeApiServer
    let site: Site
    let token: string
    before(async () => {
      folder = await temporaryFolder()
      server = await startKubeApiServer()
      for (const account of ['reviewer', 'builder', 'leaver']) {
        await server.createServiceAccount('default', account)
      }
      await server.createServiceAccount('kube-system', 'builder')
      await server.call({
        method: 'POST',
        path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
        body: {
          metadata: { name: 'reviewer' },
          roleRef: {
            apiGroup: 'rbac.authorization.k8s.io',
            kind: 'ClusterRole',
            name: 'system:auth-delegator',
          },
          subjects: [{ kind: 'ServiceAccount', name: 'reviewer', namespace: 'default' }],
        },
      })
      const own = folder.file('own.token')
      await writeFile(own, await server.tokenOf('default', 'reviewer'), { mode: 0o600 })
      site = await startSite({
        authenticators: {
          pods: {
            tokenReview: {
              server: server.url,
              ca: server.ca,
              token: `file:${own}`,
              audiences: AUDIENCES,
              cacheTtl: '500ms',
              timeout: '4s',
              coolDown: '200ms',
            },
            allowReserved: [
              'system:serviceaccount:default:*',
              'system:serviceaccounts',
              'system:serviceaccounts:default',
              'system:serviceaccounts:kube-system', // the group, and no account of it
            ],
          },
        },
        route: { authenticate: ['pods', 'staff'] },
      })
      token = await server.tokenOf('default', 'builder', { audiences: AUDIENCES })
      // The API server learns of a role binding by its own watch.
      await until(token, '200 permitted')
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    const until = (presented: string, verdict: string): Promise<string> =>
      eventually(
        () => verdictOn(site, bearer(presented)),
        (seen) => seen === verdict,
        API_SERVER_LIMIT,
      )

    it('1. a token in, its user and groups out, over HTTP/1.1 and HTTP/2', async () => {
      for (const ask of [http1, http2]) {
        const answer = await ask(site.target, { host: HOST, headers: [bearer(token)] })
        assert.equal(answer.status, 200, answer.body)
        assert.deepEqual(received(answer, 'x-remote-user'), [
          'system:serviceaccount:default:builder',
        ])
        assert.deepEqual(received(answer, 'x-remote-group'), [
          'system:serviceaccounts',
          'system:serviceaccounts:default',
        ])
        assert.match(received(answer, 'x-remote-uid').join(), /^[0-9a-f-]{36}$/)
        const extra = 'x-remote-extra-authentication.kubernetes.io%2fcredential-id'
        assert.match(received(answer, extra).join(), /^JTI=[0-9a-f-]{36}$/)
        assert.deepEqual(received(answer, 'authorization'), [])
        assert.ok(!answer.body.includes(token))
      }
    })

    it('2. an account of another namespace, which no rule allows: 403', async () => {
      const other = await server.tokenOf('kube-system', 'builder', { audiences: AUDIENCES })
      assert.equal(await verdictOn(site, bearer(other)), '403 identity-reserved')
    })

    it('2. a token for another audience, for the API server itself, changed, or not a token: 401', async () => {
      const tokens = [
        [await server.tokenOf('default', 'builder', { audiences: ['other'] }), 'token-audience'],
        [await server.tokenOf('default', 'builder'), 'token-audience'],
        [`${token.slice(0, -4)}AAAA`, 'token-inactive'],
        ['opaque', 'token-inactive'],
      ] as const
      for (const [wrong, reason] of tokens) {
        assert.equal(await verdictOn(site, bearer(wrong)), `401 ${reason}`)
      }
      const answer = await send(site, bearer('opaque'))
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), [
        'Bearer realm="Countersign", error="invalid_token"',
        'Basic realm="Site", charset="UTF-8"',
      ])
    })

    it('3. the API server is down: 503 for its tokens only, until it is up', async () => {
      const leaving = await server.tokenOf('default', 'leaver', { audiences: AUDIENCES })
      assert.equal(await verdictOn(site, bearer(leaving)), '200 permitted')
      const path = '/api/v1/namespaces/default/serviceaccounts/leaver'
      await server.call({ method: 'DELETE', path })

      await server.kill()
      await until(token, '503 authenticator-unavailable')
      const answer = await send(site, bearer(token))
      assert.equal(valuesOf(answer, 'retry-after').length, 1)
      assert.equal(await verdictOn(site, ALICE), '200 permitted')
      await server.start()
      await until(token, '200 permitted')

      // An account that was deleted. The API server itself remembers tokens for ten seconds, and has
      // forgotten them now; we have, too.
      assert.equal(await verdictOn(site, bearer(leaving)), '401 token-inactive')
    })
  },
)
