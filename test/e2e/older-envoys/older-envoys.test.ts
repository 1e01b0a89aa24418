// The releases of Envoy before the one of other tests: a check that permits, one that refuses, and a minted
// certificate over SDS.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import type { SeenRequest } from '../../servers/certificate-upstream.ts'
import { http1, http2 } from '../../servers/client.ts'
import { OLDER_ENVOYS, skipWithoutOlderEnvoy, type OlderEnvoy } from '../../servers/older-envoys.ts'
import { basic, HOST, startCertificateSite, type CertificateSite } from '../certificate-site.ts'
import { olderBootstrap } from './bootstrap.ts'

/** The name of alice's certificate, as an Envoy gets it with a check. */
const handleOf = async (authz: ListenAddress): Promise<string> => {
  using client = new EnvoyClient(authz)
  const headers = [['authorization', basic('alice')[1]]] as const
  const outcome = await client.check({ host: HOST, path: '/', headers })
  assert.ok(outcome.allow && outcome.secret !== undefined, JSON.stringify(outcome))
  return outcome.secret
}

const startSite = async ({ version, program }: OlderEnvoy): Promise<CertificateSite> => {
  const minor = Number(version.split('.')[1])
  return await startCertificateSite({
    users: { alice: { groups: ['dev'] } },
    envoy: program,
    bootstrap: async (yaml, authz) => olderBootstrap(yaml, minor, await handleOf(authz)),
  })
}

for (const older of OLDER_ENVOYS) {
  describe(`Envoy ${older.version}`, { skip: skipWithoutOlderEnvoy(older) }, () => {
    let site: CertificateSite
    before(async () => (site = await startSite(older)))
    after(() => site[Symbol.asyncDispose]())

    it('is the release that it should be', async () => {
      assert.ok((await site.envoy.admin('/server_info')).includes(`/${older.version}/`))
    })

    for (const [name, send] of Object.entries({ http1, http2 })) {
      it(`forwards what is permitted, with the minted certificate (${name})`, async () => {
        const answer = await send(site.target, { host: HOST, headers: [basic('alice')] })
        assert.equal(answer.status, 200, answer.body)
        const { subject, issuer }: SeenRequest = JSON.parse(answer.body)
        assert.deepEqual([subject, issuer], ['CN=alice, O=dev', 'CN=Minting CA'])
      })

      it(`answers what is refused, and forwards nothing (${name})`, async () => {
        site.upstream.clear()
        const answer = await send(site.target, { host: HOST, headers: [basic('alice', 'wrong')] })
        assert.equal(answer.status, 401)
        assert.deepEqual(site.upstream.requests, [])
      })
    }

    it('got one certificate, of which signer and authz have the same record', async () => {
      const issued = (await site.issuances()).filter(({ event }) => event === 'certificate-issued')
      const [permitted] = (await site.decisions()).filter(({ decision }) => decision === 'allow')
      assert.partialDeepStrictEqual(issued, [{ handle: permitted?.handle }])
      assert.equal(issued.length, 1)
    })
  })
}
