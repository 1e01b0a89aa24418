// authz that asks the gateway for a client certificate, as it does where the chart has `authz.tls.enabled`.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1 } from '../../servers/client.ts'
import { basic, eventually, receivedBy } from '../site.ts'
import { PASSWORD } from './configuration.ts'
import { HOSTS, skipWithoutServers, startIstioSite, type IstioSite } from './site.ts'

describe(
  'a gateway and authz over mutual TLS',
  { skip: skipWithoutServers(), timeout: 180_000 },
  () => {
    let site: IstioSite
    before(async () => {
      site = await startIstioSite({ authzTls: true })
      await site.apply('envoy-filter.yaml')
      await site.gateway.until((text) => text.includes('early_header_mutation'))
    })
    after(() => site[Symbol.asyncDispose]())

    const ask = () => http1(site.target(HOSTS.api), { headers: [basic('alice', PASSWORD)] })

    it('28. without a client certificate authz gets no check, and nothing is forwarded', async () => {
      assert.equal((await ask()).status, 503)
      assert.equal(site.api.requests.length, 0)
    })

    it('29. by the DestinationRule the gateway shows authz its certificate', async () => {
      await site.apply('authz-tls.yaml')
      const answer = await eventually(ask, ({ status }) => status === 200)
      assert.ok(
        receivedBy(answer).some(
          ([name, value]) => /^x-remote-user$/i.test(name) && value === 'alice',
        ),
      )
    })
  },
)
